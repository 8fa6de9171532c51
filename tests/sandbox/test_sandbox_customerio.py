"""The Customer.io server keeps to the notes on its API, and its answers have the shape of the fixtures."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import Open, Vendors

from sandbox.world import Sandbox

FIXTURES = Path(__file__).parent / "customerio-fixtures"
SHARED = Path(__file__).parents[2].parent / "shared" / "reference" / "customerio-fixtures"


def _fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def _shape(value: Any) -> Any:
    """The keys of every object, the shape of the first of a list's items that is an object, no scalars."""
    if isinstance(value, dict):
        return {key: _shape(one) for key, one in value.items() if not key.startswith("cio_sub")}
    if isinstance(value, list):
        return [_shape(one) for one in value[:1] if isinstance(one, dict)]
    return None


def _everybody(customerio: httpx.Client, segment: int, limit: int = 30_000) -> list[dict[str, Any]]:
    people: list[dict[str, Any]] = []
    start: dict[str, str] = {}
    for _ in range(200):
        page = customerio.get(f"/v1/segments/{segment}/membership", params={"limit": limit, **start}).json()
        people += page["identifiers"]
        if not page.get("next"):
            return people
        start = {"start": page["next"]}
    raise AssertionError("the cursor never ends")


def test_the_fixtures_are_the_shared_ones() -> None:
    for copy in FIXTURES.glob("*.json"):
        original = SHARED / copy.name
        assert not original.exists() or original.read_bytes() == copy.read_bytes()


# --- keys and regions


@pytest.mark.parametrize("key", ["wrong", "Basic"])
def test_a_wrong_key_is_a_401(box: Sandbox, key: str) -> None:
    answer = httpx.get(f"{box.customerio_url}/v1/segments", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401
    assert answer.json() == _fixture("app_err_401_errors_array_ASSUMED")


def test_errors_may_have_no_body(open_box: Open, vendors: Vendors) -> None:
    box = open_box(customerio_errors="empty")
    assert vendors.customerio(box, "wrong").get("/v1/segments").content == b""


def test_the_wrong_region_redirects_and_gives_nothing(open_box: Open, vendors: Vendors) -> None:
    answer = vendors.customerio(open_box(wrong_region=True)).get("/v1/segments")
    assert answer.status_code == 301
    assert answer.headers["location"] == "https://api-eu.customer.io/v1/segments"


def test_the_app_key_does_not_open_the_track_api_nor_the_other_way_round(
    box: Sandbox, vendors: Vendors
) -> None:
    assert vendors.customerio(box).get("/api/v1/accounts/region").status_code == 401
    assert vendors.track(box).get("/v1/segments").status_code == 401
    assert vendors.track(box).get("/api/v1/accounts/region").json()["region"] == "us"


# --- segments


def test_a_segment_looks_like_the_fixture(box: Sandbox, vendors: Vendors) -> None:
    customerio = vendors.customerio(box)
    listed = customerio.get("/v1/segments").json()
    assert _shape(listed) == _shape(_fixture("app_200_segments_list"))
    assert {one["name"]: one["id"] for one in listed["segments"]} == box.segment_ids
    assert all(one["state"] == "finished" and one["progress"] is None for one in listed["segments"])
    assert _shape(customerio.get("/v1/segments/7").json()) == _shape(_fixture("app_200_segment_get"))
    assert _shape(customerio.get("/v1/segments/7/used_by").json()) == _shape(
        _fixture("app_200_segment_used_by")
    )


def test_an_unknown_segment_is_a_404_in_the_common_envelope(box: Sandbox, vendors: Vendors) -> None:
    customerio = vendors.customerio(box)
    for tail in ("", "/membership", "/customer_count", "/used_by"):
        answer = customerio.get(f"/v1/segments/999{tail}")
        assert answer.status_code == 404
        assert answer.json() == _fixture("app_err_404_errors_array")


def test_a_building_segment_goes_through_its_states_and_shows_a_part_of_its_members(
    box: Sandbox, vendors: Vendors
) -> None:
    customerio, segment = vendors.customerio(box), box.segment_ids["browse-no-cart"]
    whole = customerio.get(f"/v1/segments/{segment}/customer_count").json()["count"]
    box.rebuild("browse-no-cart", polls=8)
    states, counts = [], []
    for _ in range(9):
        counts.append(len(_everybody(customerio, segment)))
        shown = customerio.get(f"/v1/segments/{segment}").json()["segment"]
        states.append(shown["state"])
        assert (shown["progress"] is None) == (shown["state"] == "finished")
    assert list(dict.fromkeys(states)) == ["build_queued", "build", "events_queued", "events", "finished"]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] == whole > 0


