"""Customer.io: whole memberships or an error, and nobody's e-mail in it."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest
from pydantic import SecretStr
from vendor import Vendor, everything_said

from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.identity import resolve
from sync.customerio import CustomerIO, Member
from sync.limits import Unlimited

KEY = "0123456789abcdef0123456789abcdef"
FIXTURES = Path(__file__).parents[2].parent / "shared" / "reference" / "customerio-fixtures"

SEGMENT = {
    "id": 7,
    "deduplicate_id": "7:1",
    "name": "Lapsed",
    "state": "finished",
    "progress": None,
    "type": "dynamic",
    "tags": None,
    "conditions": {"undocumented": True},
}


def client(vendor: Vendor) -> CustomerIO:
    return CustomerIO("https://api.customer.test", SecretStr(KEY), Unlimited(), transport=vendor.transport)


def page(first: int, count: int, cursor: str | None) -> httpx.Response:
    people = [
        {"email": f"P{n}@example.com", "id": None if n % 2 else str(n), "cio_id": f"c{n}"}
        for n in range(first, first + count)
    ]
    body = {"segment_id": 7, "ids": [person["id"] or "" for person in people], "identifiers": people}
    return httpx.Response(200, json=body if cursor is None else {**body, "next": cursor})


def members(vendor: Vendor) -> list[Member]:
    return [member for one in client(vendor).membership(7) for member in one.members]


def failure(vendor: Vendor, act: Callable[[CustomerIO], object]) -> HoldoutsError:
    with pytest.raises(HoldoutsError) as caught:
        act(client(vendor))
    return caught.value


def test_a_segment_is_read_with_the_key_as_bearer() -> None:
    vendor = Vendor(httpx.Response(200, json={"segment": SEGMENT}))
    segment = client(vendor).segment(7)
    assert (segment.id, segment.name, segment.type, segment.is_finished) == (7, "Lapsed", "dynamic", True)
    assert vendor.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert vendor.requests[0].url.path == "/v1/segments/7"


@pytest.mark.parametrize("state", ["events", "build", "events_queued", "build_queued", "a new state"])
def test_a_segment_in_any_other_state_is_not_finished(state: str) -> None:
    body = {"segment": {**SEGMENT, "state": state, "progress": 42}}
    segment = client(Vendor(httpx.Response(200, json=body))).segment(7)
    assert not segment.is_finished
    assert segment.progress == 42


def test_all_segments_are_listed_over_pages_if_there_are_any() -> None:
    first = httpx.Response(200, json={"segments": [SEGMENT], "next": "x"})
    last = httpx.Response(200, json={"segments": [{**SEGMENT, "id": 8}]})
    assert [segment.id for segment in client(Vendor(first, last)).segments()] == [7, 8]


def test_journeys_are_listed_with_their_tags_and_only_those_that_send_are_running() -> None:
    journeys = [
        {
            "id": 5,
            "name": "Cart",
            "active": True,
            "state": "running",
            "tags": ["offer:ten"],
            "trigger_segment_ids": [7],
        },
        {
            "id": 6,
            "name": "Old",
            "active": False,
            "state": "stopped",
            "tags": None,
            "actions": [{"type": "email"}],
        },
        {"id": 8, "name": "New", "active": True, "state": "draft"},
    ]
    found = client(Vendor(httpx.Response(200, json={"campaigns": journeys}))).campaigns()
    assert [each.is_running for each in found] == [True, False, False]
    assert (found[0].tags, found[0].trigger_segment_ids, found[0].filter_segment_ids) == (
        ["offer:ten"],
        [7],
        None,
    )


def test_the_count_is_customer_ios_own() -> None:
    assert (
        client(Vendor(httpx.Response(200, json={"segment_id": 7, "count": 1234}))).customer_count(7) == 1234
    )


@pytest.mark.parametrize("end", [None, ""])
def test_every_page_is_read_until_the_cursor_ends(end: str | None) -> None:
    vendor = Vendor(page(0, 3, "a"), page(3, 3, "b"), page(6, 1, end))
    assert [member.cio_id for member in members(vendor)] == [f"c{n}" for n in range(7)]
    assert [dict(request.url.params) for request in vendor.requests] == [
        {"limit": "30000"},
        {"limit": "30000", "start": "a"},
        {"limit": "30000", "start": "b"},
    ]


def test_an_empty_page_ends_the_list_even_with_a_live_cursor() -> None:
    vendor = Vendor(page(0, 2, "a"), page(2, 0, "b"))
    assert len(members(vendor)) == 2
    assert len(vendor.requests) == 2


def test_a_cursor_that_comes_back_is_an_error_not_a_shorter_list() -> None:
    error = failure(
        Vendor(page(0, 2, "a"), page(2, 2, "b"), page(4, 2, "a")), lambda c: list(c.membership(7))
    )
    assert isinstance(error, Retryable)
    assert "circle through segment 7" in str(error)


def test_a_page_that_fails_ends_in_an_error_not_in_a_shorter_list() -> None:
    vendor = Vendor(page(0, 2, "a"), httpx.Response(502))
    assert isinstance(failure(vendor, lambda c: list(c.membership(7))), Retryable)


def test_the_next_page_is_fetched_while_this_one_is_worked_on() -> None:
    asked = threading.Event()

    def second(_: httpx.Request) -> httpx.Response:
        asked.set()
        return page(2, 2, None)

    pages = client(Vendor(page(0, 2, "a"), second)).membership(7)
    next(pages)
    assert asked.wait(5), "the second page was not asked for ahead of time"
    assert len(next(pages).members) == 2


def test_a_caller_may_stop_half_way() -> None:
    pages = client(Vendor(page(0, 2, "a"), page(2, 2, "b"))).membership(7)
    next(pages)
    pages.close()  # type: ignore[attr-defined]  # an iterator that is a generator


def test_a_workspace_of_ids_only_has_members_without_email_and_gives_attributes() -> None:
    people = [{"id": str(n), "cio_id": f"c{n}"} for n in range(150)]
    members_page = httpx.Response(200, json={"segment_id": 7, "identifiers": people})
    found = members(Vendor(members_page))
    assert {member.email for member in found} == {None}

    def answer(request: httpx.Request) -> httpx.Response:
        asked = msgspec.json.decode(request.content)["ids"]
        known = [one for one in asked if one != "c3"]  # unknown ids are left out without a word
        bodies = [
            {
                "id": one,
                "identifiers": {"id": None, "cio_id": one},
                "attributes": {"email": f"{one}@example.com"},
                "unsubscribed": False,
            }
            for one in known
        ]
        return httpx.Response(200, json={"customers": [{"customer": body} for body in bodies]})

    vendor = Vendor(answer)
    profiles = list(client(vendor).attributes([member.cio_id for member in found], ["email", "phone"]))
    assert len(profiles) == 149
    assert profiles[0].values == ("c0@example.com", None)
    assert [len(msgspec.json.decode(request.content)["ids"]) for request in vendor.requests] == [100, 50]
    assert {request.url.params["id_type"] for request in vendor.requests} == {"cio_id"}
    list(client(vendor).attributes(["9"], ["email"], id_type="id"))
    assert vendor.requests[-1].url.params["id_type"] == "id"


def test_an_unknown_segment_is_rejected_by_its_id() -> None:
    error = failure(Vendor(httpx.Response(404, json={"errors": [{"detail": "no"}]})), lambda c: c.segment(7))
    assert isinstance(error, Rejected)
    assert "segment 7" in str(error)


def test_a_refused_key_says_which_kind_of_key_is_needed() -> None:
    error = failure(Vendor(httpx.Response(401)), lambda c: c.segments())
    assert isinstance(error, Rejected)
    assert "App API key" in str(error)
    assert "Track API key" in str(error)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_wrong_region_names_the_setting(status: int) -> None:
    error = failure(
        Vendor(httpx.Response(status, headers={"location": "https://x/"})), lambda c: c.segments()
    )
    assert isinstance(error, Rejected)
    assert "CUSTOMERIO_BASE_URL" in str(error)


@pytest.mark.parametrize("body", [b'{"segment_id":7,"identifiers":[{"cio_', b"<html></html>", b"{}", b"null"])
def test_an_answer_cut_short_is_worth_another_try_and_never_an_empty_segment(body: bytes) -> None:
    cut = httpx.Response(200, content=body)
    assert len(members(Vendor(cut, page(0, 2, None)))) == 2
    assert isinstance(failure(Vendor(cut), lambda c: list(c.membership(7))), Retryable)


def test_no_person_and_no_key_is_ever_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    found = next(iter(client(Vendor(page(0, 2, None))).membership(7)))
    said = repr(found) + repr(found.members[0]) + repr(client(Vendor(page(0, 2, None))))
    bad = httpx.Response(200, content=page(0, 2, None).content[:-9])
    for answer in (
        bad,
        httpx.Response(400, text="P0@example.com"),
        httpx.Response(500, text="P0@example.com"),
    ):
        said += everything_said(failure(Vendor(answer), lambda c: list(c.membership(7))), caplog)
    assert not [secret for secret in ("example.com", KEY, "c0") if secret in said]


@pytest.mark.skipif(not FIXTURES.exists(), reason="the shared fixtures are not on this machine")
def test_the_vendors_sample_bodies_are_understood() -> None:
    def body(name: str) -> httpx.Response:
        return httpx.Response(200, content=(FIXTURES / f"app_200_{name}.json").read_bytes())

    found = members(Vendor(body("membership_email_or_id_p1"), body("membership_email_or_id_last")))
    assert len(found) == 5
    assert len(resolve(member.email for member in found).units) == 4
    assert [member.email for member in members(Vendor(body("membership_id_only_workspace")))] == [None, None]
    assert len(client(Vendor(body("segments_list"))).segments()) == 3
    assert not client(Vendor(body("segment_building_events"))).segment(7).is_finished
    assert client(Vendor(body("segment_customer_count"))).customer_count(7) >= 0
    profiles = list(client(Vendor(body("customers_attributes_bulk"))).attributes(["a"], ["email"]))
    assert [profile.values for profile in profiles] == [("ada@example.com",), ("hopper@example.com",)]
