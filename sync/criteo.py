"""Criteo's Marketing Solutions API: contact lists, audiences, ad sets and reports. I/O.

A write that fails may have acted unless its error says `may_have_acted=False`. Adds and removes are set
operations and are repeated; a create is repeated only while Criteo certainly has not acted, and after a
doubtful failure the entity is looked up by its name, which is unique per advertiser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

import httpx
import msgspec
from pydantic import SecretStr

from experiments.digests import SIZE, DigestSet
from experiments.errors import Rejected, Retryable
from experiments.identifiers import IdentifierType
from sync import criteo_answers as answers
from sync import criteo_reports as reports
from sync.algebra import Algebra, names, written
from sync.criteo_answers import NameTaken
from sync.criteo_calls import CriteoCalls, body, created_or_found
from sync.criteo_token import CriteoToken
from sync.criteo_values import (
    AdSet,
    Advertiser,
    Amendment,
    Application,
    Audience,
    AudienceSegment,
    ContactList,
    ListStatistics,
    Operation,
    SpendRow,
    Transaction,
)
from sync.limits import Limiter
from sync.transport import Call, Patience

Row = TypeVar("Row")

MAX_IDENTIFIERS = 50_000
"""Identifiers that Criteo takes in one request."""
_EMAILS = b'"identifierType":"email","identifiers":['


class Criteo:
    """One application's access to Criteo; threads may share it."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: SecretStr,
        limiter: Limiter,
        reports_limiter: Limiter,
        *,
        version: str = "2026-07",
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        token = CriteoToken(base_url, client_id, client_secret)
        self._calls = CriteoCalls(
            base_url,
            version,
            token,
            limiter,
            reports_limiter=reports_limiter,
            patience=patience,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"Criteo({self._calls!r})"

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def advertisers(self) -> tuple[Advertiser, ...]:
        """The advertisers that have given consent; none means no consent."""
        call = Call("GET", f"{self._calls.root}/advertisers/me")
        found = self._calls.ask(call, answers.advertisers, "list advertisers")
        return tuple(Advertiser(str(one.id), one.attributes.advertiser_name or "") for one in found)

    def application(self) -> Application:
        """Whose credentials these are: the cheapest proof that they work."""
        call = Call("GET", f"{self._calls.marketing}/me")
        found = self._calls.ask(call, answers.application, "name the application").attributes
        return Application(str(found.application_id or ""), found.name or "")

    def segments(self, advertiser: str) -> Iterator[AudienceSegment]:
        """Every segment of the advertiser, of whatever type."""
        return self._segments({"advertiserIds": [advertiser]})

    def segment(self, segment_id: str) -> AudienceSegment | None:
        """The segment of this id; None where it was deleted."""
        found = self._segments({"audienceSegmentIds": [segment_id]})
        return next((each for each in found if each.id == segment_id), None)

    def rename_segment(self, segment_id: str, name: str) -> None:
        """Give a segment another name; NameTaken where another one has it. A failure may have acted."""
        entity = {"id": segment_id, "type": "AudienceSegment", "attributes": {"name": name}}
        call = Call("PATCH", f"{self._calls.marketing}/audience-segments", content=body([entity]))
        self._calls.ask(call, answers.segments, f"rename segment {segment_id}")

    def contact_list(self, list_id: str) -> ContactList:
        """The contact list of this id; Rejected where there is none."""
        found = self.segment(list_id)
        if found is not None:
            return _writable(found)
        raise Rejected(f"Criteo has no contact list {list_id}", may_have_acted=False)

    def find_or_create_list(self, advertiser: str, name: str, description: str) -> ContactList:
        """The contact list of this name. A failure may have created it; the next call then finds it."""
        attributes = {"advertiserId": advertiser, "name": name, "description": description, "contactList": {}}
        entity = {"type": "AudienceSegment", "attributes": attributes}

        def find() -> AudienceSegment | None:
            return next((each for each in self.segments(advertiser) if each.name == name), None)

        def create() -> AudienceSegment:
            made = self._calls.create("audience-segments", entity, answers.segments, f"list {name}")
            return answers.segment(made)

        return _writable(find() or created_or_found(create, find, (NameTaken, Retryable)))

    def amend(self, list_id: str, operation: Operation, digests: DigestSet) -> Amendment:
        """Add or remove up to 50,000 people, known by the SHA-256 of their e-mails. A failure may have acted."""
        return self._amend(list_id, operation, _EMAILS + _quoted(digests), len(digests))

    def amend_encoded(
        self,
        list_id: str,
        operation: Operation,
        identifiers: Sequence[str],
        kind: IdentifierType = "email",
        caller_id: int | None = None,
    ) -> Amendment:
        """The same for identifiers of one kind as they are written; a GUM identifier goes with its caller id.

        E-mails may be plain, SHA-256, MD5, or SHA-256 of MD5.
        """
        if (kind == "gum") != (caller_id is not None):
            raise ValueError("a caller id goes with GUM identifiers, and with no others")
        caller = b"" if caller_id is None else b'"gumCallerId":%d,' % caller_id
        head = b'%b"identifierType":"%b","identifiers":[' % (caller, kind.encode())
        return self._amend(
            list_id, operation, head + msgspec.json.encode(identifiers)[1:-1], len(identifiers)
        )

    def statistics(self, list_id: str) -> ListStatistics:
        """What Criteo has counted in the list so far."""
        call = self._list_call("GET", "/statistics", list_id)
        found = self._calls.ask(call, answers.list_statistics, f"count contact list {list_id}")
        return answers.statistics(found.attributes)

    def delete_segments(self, segment_ids: Sequence[str]) -> None:
        """Delete segments; one that is gone already counts as deleted. A failure may have acted."""
        self._calls.delete("audience-segments", "AudienceSegment", segment_ids)

    def audiences(self, advertiser: str) -> Iterator[Audience]:
        """Every audience of the advertiser."""
        found = self._calls.search("audiences", {"advertiserIds": [advertiser]}, answers.audiences)
        return map(answers.audience, found)

    def audiences_naming(self, advertiser: str, segment_id: str) -> tuple[Audience, ...]:
        """The audiences that are made of a segment; one whose algebra cannot be read is among them."""
        filters = {"advertiserIds": [advertiser], "audienceSegmentIds": [segment_id]}
        found = map(answers.audience, self._calls.search("audiences", filters, answers.audiences))
        return tuple(each for each in found if each.algebra is None or names(each.algebra, segment_id))

    def create_audience(
        self, advertiser: str, name: str, algebra: Algebra, description: str = ""
    ) -> Audience:
        """A new audience; Rejected where the name is taken. A failure may have created it."""
        attributes = {
            "advertiserId": advertiser,
            "name": name,
            "description": description,
            "algebra": written(algebra),
        }
        entity = {"type": "Audience", "attributes": attributes}

        def find() -> Audience | None:
            return next((each for each in self.audiences(advertiser) if each.name == name), None)

        def create() -> Audience:
            made = self._calls.create("audiences", entity, answers.audiences, f"audience {name}")
            return answers.audience(made)

        return created_or_found(create, find, (Retryable,))

    def update_audience(self, audience_id: str, algebra: Algebra) -> Audience:
        """Replace the audience's algebra. A failure may have acted."""
        entity = {"id": audience_id, "type": "Audience", "attributes": {"algebra": written(algebra)}}
        call = Call("PATCH", f"{self._calls.marketing}/audiences", content=body([entity]))
        what = f"update audience {audience_id}"
        found = self._calls.ask(call, answers.audiences, what)
        if not found:
            raise Rejected(f"Criteo did not {what}: it gave nothing back")
        return answers.audience(found[0])

    def ad_sets(self, advertiser: str) -> tuple[AdSet, ...]:
        """Every ad set of the advertiser; which audience each has stands in `audiences`."""
        wanted = {
            "filters": {"advertiserIds": [advertiser]},
            "meta": {"fields": ["Name", "CampaignId", "Schedule"]},
        }
        call = Call("POST", f"{self._calls.marketing}/ad-sets/search", content=msgspec.json.encode(wanted))
        found = self._calls.ask(call, answers.ad_sets, "list ad sets")
        return tuple(map(answers.ad_set, found))

    def link_audience(self, ad_set: str, audience_id: str | None) -> None:
        """Make the audience the ad set's only one, or take its audience away. A failure may have acted."""
        entity = {"id": ad_set, "type": "AdSetAudience", "attributes": {"audienceId": audience_id}}
        call = Call(
            "PUT",
            f"{self._calls.marketing}/ad-sets/{{ad_set}}/audience",
            path={"ad_set": ad_set},
            content=body(entity),
            subject=f"ad set {ad_set}",
        )
        self._calls.ask(call, answers.anything, f"link an audience to ad set {ad_set}")

    def spend_report(
        self, advertiser: str, currency: str, since: date, until: date, attribution: str = "AllPc30d"
    ) -> list[SpendRow]:
        """Cost and attributed sales per ad set and UTC day, `until` excluded."""
        metrics = [
            "AdvertiserCost",
            f"RevenueGenerated{attribution}",
            f"Sales{attribution}",
            "Displays",
            "Clicks",
        ]

        def ask(since: date, until: date) -> list[SpendRow]:
            period = _period(advertiser, currency, since, until)
            query = {**period, "dimensions": ["AdsetId", "Day"], "metrics": metrics}
            return reports.spend_rows(self._calls.report("statistics", query), attribution)

        return _whole(ask, since, until)

    def transactions(self, advertiser: str, currency: str, since: date, until: date) -> list[Transaction]:
        """The orders that Criteo knows of, by UTC day, `until` excluded."""

        def ask(since: date, until: date) -> list[Transaction]:
            attributes = _period(advertiser, currency, since, until)
            found = self._calls.report(
                "transactions", {"data": [{"type": "report", "attributes": attributes}]}
            )
            return reports.transactions(found)

        return _whole(ask, since, until)

    def _segments(self, filters: Mapping[str, Sequence[str]]) -> Iterator[AudienceSegment]:
        return map(answers.segment, self._calls.search("audience-segments", filters, answers.segments))

    def _amend(self, list_id: str, operation: Operation, quoted: bytes, count: int) -> Amendment:
        if not 0 < count <= MAX_IDENTIFIERS:
            raise ValueError(f"one request holds 1 to {MAX_IDENTIFIERS} identifiers, not {count}")
        head = b'{"data":{"type":"ContactlistAmendment","attributes":{"operation":"%b",' % operation.encode()
        call = self._list_call("PATCH", "", list_id, head + quoted + b"]}}}")
        what = f"{operation} {count} identifiers in contact list {list_id}"
        answer = answers.amendment(self._calls.ask(call, answers.amendments, what).attributes)
        if answer.valid is not None and answer.valid + answer.invalid != count:
            raise Retryable(
                f"Criteo did not {what}: it counted {answer.valid} valid, {answer.invalid} invalid"
            )
        return answer

    def _list_call(self, method: str, rest: str, list_id: str, content: bytes | None = None) -> Call:
        return Call(
            method,
            f"{self._calls.marketing}/audience-segments/{{list}}/contact-list{rest}",
            path={"list": list_id},
            content=content,
            subject=f"contact list {list_id}",
        )


def _quoted(digests: DigestSet) -> bytes:
    """The digests as JSON strings of hex, a comma between two."""
    return b'"%b"' % digests.pack().hex(",", -SIZE).replace(",", '","').encode()


def _writable(segment: AudienceSegment) -> ContactList:
    if segment.type != "ContactList" or segment.is_read_only:
        kind = "a read-only list" if segment.is_read_only else f"a segment of type {segment.type}"
        raise Rejected(
            f"Criteo's segment {segment.name} ({segment.id}) is {kind}, not a contact list of ours",
            may_have_acted=False,
        )
    return ContactList(segment.id, segment.name)


def _period(advertiser: str, currency: str, since: date, until: date) -> dict[str, str]:
    """The part that all reports share; Criteo includes the end date."""
    return {
        "advertiserIds": advertiser,
        "currency": currency,
        "startDate": f"{since}T00:00:00Z",
        "endDate": f"{until - timedelta(days=1)}T00:00:00Z",
        "format": "json",
        "timezone": "UTC",
    }


def _whole(ask: Callable[[date, date], list[Row]], since: date, until: date) -> list[Row]:
    """The rows of a period, asked for in halves where an answer may have been cut off."""
    if since >= until:
        return []
    found = ask(since, until)
    if len(found) < reports.ROWS:
        return found
    middle = since + (until - since) // 2
    if middle == since:
        raise Rejected(f"Criteo's report of {since} is longer than it gives out: {reports.ROWS} rows")
    return _whole(ask, since, middle) + _whole(ask, middle, until)