def test_every_segment_may_start_as_building(open_box: Open, vendors: Vendors) -> None:
    customerio = vendors.customerio(open_box(building_polls=1))
    assert {one["state"] for one in customerio.get("/v1/segments").json()["segments"]} == {"build_queued"}
    assert {one["state"] for one in customerio.get("/v1/segments").json()["segments"]} == {"finished"}


# --- membership


def test_membership_looks_like_the_fixture_and_agrees_with_count_and_truth(
    box: Sandbox, vendors: Vendors
) -> None:
    customerio, segment = vendors.customerio(box), box.segment_ids["browse-no-cart"]
    page = customerio.get(f"/v1/segments/{segment}/membership").json()
    assert _shape(page) == _shape(_fixture("app_200_membership_email_or_id_last"))
    assert page["next"] == ""
    count = customerio.get(f"/v1/segments/{segment}/customer_count").json()
    assert count == {"segment_id": segment, "count": len(page["identifiers"])}
    owners = {profile.cio_id: profile.person for profile in box.market.people.profiles}
    units = {box.market.people.units[owners[one["cio_id"]]] for one in page["identifiers"]}
    assert units == box.members("browse-no-cart")


def test_ids_are_empty_and_identifiers_null_for_who_has_none(box: Sandbox, vendors: Vendors) -> None:
    page = vendors.customerio(box).get(f"/v1/segments/{box.segment_ids['browse-no-cart']}/membership").json()
    assert page["ids"] == [one["id"] or "" for one in page["identifiers"]]
    assert "" in page["ids"]


@pytest.mark.parametrize("switches", [{}, {"last_next": "missing"}, {"trailing_empty_page": True}])
def test_pages_join_to_the_whole_however_the_last_one_ends(
    open_box: Open, vendors: Vendors, switches: dict[str, Any]
) -> None:
    box = open_box(**switches)
    customerio, segment = vendors.customerio(box), box.segment_ids["browse-no-cart"]
    address = f"/v1/segments/{segment}/membership"
    whole = [one["cio_id"] for one in customerio.get(address, params={"limit": 30_000}).json()["identifiers"]]
    joined, page = [], customerio.get(address, params={"limit": 7}).json()
    while page["identifiers"]:
        joined += [one["cio_id"] for one in page["identifiers"]]
        if not page.get("next"):
            break
        page = customerio.get(address, params={"limit": 7, "start": page["next"]}).json()
    assert joined == whole
    assert len(whole) == len(set(whole)) > 14
    assert ("next" in page) == (switches.get("last_next") != "missing")
    assert bool(page.get("next")) == switches.get("trailing_empty_page", False)


def test_a_looping_cursor_never_ends(open_box: Open, vendors: Vendors) -> None:
    box = open_box(looping_cursor=True)
    customerio, address = (
        vendors.customerio(box),
        f"/v1/segments/{box.segment_ids['browse-no-cart']}/membership",
    )
    first = customerio.get(address, params={"limit": 5}).json()
    assert first == customerio.get(address, params={"limit": 5, "start": first["next"]}).json()


