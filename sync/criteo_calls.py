"""How Criteo is called: the envelope and its errors, paged searches, creates that may collide. I/O."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import msgspec

from experiments.errors import Retryable
from sync import criteo_answers as answers
from sync.criteo_answers import Envelope, Problem, Resource
from sync.limits import Limiter
from sync.transport import Call, Patience, Service

T = TypeVar("T")

SEARCH_PAGE = 100
"""Entities in one page of a search, Criteo's most."""

_MEANINGS = {
    401: "did not accept the token that it had just given",
    403: "does not allow this: the application lacks a scope, or the advertiser has not given consent",
    404: "does not know {subject}",
    410: "has decommissioned this version of its API: raise CRITEO_API_VERSION",
    413: "found too many identifiers in one request",
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

log = logging.getLogger(__name__)

_report = msgspec.json.Decoder().decode


class CriteoCalls:
    """One version of the API; `marketing` is the root of most of its addresses."""

    def __init__(
        self,
        base_url: str,
        version: str,
        auth: httpx.Auth,
        limiter: Limiter,
        *,
        reports_limiter: Limiter,
        patience: Patience | None,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.root = f"/{version}"
        self.marketing = f"/{version}/marketing-solutions"
        self._reports_limiter = reports_limiter
        self._said: set[str] = set()
        self._service = Service(
            "Criteo",
            base_url,
            limiter,
            auth=auth,
            meanings=_MEANINGS,
            reasons=answers.reasons,
            observe=self._observe,
            patience=patience,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"CriteoCalls({self._service!r}, {self.root[1:]})"

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    def ask(self, call: Call, decode: Callable[[bytes], Envelope[T]], what: str) -> T:
        """The data of an answer that lists no errors; `what` we asked for is named where it does."""
        envelope = self._service.call(call, decode)
        self._note(envelope.warnings)
        if envelope.errors:
            raise answers.refusal(what, envelope.errors, may_have_acted=True)
        if envelope.data is None:
            raise Retryable(f"Criteo did not {what}: its answer is empty ({call})")
        return envelope.data

    def search(
        self,
        kind: str,
        filters: Mapping[str, Sequence[str]],
        decode: Callable[[bytes], Envelope[list[Resource[T]]]],
    ) -> Iterator[Resource[T]]:
        """Every entity that passes the filters, a page at a time."""
        content = msgspec.json.encode({"data": {"attributes": filters}})
        seen: set[str] = set()
        page: list[Resource[T]] = []
        while not seen or len(page) == SEARCH_PAGE:
            query = {"limit": SEARCH_PAGE, "offset": len(seen)}
            call = Call("POST", f"{self.marketing}/{kind}/search", query=query, content=content)
            page = self.ask(call, decode, f"list {kind}")
            new = [one for one in page if str(one.id) not in seen]
            seen.update(str(one.id) for one in new)
            yield from new
            if not new:
                return

    def create(
        self, kind: str, entity: object, decode: Callable[[bytes], Envelope[list[Resource[T]]]], what: str
    ) -> Resource[T]:
        """The entity that Criteo made; NameTaken where it refuses the name, as error or as warning."""
        call = Call(
            "POST",
            f"{self.marketing}/{kind}/create",
            content=body([entity]),
            repeatable=False,
            accept=frozenset({400}),
        )
        envelope = self._service.call(call, decode)
        if not envelope.data:
            problems = [*(envelope.errors or ()), *(envelope.warnings or ())]
            raise answers.refusal(f"create {what}", problems, may_have_acted=not problems)
        self._note(envelope.warnings)
        return envelope.data[0]

    def delete(self, kind: str, entity_type: str, ids: Sequence[str]) -> None:
        """Delete entities; what is gone already counts as deleted."""
        call = Call(
            "POST",
            f"{self.marketing}/{kind}/delete",
            content=body([{"id": one, "type": entity_type} for one in ids]),
        )
        envelope = self._service.call(call, _nothing_or_anything)
        self._note(envelope.warnings)
        failed = [problem for problem in envelope.errors or () if problem.code not in answers.NOT_FOUND]
        if failed:
            raise answers.refusal(f"delete {kind}", failed, may_have_acted=True)

    def report(self, kind: str, query: object) -> object:
        """The body of a report, whatever its shape, within the limit that reports have of their own."""
        call = Call("POST", f"{self.root}/{kind}/report", content=msgspec.json.encode(query))
        return self._service.call(
            call,
            lambda content: _report(content.removeprefix(_BYTE_ORDER_MARK)),
            limiter=self._reports_limiter,
        )

    def _note(self, warnings: Sequence[Problem] | None) -> None:
        for code in answers.codes(warnings):
            self._say_once(f"Criteo warns: {code}")

    def _observe(self, response: httpx.Response) -> None:
        if "deprecation" in response.headers or "sunset" in response.headers:
            end = _day(response.headers.get("sunset", ""))
            self._say_once(
                f"Criteo API version {self.root[1:]} is deprecated and ends {end}: raise CRITEO_API_VERSION"
            )

    def _say_once(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            log.warning(sentence)


def body(data: object) -> bytes:
    """A request body in Criteo's envelope."""
    return msgspec.json.encode({"data": data})


def created_or_found(
    create: Callable[[], T], find: Callable[[], T | None], doubts: tuple[type[Exception], ...]
) -> T:
    """What `create` makes; on a failure that leaves doubt whether it exists, what `find` then finds."""
    try:
        return create()
    except doubts:
        found = find()
        if found is None:
            raise
        return found


def _nothing_or_anything(content: bytes) -> Envelope[Any]:
    """Deletes are answered with a list of ids, or with 204 and nothing."""
    return msgspec.json.decode(content, type=Envelope[Any]) if content else Envelope()


def _day(text: str) -> str:
    try:
        return f"on {parsedate_to_datetime(text).date()}"
    except ValueError:
        return "on a day it does not say"
