"""Rate limits refuse in real time as the vendors do; an injected fault breaks exactly the call it was set for."""

import time

import httpx
import pytest
from conftest import Open, Vendors

from sandbox.world import Sandbox

SEGMENTS = "/2026-07/marketing-solutions/audience-segments"


def _create(criteo: httpx.Client, box: Sandbox, name: str) -> httpx.Response:
    attributes = {"advertiserId": box.advertiser_id, "name": name, "contactList": {}}
    return criteo.post(f"{SEGMENTS}/create", json={"data": [{"attributes": attributes}]})


def test_customerio_refuses_the_eleventh_request_of_a_second_without_a_word(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(customerio_rps=10)
    customerio = vendors.customerio(box)
    answers = [customerio.get("/v1/segments") for _ in range(14)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert 2 <= len(refused) <= 4
    assert refused[0].content == b""
    assert "retry-after" not in refused[0].headers


def test_customerio_may_say_when_to_come_back_and_lets_in_after_that(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(customerio_rps=4, customerio_retry_after=1)
    customerio = vendors.customerio(box)
    answers = [customerio.get("/v1/segments") for _ in range(8)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"
    time.sleep(0.3)
    assert customerio.get("/v1/segments").status_code == 200


def test_criteo_counts_reports_apart_and_says_what_is_left_but_never_retry_after(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(criteo_per_minute=5, criteo_reports_per_minute=2)
    criteo = vendors.criteo(box)
    report = {
        "advertiserIds": "",
        "currency": "EUR",
        "dimensions": ["Day"],
        "metrics": [],
        "startDate": "2026-09-01",
        "endDate": "2026-09-01",
    }
    reports = [criteo.post("/2026-07/statistics/report", json=report) for _ in range(3)]
    assert [answer.status_code for answer in reports] == [200, 200, 429]
    calls = [criteo.get("/2026-07/advertisers/me") for _ in range(6)]
    assert [answer.status_code for answer in calls] == [200] * 5 + [429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in calls] == ["4", "3", "2", "1", "0", "0"]
    assert calls[-1].headers["x-ratelimit-limit"] == "5"
    assert 0 <= int(calls[-1].headers["x-ratelimit-reset"]) - time.time() <= 61
    assert "retry-after" not in calls[-1].headers
    assert calls[-1].json() == {}


@pytest.mark.parametrize(("switch", "body"), [("empty", b""), ("object", b"{}")])
def test_the_body_of_criteo_s_429_is_a_switch(
    open_box: Open, vendors: Vendors, switch: str, body: bytes
) -> None:
    box = open_box(criteo_per_minute=0, quota_body=switch)
    assert vendors.criteo(box).get("/2026-07/advertisers/me").content == body


def test_the_body_of_criteo_s_429_may_be_an_envelope(open_box: Open, vendors: Vendors) -> None:
    box = open_box(criteo_per_minute=0, quota_body="envelope")
    assert vendors.criteo(box).get("/2026-07/advertisers/me").json()["errors"][0]["type"] == "quota"


def test_a_connection_dropped_before_does_nothing_and_dropped_after_does_it(
    box: Sandbox, vendors: Vendors
) -> None:
    criteo = vendors.criteo(box)
    box.faults.add("criteo", r"/create$", kind="drop-before")
    with pytest.raises(httpx.TransportError):
        _create(criteo, box, "never")
    box.faults.add("criteo", r"/create$", kind="drop-after")
    with pytest.raises(httpx.TransportError):
        _create(criteo, box, "silently")
    assert [one.name for one in box.market.account.segments.values()] == ["silently"]
    assert _create(criteo, box, "after all").status_code == 200
    assert box.faults.pending("criteo") == 0


def test_a_status_is_given_so_many_times_after_so_many_calls(box: Sandbox, vendors: Vendors) -> None:
    customerio = vendors.customerio(box)
    box.faults.add("customerio", r"^/v1/segments$", kind="status", status=502, times=2, skip=1)
    answers = [customerio.get("/v1/segments").status_code for _ in range(4)]
    assert answers == [200, 502, 502, 200]


def test_a_fault_waits_for_its_own_address_and_method(box: Sandbox, vendors: Vendors) -> None:
    customerio = vendors.customerio(box)
    box.faults.add("customerio", r"/v1/segments", kind="status", method="DELETE")
    assert customerio.get("/v1/segments").status_code == 200
    assert customerio.delete("/v1/segments/7").status_code == 503
    box.faults.add("customerio", r"/v1/customers", kind="status")
    box.faults.clear()
    assert customerio.get("/v1/customers?email=a").status_code == 200


def test_truncated_json_is_a_whole_answer_with_half_a_body(box: Sandbox, vendors: Vendors) -> None:
    box.faults.add("customerio", r"/membership", kind="truncated-json")
    answer = vendors.customerio(box).get("/v1/segments/10/membership")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()


def test_a_cut_body_ends_before_its_length(box: Sandbox, vendors: Vendors) -> None:
    box.faults.add("customerio", r"/membership", kind="cut-body")
    with pytest.raises(httpx.RemoteProtocolError):
        vendors.customerio(box).get("/v1/segments/10/membership")


def test_a_page_of_html_comes_with_any_status(box: Sandbox, vendors: Vendors) -> None:
    box.faults.add("customerio", r"/v1", kind="html", status=200)
    answer = vendors.customerio(box).get("/v1/segments")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")


def test_a_hanging_answer_lasts_until_the_client_gives_up_and_nothing_was_done(
    box: Sandbox, vendors: Vendors
) -> None:
    criteo = vendors.criteo(box)
    box.faults.add("criteo", r"/create$", kind="hang")
    criteo.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        _create(criteo, box, "never")
    assert box.market.account.segments == {}


def test_a_hang_is_bounded(box: Sandbox, vendors: Vendors) -> None:
    box.faults.add("customerio", r"/v1", kind="hang", seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        vendors.customerio(box).get("/v1/segments")


def test_a_fault_of_no_known_kind_is_refused(box: Sandbox) -> None:
    with pytest.raises(ValueError, match="no fault of kind"):
        box.faults.add("criteo", "x", kind="explode")  # type: ignore[arg-type]