def test_people_may_come_and_go_between_pages_so_that_some_are_missed(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(churn_between_pages=2)
    people = _everybody(vendors.customerio(box), box.segment_ids["browse-no-cart"], limit=10)
    owners = {profile.cio_id: profile.person for profile in box.market.people.profiles}
    units = {box.market.people.units[owners[one["cio_id"]]] for one in people}
    assert box.members("browse-no-cart") - units
    assert units - box.members("browse-no-cart")


def test_a_workspace_of_ids_shows_no_e_mail_but_gives_it_as_an_attribute(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(workspace="id_only")
    customerio = vendors.customerio(box)
    page = customerio.get(f"/v1/segments/{box.segment_ids['browse-no-cart']}/membership").json()
    assert set(page["identifiers"][0]) == set(
        _fixture("app_200_membership_id_only_workspace")["identifiers"][0]
    )
    cio_ids = [one["cio_id"] for one in page["identifiers"][:100]]
    answer = customerio.post("/v1/customers/attributes?id_type=cio_id", json={"ids": cio_ids}).json()
    assert any("@" in one["customer"]["attributes"].get("email", "") for one in answer["customers"])
    assert customerio.post("/v1/customers/attributes?id_type=email", json={"ids": ["x"]}).status_code == 400


@pytest.mark.parametrize("query", ["limit=many", "limit=0", "start=%21"])
def test_a_page_that_cannot_be_is_a_400(box: Sandbox, vendors: Vendors, query: str) -> None:
    assert vendors.customerio(box).get(f"/v1/segments/7/membership?{query}").status_code == 400


def test_a_limit_above_30_000_is_clamped_or_refused(open_box: Open, vendors: Vendors) -> None:
    assert vendors.customerio(open_box()).get("/v1/segments/7/membership?limit=30001").status_code == 200
    strict = open_box(over_limit="reject")
    assert vendors.customerio(strict).get("/v1/segments/7/membership?limit=30001").status_code == 400


# --- people


def _somebody(box: Sandbox) -> Any:
    return next(one for one in box.market.people.profiles if one.id and one.email and " " not in one.email)


def test_people_are_found_by_e_mail_in_any_case_and_an_unencoded_plus_finds_nobody(
    box: Sandbox, vendors: Vendors
) -> None:
    customerio, somebody = vendors.customerio(box), _somebody(box)
    found = customerio.get("/v1/customers", params={"email": somebody.email.swapcase()}).json()
    assert _shape(found) == _shape(_fixture("app_200_customers_by_email"))
    assert somebody.cio_id in [one["cio_id"] for one in found["results"]]
    assert customerio.get("/v1/customers?email=jane+tag@example.com").json() == {"results": []}
    assert customerio.get("/v1/customers").status_code == 400


def test_attributes_come_as_strings_for_a_hundred_at_most_and_unknown_ids_are_left_out(
    box: Sandbox, vendors: Vendors
) -> None:
    customerio, somebody = vendors.customerio(box), _somebody(box)
    answer = customerio.post("/v1/customers/attributes", json={"ids": [somebody.id, "nobody"]}).json()
    assert _shape(answer)["customers"][0]["customer"].keys() == (
        _shape(_fixture("app_200_customers_attributes_bulk"))["customers"][0]["customer"].keys()
    )
    assert [one["customer"]["id"] for one in answer["customers"]] == [somebody.id]
    assert all(isinstance(value, str) for value in answer["customers"][0]["customer"]["attributes"].values())
    assert customerio.post("/v1/customers/attributes", json={"ids": ["1"] * 101}).status_code == 400
    assert customerio.post("/v1/customers/attributes", json={"ids": []}).status_code == 400


def test_a_search_takes_nested_filters_and_pages(box: Sandbox, vendors: Vendors) -> None:
    customerio, segment = vendors.customerio(box), box.segment_ids["browse-no-cart"]
    inside = {one["cio_id"] for one in _everybody(customerio, segment)}
    unsubscribed = {"attribute": {"field": "unsubscribed", "operator": "eq", "value": "true"}}
    wanted = {"filter": {"and": [{"segment": {"id": segment}}, {"not": unsubscribed}]}}
    found, start = [], ""
    while True:
        page = customerio.post("/v1/customers", params={"limit": 9, "start": start}, json=wanted).json()
        found += [one["cio_id"] for one in page["identifiers"]]
        if not (start := page["next"]):
            break
    out = {"filter": {"and": [{"segment": {"id": segment}}, unsubscribed]}}
    left_out = {one["cio_id"] for one in customerio.post("/v1/customers", json=out).json()["identifiers"]}
    assert set(found) == inside - left_out
    assert left_out


@pytest.mark.parametrize(
    "wanted", [None, {}, {"gt": 1}, {"and": []}, {"attribute": {"field": "x", "operator": "gt"}}]
)
def test_a_filter_outside_the_grammar_is_a_400(box: Sandbox, vendors: Vendors, wanted: object) -> None:
    assert vendors.customerio(box).post("/v1/customers", json={"filter": wanted}).status_code == 400


def test_one_person_s_attributes_segments_and_purchases_can_be_read(box: Sandbox, vendors: Vendors) -> None:
    customerio = vendors.customerio(box)
    activities = customerio.get(
        "/v1/activities", params={"type": "event", "name": "purchase", "limit": 100}
    ).json()
    assert _shape(activities) == _shape(_fixture("app_200_activities_event"))
    times = [one["timestamp"] for one in activities["activities"]]
    assert times == sorted(times, reverse=True)
    assert min(times) >= box.clock.epoch() - 30 * 86_400
    assert len(customerio.get("/v1/activities").json()["activities"]) <= 10
    somebody = activities["activities"][0]["customer_identifiers"]["cio_id"]
    own = customerio.get(f"/v1/customers/cio_{somebody}/activities?id_type=cio_id").json()["activities"]
    assert own[0]["id"] == activities["activities"][0]["id"]
    single = customerio.get(f"/v1/customers/{somebody}/attributes?id_type=cio_id").json()
    assert (
        _shape(single)["customer"].keys()
        == _shape(_fixture("app_200_customer_attributes_single"))["customer"].keys()
    )
    inside = customerio.get(f"/v1/customers/{somebody}/segments?id_type=cio_id").json()["segments"]
    assert _shape({"segments": inside}) in (_shape(_fixture("app_200_customer_segments")), {"segments": []})
    assert customerio.get("/v1/customers/nobody/attributes").status_code == 404


# --- exports


def test_an_export_is_pending_then_a_csv_behind_a_link_of_15_minutes(box: Sandbox, vendors: Vendors) -> None:
    customerio, segment = vendors.customerio(box), box.segment_ids["browse-no-cart"]
    wanted = {"filters": {"segment": {"id": segment}}, "attributes": ["email"]}
    made = customerio.post("/v1/exports/customers", json=wanted).json()
    assert _shape(made) == _shape(_fixture("app_200_export_pending"))
    address = f"/v1/exports/{made['export']['id']}"
    assert customerio.get(f"{address}/download").status_code == 404
    assert customerio.get(address).json()["export"]["status"] == "pending"
    done = customerio.get(address).json()["export"]
    link = customerio.get(f"{address}/download").json()["url"]
    lines = httpx.get(link).text.splitlines()
    assert lines[0] == "id,cio_id,email"
    assert len(lines) - 1 == done["total"] == len(_everybody(customerio, segment))
    box.advance(hours=0.5)
    assert httpx.get(link).status_code == 403


# --- track


def test_a_batch_names_the_invalid_items_and_carries_out_the_others(box: Sandbox, vendors: Vendors) -> None:
    track, somebody = vendors.track(box), _somebody(box)
    good = {
        "type": "person",
        "identifiers": {"cio_id": somebody.cio_id},
        "action": "identify",
        "attributes": {"criteo_holdout": True, "_update": True},
    }
    both = {**good, "identifiers": {"cio_id": somebody.cio_id, "id": somebody.id}}
    unknown = {**good, "identifiers": {"cio_id": "ffff"}}
    answer = track.post("/api/v2/batch", json={"batch": [good, both, unknown]})
    assert (answer.status_code, answer.json()) == (207, _fixture("track_207_v2_batch"))
    customer = vendors.customerio(box).post("/v1/customers/attributes", json={"ids": [somebody.id]}).json()
    assert customer["customers"][0]["customer"]["attributes"]["criteo_holdout"] == "true"
    assert track.post("/api/v2/batch", json={"batch": [good, unknown]}).status_code == 200
    assert track.post("/api/v2/entity", json={**good, "type": None}).json() == _fixture("track_400_v2")
    assert track.post("/api/v2/batch", json={"batch": [good] * 4000}).status_code == 400


def test_a_manual_segment_is_made_filled_emptied_and_deleted(box: Sandbox, vendors: Vendors) -> None:
    customerio, track, somebody = vendors.customerio(box), vendors.track(box), _somebody(box)
    made = customerio.post("/v1/segments", json={"segment": {"name": "held out"}}).json()["segment"]
    assert made["type"] == "manual"
    address = f"/api/v1/segments/{made['id']}"
    assert track.post(f"{address}/add_customers", json={"ids": [somebody.id, "nobody"]}).status_code == 200
    assert [one["id"] for one in _everybody(customerio, made["id"])] == [somebody.id]
    track.post(f"{address}/remove_customers?id_type=cio_id", json={"ids": [somebody.cio_id]})
    assert _everybody(customerio, made["id"]) == []
    assert track.post(f"{address}/add_customers", json={"ids": []}).json() == _fixture("track_400_v1")
    assert track.post("/api/v1/segments/7/add_customers", json={"ids": ["1"]}).status_code == 400
    assert customerio.delete(f"/v1/segments/{made['id']}").status_code == 204
    assert customerio.delete("/v1/segments/7").status_code == 400
    assert customerio.post("/v1/segments", json={}).status_code == 400
