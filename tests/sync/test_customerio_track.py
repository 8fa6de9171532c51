"""The Track API: batches, partial failures by reason, and nobody's id in what is said."""

import json

import httpx
import pytest
from pydantic import SecretStr
from vendor import Vendor, everything_said

from experiments.errors import HoldoutsError, Rejected, Retryable
from sync.customerio_track import BATCH, Track
from sync.limits import Unlimited

SITE, KEY = "site-id-of-the-test", "track-key-of-the-test"
PEOPLE = [f"cio{n:06}" for n in range(2_500)]
DONE = httpx.Response(200, json={})


def client(vendor: Vendor) -> Track:
    return Track(
        "https://track.customer.test",
        SecretStr(SITE),
        SecretStr(KEY),
        Unlimited(),
        transport=vendor.transport,
    )


def bodies(vendor: Vendor) -> list[dict[str, list[dict[str, object]]]]:
    return [json.loads(request.content) for request in vendor.requests]


def test_an_attribute_is_written_in_batches_to_profiles_that_are_there() -> None:
    vendor = Vendor(DONE)
    assert client(vendor).set_attribute(PEOPLE, "criteo_holdout_cart", "yes") == {}
    assert [len(each["batch"]) for each in bodies(vendor)] == [BATCH, BATCH, 500]
    assert bodies(vendor)[0]["batch"][1] == {
        "type": "person",
        "identifiers": {"cio_id": "cio000001"},
        "action": "identify",
        "attributes": {"criteo_holdout_cart": "yes", "_update": True},
    }
    assert all(len(request.content) < 500_000 for request in vendor.requests)
    assert vendor.requests[0].headers["authorization"].startswith("Basic ")


def test_a_success_without_a_body_is_one() -> None:
    assert client(Vendor(httpx.Response(200))).set_attribute(PEOPLE[:1], "a", "yes") == {}


def test_what_a_batch_does_not_take_is_counted_by_reason_over_all_batches() -> None:
    error = {"batch_index": 1, "reason": "invalid", "field": "attributes", "message": f"{PEOPLE[1]} is odd"}
    vendor = Vendor(httpx.Response(207, json={"errors": [error, error]}), DONE)
    vendor._answers.insert(1, httpx.Response(207, json={"errors": [{**error, "reason": "required"}]}))
    found = client(vendor).set_attribute(PEOPLE, "a", "yes")
    assert found == {"invalid attributes": 2, "required attributes": 1}
    assert len(vendor.requests) == 3


def test_nobody_is_no_request() -> None:
    vendor = Vendor(DONE)
    client(vendor).set_attribute([], "a", "yes")
    client(vendor).add_to_segment(7, [])
    assert vendor.requests == []


def test_a_manual_segment_changes_by_a_thousand_a_request() -> None:
    vendor = Vendor(httpx.Response(200))
    client(vendor).add_to_segment(7, PEOPLE)
    client(vendor).remove_from_segment(7, PEOPLE[:2])
    paths = [request.url.path for request in vendor.requests]
    assert paths == ["/api/v1/segments/7/add_customers"] * 3 + ["/api/v1/segments/7/remove_customers"]
    assert all(dict(request.url.params) == {"id_type": "cio_id"} for request in vendor.requests)
    assert bodies(vendor)[3] == {"ids": PEOPLE[:2]}


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.Response(429),
        httpx.Response(429, headers={"retry-after": "1"}),
        httpx.Response(503, text="upstream issue"),
        httpx.ReadError("dropped"),
        httpx.Response(207, text="upstream issue"),
        httpx.Response(200, text="<html>"),
    ],
    ids=["429", "429 with a wait", "503", "dropped", "207 that is none", "html"],
)
def test_what_may_pass_is_tried_again_with_the_same_batch(trouble: httpx.Response | Exception) -> None:
    vendor = Vendor(trouble, DONE)
    assert client(vendor).set_attribute(PEOPLE[:3], "a", "yes") == {}
    assert vendor.requests[0].content == vendor.requests[1].content
    assert len(vendor.requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (httpx.Response(401, json={"meta": {"error": "Unauthorized"}}), Rejected, "CUSTOMERIO_TRACK_SITE_ID"),
        (
            httpx.Response(301, headers={"location": "https://track-eu.customer.io"}),
            Rejected,
            "TRACK_BASE_URL",
        ),
        (httpx.Response(400, json={"meta": {"errors": [PEOPLE[0]]}}), Rejected, "did not accept the request"),
        (httpx.Response(500), Retryable, "failed"),
    ],
    ids=["wrong key", "wrong region", "bad request", "down"],
)
def test_a_failure_is_a_sentence_without_people_or_secrets(
    answer: httpx.Response, kind: type[HoldoutsError], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(kind, match=words) as caught:
        client(Vendor(answer)).set_attribute(PEOPLE[:3], "a", "yes")
    said = everything_said(caught.value, caplog)
    assert not any(each in said for each in (*PEOPLE[:3], SITE, KEY))


def test_the_region_says_whether_the_key_works() -> None:
    assert client(Vendor(httpx.Response(200, json={"region": "eu", "environment_id": 3}))).region() == "eu"
