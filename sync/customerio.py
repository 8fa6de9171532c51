"""Customer.io's App API, as far as segments and their members go. I/O."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import msgspec
from pydantic import SecretStr

from experiments.errors import Retryable
from sync.limits import Limiter
from sync.transport import Call, Patience, Service

IdType = Literal["cio_id", "id", "email"]

PAGE = 30_000
"""Members in one page, Customer.io's most."""
SEARCH_PAGE = 1_000
"""People in one page of a search, Customer.io's most."""
ATTRIBUTES_PAGE = 100
"""People in one request for attributes, Customer.io's most."""

_MEANINGS = {
    401: (
        "did not accept the key in CUSTOMERIO_APP_KEY: it takes an App API key of this workspace and region, "
        "not a Track API key"
    ),
    403: "does not let this App API key read: its scope or the workspace's IP allow-list forbids it",
    404: "does not know {subject}: is it of this workspace?",
}
_REDIRECTED = (
    "redirects to another region: set CUSTOMERIO_BASE_URL to https://api-eu.customer.io for a workspace in "
    "the EU, to https://api.customer.io for one in the US"
)


class Member(msgspec.Struct, frozen=True, gc=False):
    """One profile of a segment; `email` is absent where the workspace identifies people by id only."""

    cio_id: str
    id: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        return "Member(…)"


@dataclass(frozen=True, slots=True)
class Page:
    """Up to 30,000 members; the same profile may stand in two pages when the segment moves."""

    members: Sequence[Member] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment's definition and whether Customer.io has finished evaluating it."""

    id: int
    name: str
    state: str
    type: str
    progress: int | None = None

    @property
    def is_finished(self) -> bool:
        """Whether its membership can be read; a segment that is still building looks like mass removal."""
        return self.state == "finished"


@dataclass(frozen=True, slots=True)
class Profile:
    """The asked attributes of one person, in the order of the names; None where one is not set."""

    cio_id: str
    id: str | None = field(repr=False)
    values: tuple[str | None, ...] = field(repr=False)


