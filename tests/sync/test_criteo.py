"""Criteo: each write is either known to be done, known not to be done, or said to be in doubt."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr
from vendor import everything_said

from experiments.digests import EMPTY, DigestSet
from experiments.errors import HoldoutsError, Rejected, Retryable
from sync import criteo_reports
from sync.algebra import And, In, Not, Or
from sync.criteo import Criteo
from sync.criteo_token import CriteoToken
from sync.criteo_values import match_rate
from sync.limits import Unlimited

SECRET = "s3+cr/3t&=%"
TOKEN = "t0k3n"
ADVERTISER = "12345"
DIGESTS = DigestSet.of(hashlib.sha256(f"p{n}@example.com".encode()).digest() for n in range(4))


def envelope(data: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"data": data, "errors": [], "warnings": [], **more})


def problem(code: str, kind: str = "validation") -> dict[str, str]:
    return {"code": code, "type": kind, "instance": "/x", "detail": "ada@example.com is not an e-mail"}


class Vendor:
    """Gives tokens, and answers everything else in turn, the last answer again and again."""

    def __init__(
        self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
    ) -> None:
        self._answers = list(answers)
        self.tokens = 0
        self.token_delay = 0.0
        self.token_answer: httpx.Response | Exception | None = None
        self.token_forms: list[dict[str, list[str]]] = []
        self.requests: list[httpx.Request] = []
        self.authorizations: list[str] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return self._token(request)
        self.requests.append(request)
        self.authorizations.append(request.headers["authorization"])
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _token(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.token_delay)
        self.token_forms.append(parse_qs(request.content.decode(), strict_parsing=True))
        if isinstance(self.token_answer, Exception):
            raise self.token_answer
        if self.token_answer is not None:
            return self.token_answer
        self.tokens += 1
        body = {"access_token": f"{TOKEN}{self.tokens}", "token_type": "Bearer", "refresh_token": None}
        return httpx.Response(200, json={**body, "expires_in": 900})

    def bodies(self) -> list[object]:
        return [json.loads(request.content) for request in self.requests]


def client(vendor: Vendor, version: str = "2026-07") -> Criteo:
    return Criteo(
        "https://api.criteo.test",
        "client",
        SecretStr(SECRET),
        Unlimited(),
        Unlimited(),
        version=version,
        transport=httpx.MockTransport(vendor.handle),
    )


def failure(vendor: Vendor, act: Callable[[Criteo], object]) -> HoldoutsError:
    with pytest.raises(HoldoutsError) as caught:
        act(client(vendor))
    return caught.value


def segment(
    identifier: str, name: str, kind: str = "ContactList", *, read_only: bool = False
) -> dict[str, object]:
    attributes = {"name": name, "type": kind, "contactList": {"isReadOnly": read_only}}
    return {"id": identifier, "type": "AudienceSegment", "attributes": attributes}


def accepted(valid: int | None = 4, invalid: int | None = 0, samples: object = ()) -> httpx.Response:
    attributes = {
        "contactListId": 777,
        "operation": "add",
        "requestDate": "2026-11-24T10:00:50.0000000+00:00",
        "identifierType": "email",
        "nbValidIdentifiers": valid,
        "nbInvalidIdentifiers": invalid,
        "sampleInvalidIdentifiers": samples,
    }
    return envelope({"type": "ContactlistAmendment", "attributes": attributes})


def test_the_secret_travels_form_encoded_in_the_body() -> None:
    vendor = Vendor(envelope([]))
    client(vendor).advertisers()
    expected = {"grant_type": ["client_credentials"], "client_id": ["client"], "client_secret": [SECRET]}
    assert vendor.token_forms == [expected]
    assert vendor.requests[0].headers["authorization"] == f"Bearer {TOKEN}1"


def test_one_token_serves_many_calls_and_is_renewed_after_840_seconds() -> None:
    now = [0.0]
    vendor = Vendor(envelope([]))
    auth = CriteoToken("https://api.criteo.test", "client", SecretStr(SECRET), clock=lambda: now[0])
    with httpx.Client(transport=httpx.MockTransport(vendor.handle), auth=auth) as http:
        for now[0], tokens in ((0, 1), (839, 1), (840, 2), (841, 2)):
            http.get("https://api.criteo.test/x")
            assert vendor.tokens == tokens


def test_a_token_that_is_refused_is_renewed_once() -> None:
    vendor = Vendor(httpx.Response(401), envelope([]))
    assert client(vendor).advertisers() == ()
    assert vendor.authorizations == [f"Bearer {TOKEN}1", f"Bearer {TOKEN}2"]


def test_a_second_refusal_is_ours_to_fix() -> None:
    vendor = Vendor(httpx.Response(401, json={"errors": [problem("authorization-token-invalid")]}))
    error = failure(vendor, lambda c: c.advertisers())
    assert isinstance(error, Rejected)
    assert "authorization-token-invalid" in str(error)
    assert len(vendor.requests) == 2


@pytest.mark.parametrize("status", [400, 401])
def test_refused_credentials_name_both_variables_and_leave_nothing_in_doubt(status: int) -> None:
    vendor = Vendor(accepted())
    vendor.token_answer = httpx.Response(
        status, json={"error": "invalid_client", "error_description": SECRET}
    )
    error = failure(vendor, lambda c: c.amend("777", "add", DIGESTS))
    assert isinstance(error, Rejected)
    assert not error.may_have_acted
    assert "CRITEO_CLIENT_ID and CRITEO_CLIENT_SECRET" in str(error)
    assert vendor.requests == []


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(503), httpx.Response(429), httpx.Response(200, text="<html>"), httpx.ReadTimeout("slow")],
)
def test_a_token_service_that_fails_leaves_the_request_unsent(answer: httpx.Response | Exception) -> None:
    vendor = Vendor(accepted())
    vendor.token_answer = answer
    error = failure(vendor, lambda c: c.amend("777", "add", DIGESTS))
    assert isinstance(error, Retryable)
    assert not error.may_have_acted
    assert vendor.requests == []


def test_threads_that_find_no_token_fetch_one_between_them() -> None:
    gate = threading.Barrier(4)
    vendor = Vendor(envelope([]))
    vendor.token_delay = 0.05
    criteo = client(vendor)

    def ask() -> None:
        gate.wait(5)
        criteo.advertisers()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ask) for _ in range(4)]:
            done.result()
    assert vendor.tokens == 1


def test_a_list_is_found_by_name_over_pages() -> None:
    first = envelope([segment(str(n), f"other {n}") for n in range(100)])
    vendor = Vendor(first, envelope([segment("777", "cart")]))
    found = client(vendor).find_or_create_list(ADVERTISER, "cart", "d")
    assert (found.id, found.name) == ("777", "cart")
    assert [dict(request.url.params) for request in vendor.requests] == [
        {"limit": "100", "offset": "0"},
        {"limit": "100", "offset": "100"},
    ]


def test_a_search_whose_pages_repeat_ends() -> None:
    same = envelope([segment(str(n), f"other {n}") for n in range(100)])
    assert len(list(client(Vendor(same)).segments(ADVERTISER))) == 100


def test_a_list_that_is_missing_is_created() -> None:
    vendor = Vendor(envelope([]), envelope([segment("778", "cart")]))
    assert client(vendor).find_or_create_list(ADVERTISER, "cart", "d").id == "778"
    assert vendor.requests[1].url.path == "/2026-07/marketing-solutions/audience-segments/create"
    attributes = {"advertiserId": ADVERTISER, "name": "cart", "description": "d", "contactList": {}}
    assert vendor.bodies()[1] == {"data": [{"type": "AudienceSegment", "attributes": attributes}]}


TAKEN = problem("name-must-be-unique")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"data": [], "errors": [TAKEN]}),
        httpx.Response(200, json={"errors": [TAKEN]}),
        httpx.Response(200, json={"data": [], "errors": [], "warnings": [TAKEN]}),
        httpx.Response(400, json={"errors": [TAKEN]}),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("dropped"),
        httpx.Response(502),
        httpx.Response(200, text="<html>"),
    ],
)
def test_a_create_that_collides_or_is_in_doubt_is_settled_by_reading_the_name_again(
    answer: httpx.Response | Exception,
) -> None:
    vendor = Vendor(envelope([]), answer, envelope([segment("779", "cart")]))
    assert client(vendor).find_or_create_list(ADVERTISER, "cart", "d").id == "779"
    creates = [request for request in vendor.requests if request.url.path.endswith("/create")]
    assert len(creates) == 1, "a create in doubt must not be repeated"


def test_a_create_in_doubt_that_left_nothing_is_an_error_in_doubt() -> None:
    error = failure(
        Vendor(envelope([]), httpx.ReadTimeout("slow"), envelope([])),
        lambda c: c.find_or_create_list(ADVERTISER, "cart", "d"),
    )
    assert isinstance(error, Retryable)
    assert error.may_have_acted


def test_a_create_refused_for_another_reason_says_its_code() -> None:
    refused = httpx.Response(400, json={"errors": [problem("name-must-not-be-empty")]})
    error = failure(Vendor(envelope([]), refused), lambda c: c.find_or_create_list(ADVERTISER, "", "d"))
    assert isinstance(error, Rejected)
    assert not error.may_have_acted
    assert "name-must-not-be-empty" in str(error)


@pytest.mark.parametrize("taken", [segment("1", "cart", "Retargeting"), segment("1", "cart", read_only=True)])
def test_a_name_that_is_not_a_list_of_ours_is_rejected(taken: dict[str, object]) -> None:
    error = failure(Vendor(envelope([taken])), lambda c: c.find_or_create_list(ADVERTISER, "cart", "d"))
    assert isinstance(error, Rejected)
    assert "cart (1)" in str(error)


def test_a_list_is_found_by_id_or_rejected() -> None:
    assert client(Vendor(envelope([segment("777", "cart")]))).contact_list("777").name == "cart"
    assert "contact list 778" in str(failure(Vendor(envelope([])), lambda c: c.contact_list("778")))


def test_an_add_sends_the_digests_as_hex_and_reads_the_counts() -> None:
    vendor = Vendor(accepted(3, 1, ["bad"]))
    answer = client(vendor).amend("777", "add", DIGESTS)
    attributes = {
        "operation": "add",
        "identifierType": "email",
        "identifiers": [one.hex() for one in DIGESTS],
    }
    assert vendor.bodies() == [{"data": {"type": "ContactlistAmendment", "attributes": attributes}}]
    assert vendor.requests[0].method == "PATCH"
    assert vendor.requests[0].url.path == "/2026-07/marketing-solutions/audience-segments/777/contact-list"
    assert (answer.valid, answer.invalid, answer.samples) == (3, 1, ("bad",))
    assert answer.requested_at == datetime(2026, 11, 24, 10, 0, 50, tzinfo=UTC)


def test_other_forms_of_an_email_are_sent_as_they_are() -> None:
    vendor = Vendor(accepted(2))
    client(vendor).amend_encoded("777", "remove", ['o"hara@example.com', "j\u00f6rg@example.com"])
    body = vendor.bodies()[0]
    assert isinstance(body, dict)
    assert body["data"]["attributes"]["identifiers"] == ['o"hara@example.com', "j\u00f6rg@example.com"]


def test_one_request_holds_fifty_thousand_and_no_more() -> None:
    packed = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(50_001))
    vendor = Vendor(accepted(50_000))
    assert client(vendor).amend("777", "add", DigestSet.unpack(packed[:-32])).valid == 50_000
    for digests in (DigestSet.unpack(packed), EMPTY):
        with pytest.raises(ValueError, match="1 to 50000"):
            client(vendor).amend("777", "add", digests)
    assert len(vendor.requests) == 1


def test_an_answer_without_counts_is_still_an_answer() -> None:
    answer = client(Vendor(accepted(None, None, None))).amend("777", "add", DIGESTS)
    assert (answer.valid, answer.invalid, answer.samples) == (None, 0, ())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"data": None, "errors": [problem("invalid")], "warnings": []}), Rejected),
        (httpx.Response(200, json={"errors": [problem("busy", "availability")], "warnings": []}), Retryable),
        (httpx.Response(200, json={"data": None, "errors": [], "warnings": []}), Retryable),
        (httpx.Response(200, content=b""), Retryable),
        (accepted(2, 1), Retryable),
    ],
)
def test_a_200_that_does_not_account_for_everybody_is_a_failure_in_doubt(
    answer: httpx.Response, kind: type[HoldoutsError]
) -> None:
    error = failure(Vendor(answer), lambda c: c.amend("777", "add", DIGESTS))
    assert type(error) is kind
    assert error.may_have_acted


@pytest.mark.parametrize(
    ("answer", "in_doubt"),
    [
        (httpx.Response(404, json={"errors": [problem("segment-not-found")]}), False),
        (httpx.Response(413), False),
        (httpx.Response(403), False),
        (httpx.Response(429), False),
        (httpx.ConnectError("refused"), False),
        (httpx.Response(500), True),
        (httpx.ReadTimeout("slow"), True),
        (httpx.RemoteProtocolError("dropped"), True),
    ],
)
def test_an_amendment_that_fails_says_whether_it_may_have_been_carried_out(
    answer: httpx.Response | Exception, in_doubt: bool
) -> None:
    assert failure(Vendor(answer), lambda c: c.amend("777", "add", DIGESTS)).may_have_acted is in_doubt


def test_an_unknown_list_is_named() -> None:
    error = failure(Vendor(httpx.Response(404)), lambda c: c.amend("777", "remove", DIGESTS))
    assert "does not know contact list 777" in str(error)


def test_a_list_id_that_is_no_id_never_reaches_a_path() -> None:
    vendor = Vendor(accepted())
    assert isinstance(failure(vendor, lambda c: c.amend("../1", "add", DIGESTS)), Rejected)
    assert vendor.requests == []


def test_statistics_are_a_fraction_or_unknown() -> None:
    attributes = {"numberOfIdentifiers": 200, "numberOfMatches": 100, "matchRate": 50.0}
    found = client(Vendor(envelope({"id": "777", "attributes": attributes}))).statistics("777")
    assert (found.identifiers, found.matches, found.match_rate) == (200, 100, 0.5)
    nothing = {"numberOfIdentifiers": None, "numberOfMatches": None, "matchRate": None}
    found = client(Vendor(envelope({"id": "777", "attributes": nothing}))).statistics("777")
    assert (found.identifiers, found.matches, found.match_rate) == (None, None, None)


@pytest.mark.parametrize(
    ("reported", "identifiers", "matches", "expected"),
    [
        (50.0, 200, 100, 0.5),
        (0.5, 200, 100, 0.5),
        (0.5, 200, 1, 0.005),
        (1.0, 100, 100, 1.0),
        (1.0, 100, 1, 0.01),
        (63.0, None, None, 0.63),
        (0.63, None, None, 0.63),
        (None, 200, 100, 0.5),
        (None, 0, 0, None),
        (0.0, 0, 0, 0.0),
    ],
)
def test_a_match_rate_is_read_on_whichever_scale_it_was_written(
    reported: float | None, identifiers: int | None, matches: int | None, expected: float | None
) -> None:
    assert match_rate(reported, identifiers, matches) == pytest.approx(expected)


def test_deleting_what_is_gone_is_done_and_anything_else_is_not() -> None:
    gone = httpx.Response(200, json={"data": [{"id": "1"}], "errors": [problem("segment-not-found")]})
    client(Vendor(gone)).delete_segments(["1", "2"])
    client(Vendor(httpx.Response(204))).delete_segments(["1"])
    used = httpx.Response(200, json={"data": [], "errors": [problem("segment-in-use")]})
    assert "segment-in-use" in str(failure(Vendor(used), lambda c: c.delete_segments(["1"])))


ALGEBRA = And((Or((In("1"), In("2"))), Not(In("3"))))
WRITTEN = {
    "and": [
        {"or": [{"audienceSegmentId": "1"}, {"audienceSegmentId": "2"}]},
        {"not": {"audienceSegmentId": "3"}},
    ]
}


def audience(identifier: str, name: str, algebra: object = WRITTEN) -> dict[str, object]:
    attributes = {"name": name, "algebra": algebra, "adSetIds": ["401", 402]}
    return {"id": identifier, "type": "Audience", "attributes": attributes}


def test_audiences_have_an_algebra_and_their_ad_sets() -> None:
    nulls = {"audienceSegmentId": "9", "and": None, "or": None, "not": None}
    vendor = Vendor(
        envelope([audience("1", "a"), audience("2", "b", nulls), audience("3", "c", {"xor": []})])
    )
    found = list(client(vendor).audiences(ADVERTISER))
    assert [one.algebra for one in found] == [ALGEBRA, In("9"), None]
    assert found[0].ad_set_ids == ("401", "402")


def test_an_audience_is_created_updated_and_linked() -> None:
    vendor = Vendor(envelope([audience("888", "a")]))
    assert client(vendor).create_audience(ADVERTISER, "a", ALGEBRA).algebra == ALGEBRA
    assert client(vendor).update_audience("888", ALGEBRA).id == "888"
    client(vendor).link_audience("401", "888")
    client(vendor).link_audience("401", None)
    created, updated, linked, unlinked = vendor.bodies()
    assert isinstance(created, dict)
    assert created["data"][0]["attributes"]["algebra"] == WRITTEN
    assert updated == {"data": [{"id": "888", "type": "Audience", "attributes": {"algebra": WRITTEN}}]}
    assert linked == {"data": {"id": "401", "type": "AdSetAudience", "attributes": {"audienceId": "888"}}}
    assert unlinked == {"data": {"id": "401", "type": "AdSetAudience", "attributes": {"audienceId": None}}}


def test_an_audience_in_doubt_is_looked_up_and_a_taken_name_is_rejected() -> None:
    vendor = Vendor(httpx.ReadTimeout("slow"), envelope([audience("889", "a")]))
    assert client(vendor).create_audience(ADVERTISER, "a", ALGEBRA).id == "889"
    taken = httpx.Response(200, json={"data": [], "errors": [TAKEN]})
    assert isinstance(failure(Vendor(taken), lambda c: c.create_audience(ADVERTISER, "a", ALGEBRA)), Rejected)


def test_a_missing_scope_is_told_apart_from_a_bad_credential() -> None:
    refused = httpx.Response(403, json={"errors": [problem("insufficient-permissions", "access-control")]})
    error = failure(Vendor(refused), lambda c: c.link_audience("401", "888"))
    assert "lacks a scope" in str(error)
    assert "insufficient-permissions" in str(error)


def test_ad_sets_say_whether_they_deliver() -> None:
    attributes = {"name": "cart", "campaignId": "9", "schedule": {"deliveryStatus": "live"}, "budget": None}
    found = client(Vendor(envelope([{"id": "401", "attributes": attributes}]))).ad_sets(ADVERTISER)
    assert [(one.id, one.name, one.campaign_id, one.delivery_status) for one in found] == [
        ("401", "cart", "9", "live")
    ]


def test_application_and_advertisers_prove_the_credentials() -> None:
    application = client(
        Vendor(envelope({"attributes": {"applicationId": 1, "name": "holdouts"}}))
    ).application()
    assert (application.id, application.name) == ("1", "holdouts")
    body = envelope([{"type": "advertiser", "id": "13", "attributes": {"advertiserName": "Shop"}}])
    assert [(one.id, one.name) for one in client(Vendor(body)).advertisers()] == [("13", "Shop")]


ROW = {
    "AdsetId": "401",
    "Day": "2026-11-01",
    "AdvertiserCost": 12.5,
    "RevenueGeneratedAllPc30d": 90,
    "SalesAllPc30d": 3,
    "Displays": 1000,
    "Clicks": 17,
    "Currency": "EUR",
}
STRINGS = {key.upper(): str(value) for key, value in ROW.items()} | {"DAY": "2026/11/1"}


@pytest.mark.parametrize(
    "body",
    [
        [ROW],
        {"Total": 1, "Rows": [ROW]},
        {"rows": [STRINGS]},
        {"data": [{"type": "report", "attributes": STRINGS}]},
        {"data": {"attributes": {"rows": [ROW]}}},
        {"data": [{"attributes": {"rows": [ROW]}}]},
        [{**ROW, "Day": "2026-11-01T00:00:00"}],
    ],
)
def test_a_report_is_read_in_every_shape_that_it_is_known_to_have(body: object) -> None:
    content = b"\xef\xbb\xbf" + json.dumps(body).encode()
    vendor = Vendor(httpx.Response(200, content=content))
    (row,) = client(vendor).spend_report(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8))
    assert (row.ad_set, row.day, row.cost, row.currency) == ("401", date(2026, 11, 1), 12.5, "EUR")
    assert (row.attributed_revenue, row.attributed_orders, row.displays, row.clicks) == (90.0, 3, 1000, 17)


def test_the_end_of_a_period_is_excluded_for_us_and_included_for_criteo() -> None:
    vendor = Vendor(httpx.Response(200, json=[]))
    client(vendor).spend_report(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8))
    client(vendor).spend_report(ADVERTISER, "EUR", date(2026, 11, 8), date(2026, 11, 8))
    (body,) = vendor.bodies()
    assert isinstance(body, dict)
    assert (body["startDate"], body["endDate"]) == ("2026-11-01T00:00:00Z", "2026-11-07T00:00:00Z")


@pytest.mark.parametrize(
    "body",
    [{"Rows": "x"}, "x", 3, [3], [{"AdsetId": "1"}], [{**ROW, "Clicks": "many"}], [{**ROW, "Day": "x"}]],
)
def test_a_report_of_an_unknown_shape_is_an_error_not_no_spend(body: object) -> None:
    error = failure(
        Vendor(httpx.Response(200, json=body)),
        lambda c: c.spend_report(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8)),
    )
    assert isinstance(error, Retryable)


def test_a_report_that_may_have_been_cut_off_is_asked_for_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert criteo_reports.ROWS == 100_000, "Criteo cuts off there"
    monkeypatch.setattr(criteo_reports, "ROWS", 6)

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        first, last = (date.fromisoformat(asked[key][:10]) for key in ("startDate", "endDate"))
        days = [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]
        return httpx.Response(
            200, json=[{**ROW, "Day": str(day), "AdsetId": i} for day in days for i in "123"][:6]
        )

    found = client(Vendor(answer)).spend_report(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8))
    assert len({(row.ad_set, row.day) for row in found}) == len(found) == 21
    monkeypatch.setattr(criteo_reports, "ROWS", 3)
    error = failure(
        Vendor(answer), lambda c: c.spend_report(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8))
    )
    assert isinstance(error, Rejected)


def test_transactions_are_read_from_strings() -> None:
    attributes = {
        "transactionId": "o-1",
        "transactionDate": "11/04/2026 08:19:07",
        "adsetName": "cart",
        "eventType": "click",
        "attributedTransaction": "True",
        "currency": "EUR",
        "amount": "15193.4412",
        "crossDeviceTransaction": "No",
    }
    vendor = Vendor(
        httpx.Response(200, json={"data": [{"type": "TransactionsReport", "attributes": attributes}]})
    )
    (found,) = client(vendor).transactions(ADVERTISER, "EUR", date(2026, 11, 1), date(2026, 11, 8))
    assert (found.id, found.amount, found.is_attributed, found.is_cross_device) == (
        "o-1",
        15193.4412,
        True,
        False,
    )
    assert found.at == datetime(2026, 11, 4, 8, 19, 7, tzinfo=UTC)


def test_a_version_that_ends_is_said_once_and_one_that_has_ended_is_rejected(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = {"Deprecation": "true", "Sunset": "Wed, 27 Jan 2027 00:00:00 GMT"}
    old = httpx.Response(
        200, headers=headers, json={"data": [], "warnings": [problem("deprecated-field", "deprecation")]}
    )
    vendor = Vendor(old)
    criteo = client(vendor, "2026-01")
    criteo.advertisers()
    criteo.advertisers()
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "Criteo API version 2026-01 is deprecated and ends on 2027-01-27: raise CRITEO_API_VERSION",
        "Criteo warns: deprecated-field",
    ]
    assert vendor.requests[0].url.path == "/2026-01/advertisers/me"
    assert "CRITEO_API_VERSION" in str(failure(Vendor(httpx.Response(410)), lambda c: c.advertisers()))


def test_no_identifier_no_token_and_no_secret_is_ever_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    one = next(iter(DIGESTS)).hex()
    leaks = {"errors": [problem("ada@example.com"), problem(one), problem("bad")], "warnings": [problem(one)]}
    answers: list[httpx.Response | Exception] = [
        httpx.Response(200, json={"data": None, **leaks}),
        *(httpx.Response(status, json=leaks) for status in (400, 401, 403, 404, 500)),
        httpx.Response(200, text=f"<p>{one}"),
        accepted(1, 1, [one]),
        httpx.ReadTimeout("slow"),
    ]
    said = repr(client(Vendor(accepted(3, 1, [one])))) + repr(
        client(Vendor(accepted(3, 1, [one]))).amend("777", "add", DIGESTS)
    )
    for answer in answers:
        said += everything_said(failure(Vendor(answer), lambda c: c.amend("777", "add", DIGESTS)), caplog)
    broken = Vendor(accepted())
    broken.token_answer = httpx.Response(200, text=f'{{"access_token": "{TOKEN}"')
    said += everything_said(failure(broken, lambda c: c.advertisers()), caplog)
    assert not [secret for secret in ("ada@", one, one[:16], TOKEN, SECRET) if secret in said]
