"""The Criteo server keeps to the notes on its API: envelopes, refusals, set semantics, every open point."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from conftest import Open, Vendors, token

from sandbox.world import Sandbox

MS = "/2026-07/marketing-solutions"
SEGMENTS = f"{MS}/audience-segments"


def _create(criteo: httpx.Client, box: Sandbox, name: str, **kind: Any) -> httpx.Response:
    attributes = {"advertiserId": box.advertiser_id, "name": name, **(kind or {"contactList": {}})}
    return criteo.post(f"{SEGMENTS}/create", json={"data": [{"attributes": attributes}]})


def _list(criteo: httpx.Client, box: Sandbox, name: str = "a list") -> str:
    return str(_create(criteo, box, name).json()["data"][0]["id"])


def _amend(
    criteo: httpx.Client, segment: str, operation: str, identifiers: list[Any], **more: Any
) -> httpx.Response:
    attributes = {"operation": operation, "identifierType": "email", "identifiers": identifiers, **more}
    body = {"data": {"type": "ContactlistAmendment", "attributes": attributes}}
    return criteo.patch(f"{SEGMENTS}/{segment}/contact-list", json=body)


def _counts(criteo: httpx.Client, segment: str) -> dict[str, Any]:
    answer = criteo.get(f"{SEGMENTS}/{segment}/contact-list/statistics").json()
    return dict(answer["data"]["attributes"])


def _audience(criteo: httpx.Client, box: Sandbox, name: str, algebra: Any) -> httpx.Response:
    attributes = {"advertiserId": box.advertiser_id, "name": name, "algebra": algebra}
    return criteo.post(f"{MS}/audiences/create", json={"data": [{"attributes": attributes}]})


def _report(criteo: httpx.Client, box: Sandbox, **changes: Any) -> httpx.Response:
    query = {
        "advertiserIds": box.advertiser_id,
        "currency": "EUR",
        "dimensions": ["AdsetId", "Day"],
        "metrics": ["AdvertiserCost", "Clicks"],
        "startDate": "2026-09-01",
        "endDate": "2026-09-03",
    }
    return criteo.post("/2026-07/statistics/report", json={**query, **changes})


def _advertise_to_everybody(criteo: httpx.Client, box: Sandbox, name: str = "cart-4-24h") -> str:
    segment = _list(criteo, box, name)
    _amend(criteo, segment, "add", [unit.hex() for unit in box.market.people.units])
    return segment


# --- the token


def test_the_secret_holds_a_plus_and_a_raw_plus_in_the_form_is_refused(box: Sandbox) -> None:
    assert "+" in box.client_secret
    raw = f"grant_type=client_credentials&client_id={box.client_id}&client_secret={box.client_secret}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=box.criteo_url) as client:
        refused = client.post("/oauth2/token", content=raw, headers=headers)
        assert refused.status_code == 401
        assert refused.json()["error"] == "invalid_client"
        granted = token(box, client).json()
    assert granted | {"access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "refresh_token": None,
        "expires_in": 900,
    }


def test_wrong_credentials_may_be_answered_with_400(open_box: Open) -> None:
    box = open_box(token_error_status=400)
    with httpx.Client(base_url=box.criteo_url) as client:
        assert token(box, client, "wrong").status_code == 400


@pytest.mark.parametrize(
    ("header", "code"),
    [(None, "authorization-token-missing"), ("Bearer nonsense", "authorization-token-invalid")],
)
def test_a_call_without_a_good_token_says_what_is_wrong(box: Sandbox, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = httpx.get(f"{box.criteo_url}/2026-07/advertisers/me", headers=headers)
    assert answer.status_code == 401
    assert [error["code"] for error in answer.json()["errors"]] == [code]


def test_a_token_lasts_900_seconds_of_the_sandbox_clock_when_it_is_asked_to(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(expiry_clock="sandbox")
    criteo = vendors.criteo(box)
    box.advance(hours=899 / 3600)
    assert criteo.get("/2026-07/advertisers/me").status_code == 200
    box.advance(hours=2 / 3600)
    expired = criteo.get("/2026-07/advertisers/me")
    assert (expired.status_code, expired.json()["errors"][0]["code"]) == (401, "authorization-token-expired")


def test_tokens_can_be_made_to_expire_and_a_new_one_works(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    box.expire_tokens()
    assert criteo.get("/2026-07/advertisers/me").status_code == 401
    assert vendors.criteo(box).get("/2026-07/advertisers/me").status_code == 200


def test_a_missing_scope_is_a_403_on_its_operations_only(open_box: Open, vendors: Vendors) -> None:
    box = open_box(scopes=frozenset({"MarketingSolutions_Audience_Read"}))
    criteo = vendors.criteo(box)
    assert criteo.post(f"{SEGMENTS}/search", json={}).status_code == 200
    assert _create(criteo, box, "x").status_code == 403
    assert _report(criteo, box).status_code == 403


def test_without_consent_no_advertiser_is_listed_and_nothing_may_be_done(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(consent=False)
    criteo = vendors.criteo(box)
    assert criteo.get("/2026-07/advertisers/me").json()["data"] == []
    assert _create(criteo, box, "x").status_code == 403


# --- versions, bodies


@pytest.mark.parametrize(
    ("version", "status"), [("2026-07", 200), ("2027-01", 200), ("2025-10", 410), ("2031-01", 404)]
)
def test_versions_are_served_or_gone(box: Sandbox, vendors: Vendors, version: str, status: int) -> None:
    assert vendors.criteo(box).get(f"/{version}/advertisers/me").status_code == status


def test_a_version_in_its_last_months_says_when_it_goes(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    criteo.event_hooks["response"] = []
    headers = criteo.get("/2026-01/advertisers/me").headers
    assert headers["Deprecation"] == "true"
    assert "2027" in headers["Sunset"]


def test_a_body_that_is_not_json_is_refused(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    headers = {"Content-Type": "application/json"}
    assert criteo.post(f"{SEGMENTS}/search", content=b"{", headers=headers).status_code == 400
    assert (
        criteo.post(f"{SEGMENTS}/search", content=b"{}", headers={"Content-Type": "text/plain"}).status_code
        == 415
    )


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"data": ["x"]}, [], {"data": [{"attributes": {}}]}])
def test_a_create_of_the_wrong_shape_is_refused_and_nothing_breaks(
    box: Sandbox, vendors: Vendors, body: object
) -> None:
    assert vendors.criteo(box).post(f"{SEGMENTS}/create", json=body).status_code in (400, 403)


# --- segments


def test_a_segment_is_created_found_page_by_page_and_not_by_name(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    made = [_list(criteo, box, f"list {n}") for n in range(5)]
    pages = [
        criteo.post(f"{SEGMENTS}/search?limit=2&offset={offset}", json={"data": {"attributes": {}}}).json()
        for offset in (0, 2, 4)
    ]
    assert [one["id"] for page in pages for one in page["data"]] == made
    assert pages[0]["meta"] == {"totalItems": 5, "limit": 2, "offset": 0}
    assert criteo.post(f"{SEGMENTS}/search?limit=101", json={}).status_code == 400


@pytest.mark.parametrize(
    ("switch", "status", "where"),
    [("errors", 200, "errors"), ("warnings", 200, "warnings"), ("400", 400, "errors")],
)
def test_a_name_twice_is_refused_in_the_form_that_is_switched_on(
    open_box: Open, vendors: Vendors, switch: str, status: int, where: str
) -> None:
    box = open_box(duplicate_name=switch)
    criteo = vendors.criteo(box)
    _list(criteo, box, "once")
    again = _create(criteo, box, "once")
    assert again.status_code == status
    assert [one["code"] for one in again.json()[where]] == ["name-must-be-unique"]


def test_one_bad_item_does_not_spoil_the_others(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    items = [
        {"attributes": {"advertiserId": box.advertiser_id, "name": name, "contactList": {}}}
        for name in ("one", "  ", "two")
    ]
    answer = criteo.post(f"{SEGMENTS}/create", json={"data": items}).json()
    assert [one["attributes"]["name"] for one in answer["data"]] == ["one", "two"]
    assert [one["code"] for one in answer["errors"]] == ["name-must-not-be-empty"]


def test_another_advertiser_s_segment_is_refused(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    item = {"attributes": {"advertiserId": "1", "name": "x", "contactList": {}}}
    answer = criteo.post(f"{SEGMENTS}/create", json={"data": [item]})
    assert answer.status_code == 403


def test_a_segment_that_an_audience_uses_is_not_deleted(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    segment = _list(criteo, box)
    _audience(criteo, box, "uses it", {"audienceSegmentId": segment})
    answer = criteo.post(f"{SEGMENTS}/delete", json={"data": [{"id": segment}, {"id": "1"}]}).json()
    assert [one["code"] for one in answer["errors"]] == ["segment-in-use", "segment-not-found"]


def test_sizes_are_the_matched_people_and_only_for_contact_lists(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    segment = _advertise_to_everybody(criteo, box)
    tag = {"visitorsType": "All", "daysSinceLastVisitMin": 0, "daysSinceLastVisitMax": 7}
    visitors = _create(criteo, box, "visitors", retargeting=tag).json()["data"][0]["id"]
    answer = criteo.post(
        f"{SEGMENTS}/compute-sizes", json={"data": [{"id": segment}, {"id": visitors}]}
    ).json()
    assert [one["attributes"]["size"] for one in answer["data"]] == [int(box.market.account.matchable.sum())]
    assert [one["code"] for one in answer["errors"]] == ["size-not-supported"]


# --- contact lists


def test_adding_twice_and_removing_the_absent_change_nothing(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    segment, units = _list(criteo, box), [unit.hex() for unit in box.market.people.units[:30]]
    _amend(criteo, segment, "add", units)
    _amend(criteo, segment, "add", units[:20])
    _amend(criteo, segment, "remove", units[25:] * 2)
    _amend(criteo, segment, "remove", units[25:])
    assert _counts(criteo, segment)["numberOfIdentifiers"] == 25
    assert {unit.hex() for unit in box.books().now_on("a list")} == set(units[:25])
    assert {unit.hex() for unit in box.books().ever_on("a list")} == set(units)


def test_invalid_identifiers_are_counted_and_at_most_ten_are_shown(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    segment = _list(criteo, box)
    wrong = [f"person{n}@nowhere" for n in range(14)] + ["", "  ", "x y@example.com"]
    result = _amend(criteo, segment, "add", [*wrong, "ok@example.com", "A" * 64]).json()["data"]["attributes"]
    assert (result["nbValidIdentifiers"], result["nbInvalidIdentifiers"]) == (2, 17)
    assert result["sampleInvalidIdentifiers"] == wrong[:10]
    assert result["contactListId"] == int(segment)


def test_a_person_is_known_by_plain_sha256_md5_and_sha256_of_md5(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    person = next(index for index, known in enumerate(box.market.account.matchable) if known)
    email = box.market.people.emails[person]
    md5 = hashlib.md5(email.encode()).hexdigest()
    forms = [f"  {email.upper()} ", hashlib.sha256(email.encode()).hexdigest().upper()]
    forms += [md5, hashlib.sha256(md5.encode()).hexdigest()]
    for number, form in enumerate(forms):
        segment = _list(criteo, box, f"by form {number}")
        _amend(criteo, segment, "add", [form])
        assert _counts(criteo, segment) == {
            "numberOfIdentifiers": 1,
            "numberOfMatches": 1,
            "matchRate": 100.0,
        }
        assert box.books().now_on(f"by form {number}") == {box.market.people.units[person]}


@pytest.mark.parametrize("status", [400, 413])
def test_more_than_50_000_identifiers_are_refused_and_none_is_taken(
    open_box: Open, vendors: Vendors, status: int
) -> None:
    box = open_box(too_many_identifiers_status=status)
    criteo = vendors.criteo(box)
    segment = _list(criteo, box)
    answer = _amend(criteo, segment, "add", [f"{n:064x}" for n in range(50_001)])
    assert answer.status_code == status
    assert box.books().ever_on("a list") == set()
    assert [(write.size, write.applied) for write in box.books().writes] == [(50_001, False)]


@pytest.mark.parametrize(
    "attributes", [{"operation": "replace"}, {"identifierType": "customerid"}, {"identifierType": "gum"}]
)
def test_an_amendment_that_the_schema_forbids_is_refused(
    box: Sandbox, vendors: Vendors, attributes: dict[str, str]
) -> None:
    criteo = vendors.criteo(box)
    segment = _list(criteo, box)
    assert _amend(criteo, segment, attributes.pop("operation", "add"), ["x"], **attributes).status_code == 400


def test_an_unknown_contact_list_is_a_404_with_the_code_that_is_switched_on(
    open_box: Open, vendors: Vendors
) -> None:
    box = open_box(unknown_segment_code="audience-invalid")
    criteo = vendors.criteo(box)
    answer = _amend(criteo, "999", "add", ["a@example.com"])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "audience-invalid")


def test_late_counts_are_null_until_five_hours_after_the_next_noon(open_box: Open, vendors: Vendors) -> None:
    box = open_box(late_counts=True)
    criteo = vendors.criteo(box)
    box.advance(hours=1)
    segment = _advertise_to_everybody(criteo, box)
    box.advance(hours=15)
    assert _counts(criteo, segment) == {
        "numberOfIdentifiers": None,
        "numberOfMatches": None,
        "matchRate": None,
    }
    box.advance(hours=1)
    assert _counts(criteo, segment)["numberOfIdentifiers"] == box.market.people.size


def test_match_rates_may_be_fractions(open_box: Open, vendors: Vendors) -> None:
    box = open_box(match_rate_scale="fraction")
    criteo = vendors.criteo(box)
    assert 0.5 < _counts(criteo, _advertise_to_everybody(criteo, box))["matchRate"] < 0.8


def test_the_log_of_writes_has_operation_size_and_both_times(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    segment = _list(criteo, box)
    _amend(criteo, segment, "add", ["a@example.com", "b@example.com"])
    box.advance(hours=2)
    criteo.delete(f"{SEGMENTS}/{segment}/contact-list")
    first, second = box.books().writes
    assert (first.operation, first.size, first.segment) == ("add", 2, "a list")
    assert (second.operation, second.size) == ("clear", 2)
    assert second.at - first.at == timedelta(hours=2)
    assert second.monotonic > first.monotonic


# --- audiences and ad sets


@pytest.mark.parametrize(
    ("algebra", "code"),
    [
        ({}, "algebra-invalid"),
        ({"and": []}, "algebra-invalid"),
        ({"not": {"audienceSegmentId": "1"}, "and": []}, "algebra-invalid"),
        ({"audienceSegmentId": "1"}, "segment-not-found"),
    ],
)
def test_an_algebra_that_means_nothing_is_refused(
    box: Sandbox, vendors: Vendors, algebra: dict[str, Any], code: str
) -> None:
    answer = _audience(vendors.criteo(box), box, "x", algebra).json()
    assert [one["code"] for one in answer["errors"]] == [code]


def test_the_size_of_an_algebra_follows_it(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    everybody, some = _advertise_to_everybody(criteo, box), _list(criteo, box, "some")
    known = [box.market.people.units[n].hex() for n in box.market.account.matchable.nonzero()[0][:7]]
    _amend(criteo, some, "add", known)
    algebra = {"and": [{"audienceSegmentId": everybody}, {"not": {"audienceSegmentId": some}}]}
    attributes = {"advertiserId": box.advertiser_id, "algebra": algebra}
    answer = criteo.post(f"{MS}/audiences/estimate-size", json={"data": {"attributes": attributes}}).json()
    assert answer["data"]["attributes"]["size"] == int(box.market.account.matchable.sum()) - 7


def test_deleting_an_audience_unlinks_it_and_may_answer_204(open_box: Open, vendors: Vendors) -> None:
    box = open_box(audiences_delete_status=204)
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    audience_id = box.market.account.links["402"]
    assert criteo.post(f"{MS}/audiences/delete", json={"data": [{"id": audience_id}]}).status_code == 204
    assert box.market.account.links == {}


def test_ad_sets_and_campaigns_are_found_without_saying_which_audience(
    box: Sandbox, vendors: Vendors
) -> None:
    criteo = vendors.criteo(box)
    body = {"filters": {"advertiserIds": [box.advertiser_id]}, "meta": {"fields": ["Name", "CampaignId"]}}
    found = criteo.post(f"{MS}/ad-sets/search", json=body).json()["data"]
    assert {one["id"]: one["attributes"]["name"] for one in found} == {v: k for k, v in box.ad_sets.items()}
    assert set(found[0]["attributes"]) == {"name", "campaignId"}
    assert "audienceId" not in criteo.get(f"{MS}/ad-sets/401").json()["data"]["attributes"]
    assert criteo.get(f"{MS}/ad-sets/1").status_code == 404
    assert len(criteo.post(f"{MS}/campaigns/search", json={"filters": {}}).json()["data"]) == 1


def test_an_audience_is_unlinked_with_null_and_the_media_buyer_respects_it(
    box: Sandbox, vendors: Vendors
) -> None:
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    body = {"data": {"id": "402", "type": "AdSetAudience", "attributes": {"audienceId": None}}}
    assert (
        criteo.put(f"{MS}/ad-sets/402/audience", json=body).json()["data"]["attributes"]["audienceId"] is None
    )
    box.advance(hours=3)
    assert "402" not in box.market.account.links
    assert box.books().total_spend("cart-4-24h") == 0


# --- reports


def test_the_end_date_is_included_and_every_answer_names_the_currency(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    box.advance(hours=96)
    rows = _report(criteo, box).json()
    assert [row["Day"] for row in rows] == ["2026-09-01", "2026-09-02", "2026-09-03"]
    assert list(rows[0]) == ["AdsetId", "Adset", "Day", "Currency", "AdvertiserCost", "Clicks"]
    one_day = _report(criteo, box, startDate="2026-09-02T00:00:00Z", endDate="2026-09-02T00:00:00Z").json()
    assert one_day == rows[1:2]


def test_the_report_s_shape_numbers_and_days_are_switches(open_box: Open, vendors: Vendors) -> None:
    box = open_box(report_shape="rows", report_numbers="string", report_days="slashes")
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    box.advance(hours=2)
    answer = _report(criteo, box).json()
    assert answer["Total"] == len(answer["Rows"]) == 1
    assert answer["Rows"][0]["Day"] == "2026/9/1"
    assert isinstance(answer["Rows"][0]["AdvertiserCost"], str)


def test_csv_has_semicolons_and_a_byte_order_mark(box: Sandbox, vendors: Vendors) -> None:
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    box.advance(hours=2)
    answer = _report(criteo, box, format="csv")
    assert answer.content.startswith(b"\xef\xbb\xbfAdsetId;Adset;Day;Currency;AdvertiserCost;Clicks\r\n402;")


@pytest.mark.parametrize(
    "changes",
    [
        {"unknown": 1},
        {"dimensions": []},
        {"dimensions": ["Audience"]},
        {"metrics": ["Happiness"]},
        {"currency": "eur"},
        {"startDate": "2026-09-04"},
        {"startDate": "soon"},
        {"startDate": "2020-01-01"},
        {"timezone": "Mars/Olympus"},
        {"format": "excel"},
    ],
)
def test_a_report_query_that_breaks_a_rule_is_a_400(
    box: Sandbox, vendors: Vendors, changes: dict[str, object]
) -> None:
    assert _report(vendors.criteo(box), box, **changes).status_code == 400


def test_a_foreign_advertiser_s_report_is_refused_or_skipped(open_box: Open, vendors: Vendors) -> None:
    box = open_box()
    answer = _report(vendors.criteo(box), box, advertiserIds=f"{box.advertiser_id},1")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
        403,
        "insufficient-advertisers-permissions",
    )
    other = open_box(unauthorized_report="skip")
    assert _report(vendors.criteo(other), other, advertiserIds="1").json() == []


def test_every_metric_and_dimension_that_criteo_names_can_be_asked_for(
    box: Sandbox, vendors: Vendors
) -> None:
    from sandbox.report_names import DIMENSIONS, METRICS

    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    box.advance(hours=3)
    rows = _report(criteo, box, dimensions=sorted(DIMENSIONS), metrics=sorted(METRICS)).json()
    assert set(rows[0]) == DIMENSIONS | METRICS | {"Currency"}
    assert len(METRICS) == 227
    assert len(DIMENSIONS) == 26


def test_transactions_list_each_claimed_order_as_strings(open_box: Open, vendors: Vendors) -> None:
    box = open_box(profiles=3000, ad_effect=20.0)
    criteo = vendors.criteo(box)
    _advertise_to_everybody(criteo, box)
    box.advance(hours=24)
    attributes = {
        "advertiserIds": box.advertiser_id,
        "currency": "EUR",
        "startDate": "2026-09-01",
        "endDate": "2026-09-02",
    }
    body = {"data": [{"type": "report", "attributes": attributes}]}
    rows = [
        row["attributes"] for row in criteo.post("/2026-07/transactions/report", json=body).json()["data"]
    ]
    orders = box.books().orders()
    claimed = {name for name, by in zip(orders.order_id, orders.claimed_by, strict=True) if by}
    assert {row["transactionId"] for row in rows} == claimed
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert {row["adsetName"] for row in rows} == {"cart-4-24h"}