class Campaign(msgspec.Struct, frozen=True):
    """A journey: its tags, and the segments that start it or limit it."""

    id: int
    name: str
    active: bool = True
    state: str = ""
    tags: list[str] | None = None
    trigger_segment_ids: list[int] | None = None
    filter_segment_ids: list[int] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it sends."""
        return self.active and self.state not in ("draft", "stopped", "archived")


class _Membership(msgspec.Struct):
    identifiers: list[Member]
    next: str | None = None


class _Segments(msgspec.Struct):
    segments: list[Segment]
    next: str | None = None


class _Campaigns(msgspec.Struct):
    campaigns: list[Campaign]


class _Segment(msgspec.Struct):
    segment: Segment


class _Count(msgspec.Struct):
    count: int


class _Customer(msgspec.Struct):
    identifiers: Member
    attributes: dict[str, Any]


class _Wrapped(msgspec.Struct):
    customer: _Customer


class _Customers(msgspec.Struct):
    customers: list[_Wrapped]


_membership = msgspec.json.Decoder(_Membership).decode
_segments = msgspec.json.Decoder(_Segments).decode
_campaigns = msgspec.json.Decoder(_Campaigns).decode
_segment = msgspec.json.Decoder(_Segment).decode
_count = msgspec.json.Decoder(_Count).decode
_customers = msgspec.json.Decoder(_Customers).decode


class CustomerIO:
    """One workspace of Customer.io; of all that is in it, only manual segments are made."""

    def __init__(
        self,
        base_url: str,
        app_key: SecretStr,
        limiter: Limiter,
        *,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._service = Service(
            "Customer.io",
            base_url,
            limiter,
            auth=_Bearer(app_key),
            meanings=_MEANINGS,
            redirected=_REDIRECTED,
            patience=patience,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"CustomerIO({self._service!r})"

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def segments(self) -> tuple[Segment, ...]:
        """Every segment of the workspace."""
        found: list[Segment] = []
        cursors = _Cursors("the list of segments")
        while True:
            query = {"start": cursors.at} if cursors.at else {}
            page = self._service.call(Call("GET", "/v1/segments", query=query), _segments)
            found += page.segments
            if not cursors.move(page.next if page.segments else None):
                return tuple(found)

    def campaigns(self) -> tuple[Campaign, ...]:
        """Every journey of the workspace, drafts included."""
        return tuple(self._service.call(Call("GET", "/v1/campaigns"), _campaigns).campaigns)

    def segment(self, segment_id: int) -> Segment:
        """One segment; Rejected, naming the id, where the workspace has none such."""
        return self._service.call(_about(segment_id, "/v1/segments/{segment}"), _segment).segment

    def customer_count(self, segment_id: int) -> int:
        """How many people Customer.io itself counts in the segment."""
        return self._service.call(_about(segment_id, "/v1/segments/{segment}/customer_count"), _count).count

    def membership(self, segment_id: int, page_size: int = PAGE) -> Iterator[Page]:
        """Everyone in the segment now, a page at a time; the next page is fetched while one is worked on."""
        cursors = _Cursors(f"segment {segment_id}")
        with ThreadPoolExecutor(1, thread_name_prefix="customerio") as ahead:
            more = True
            coming = ahead.submit(copy_context().run, self._members, segment_id, page_size, cursors.at)
            while more:
                page = coming.result()
                more = cursors.move(page.next if page.identifiers else None)
                if more:
                    coming = ahead.submit(
                        copy_context().run, self._members, segment_id, page_size, cursors.at
                    )
                yield Page(page.identifiers)

    def people_with(self, attribute: str, value: str) -> Iterator[str]:
        """The `cio_id` of everyone whose attribute has that value."""
        wanted = {"filter": {"attribute": {"field": attribute, "operator": "eq", "value": value}}}
        cursors = _Cursors(f"the people with {attribute}")
        more = True
        while more:
            start: dict[str, str | int] = {"start": cursors.at} if cursors.at else {}
            call = Call(
                "POST",
                "/v1/customers",
                query={"limit": SEARCH_PAGE, **start},
                content=msgspec.json.encode(wanted),
            )
            page = self._service.call(call, _membership)
            yield from (member.cio_id for member in page.identifiers)
            more = cursors.move(page.next if page.identifiers else None)

    def create_segment(self, name: str) -> Segment:
        """A manual segment, empty. Not repeated where it may have been made: there would be two."""
        content = msgspec.json.encode({"segment": {"name": name}})
        call = Call("POST", "/v1/segments", content=content, subject=f"segment {name!r}", repeatable=False)
        return self._service.call(call, _segment).segment

    def first_members(self, segment_id: int, size: int) -> Page:
        """Up to `size` people of the segment, in one request."""
        return Page(self._members(segment_id, size, "").identifiers)

    def attributes(
        self, ids: Sequence[str], names: Sequence[str], id_type: IdType = "cio_id"
    ) -> Iterator[Profile]:
        """The named attributes of each person that Customer.io still knows, 100 people a request."""
        for at in range(0, len(ids), ATTRIBUTES_PAGE):
            call = Call(
                "POST",
                "/v1/customers/attributes",
                query={"id_type": id_type},
                content=msgspec.json.encode({"ids": ids[at : at + ATTRIBUTES_PAGE]}),
            )
            for wrapped in self._service.call(call, _customers).customers:
                yield _profile(wrapped.customer, names)

    def _members(self, segment_id: int, limit: int, start: str) -> _Membership:
        query: dict[str, str | int] = {"limit": limit, "start": start} if start else {"limit": limit}
        return self._service.call(_about(segment_id, "/v1/segments/{segment}/membership", query), _membership)


class _Bearer(httpx.Auth):
    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request


class _Cursors:
    """Where a paged answer goes on; refuses a cursor that was followed before."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._seen: set[str] = set()
        self.at = ""

    def move(self, cursor: str | None) -> bool:
        """Go to the next page, if there is one."""
        if not cursor:
            return False
        if cursor in self._seen:
            raise Retryable(f"Customer.io pages in a circle through {self._subject}")
        self._seen.add(cursor)
        self.at = cursor
        return True


def _about(segment_id: int, template: str, query: dict[str, str | int] | None = None) -> Call:
    return Call(
        "GET",
        template,
        path={"segment": str(segment_id)},
        query=query or {},
        subject=f"segment {segment_id}",
    )


def _profile(customer: _Customer, names: Sequence[str]) -> Profile:
    found = (customer.attributes.get(name) for name in names)
    values = tuple(None if value is None else str(value) for value in found)
    return Profile(customer.identifiers.cio_id, customer.identifiers.id, values)
