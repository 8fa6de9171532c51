"""Criteo's ad sets and campaigns, who consented, and the link between an ad set and its audience. I/O."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.advertising import AdSet
from sandbox.criteo_wire import Call, CriteoProblemError, envelope, invalid

CAMPAIGN_ID = "301"
CAMPAIGN_NAME = "Retention"
ADVERTISER_NAME = "Sandbox shop"

_FIELDS = {
    "Name": "name",
    "AdvertiserId": "advertiserId",
    "DatasetId": "datasetId",
    "CampaignId": "campaignId",
    "DestinationEnvironment": "destinationEnvironment",
    "Objective": "objective",
    "Schedule": "schedule",
    "Bidding": "bidding",
    "Targeting": "targeting",
    "Budget": "budget",
    "MediaType": "mediaType",
    "VideoChannel": "videoChannel",
    "AttributionConfiguration": "attributionConfiguration",
}


def _ad_set(call: Call, ad_set: AdSet, fields: list[str] | None = None) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "name": ad_set.name,
        "advertiserId": call.market.account.advertiser_id,
        "datasetId": "901",
        "campaignId": CAMPAIGN_ID,
        "destinationEnvironment": "web",
        "objective": "conversions",
        "schedule": {"activationStatus": "on", "deliveryStatus": "live"},
        "bidding": {"bidAmount": ad_set.effect.cost_per_thousand, "costController": "CPM"},
        "targeting": {
            "deliveryLimitations": {"devices": ["desktop", "mobile", "tablet"], "environments": ["web"]}
        },
        "budget": {"budgetStrategy": "uncapped", "budgetRenewal": "undefined"},
        "mediaType": "display",
        "attributionConfiguration": {"attributionMethod": "criteoAttribution", "lookbackWindow": "30D"},
    }
    if fields:
        wanted = {_FIELDS[field] for field in fields if field in _FIELDS}
        attributes = {key: value for key, value in attributes.items() if key in wanted}
    return {"id": ad_set.id, "type": "ReadAdSet", "attributes": attributes}


def _filters(call: Call) -> Mapping[str, Any]:
    filters = call.body.get("filters") if isinstance(call.body, dict) else None
    if filters is not None and not isinstance(filters, dict):
        invalid("invalid-request", "filters must be an object.")
    return filters or {}


def search_ad_sets(call: Call) -> Response:
    """POST ad-sets/search, not paged; empty filters filter nothing."""
    account, filters = call.market.account, _filters(call)
    ids, campaigns, advertisers = (
        filters.get("adSetIds"),
        filters.get("campaignIds"),
        filters.get("advertiserIds"),
    )
    fields = (call.body.get("meta") or {}).get("fields")
    mine = (not campaigns or CAMPAIGN_ID in campaigns) and (
        not advertisers or account.advertiser_id in advertisers
    )
    found = [ad_set for ad_set in account.ad_sets if mine and (not ids or ad_set.id in ids)]
    return envelope([_ad_set(call, ad_set, fields) for ad_set in found], [])


def search_campaigns(call: Call) -> Response:
    """POST campaigns/search, not paged."""
    account, filters = call.market.account, _filters(call)
    ids, advertisers = filters.get("campaignIds"), filters.get("advertiserIds")
    if (ids and CAMPAIGN_ID not in ids) or (advertisers and account.advertiser_id not in advertisers):
        return envelope([], [])
    attributes = {
        "id": CAMPAIGN_ID,
        "name": CAMPAIGN_NAME,
        "advertiserId": account.advertiser_id,
        "goal": "retention",
        "spendLimit": {"spendLimitType": "uncapped", "spendLimitRenewal": "undefined"},
    }
    return envelope([{"id": CAMPAIGN_ID, "type": "Campaign", "attributes": attributes}], [])


def _one_ad_set(call: Call) -> AdSet:
    for ad_set in call.market.account.ad_sets:
        if ad_set.id == call.parameters["ad_set_id"]:
            return ad_set
    raise CriteoProblemError(404, "validation", "ad-set-not-found", "There is no such ad set.")


def get_ad_set(call: Call) -> Response:
    """GET ad-sets/{id}; it does not say which audience is linked."""
    return envelope(_ad_set(call, _one_ad_set(call)), [])


def link(call: Call) -> Response:
    """PUT ad-sets/{id}/audience: link one audience, or none with null."""
    account, ad_set = call.market.account, _one_ad_set(call)
    attributes = call.attributes()
    if "audienceId" not in attributes:
        invalid("required-field", "attributes.audienceId is required.")
    audience_id = attributes["audienceId"]
    if audience_id is None:
        account.links.pop(ad_set.id, None)
    elif audience_id in account.audiences:
        account.links[ad_set.id] = audience_id
    else:
        raise CriteoProblemError(404, "validation", "audience-not-found", f"No audience {audience_id}.")
    account.linked_by_hand.add(ad_set.id)
    return envelope({"id": ad_set.id, "type": "AdSetAudience", "attributes": {"audienceId": audience_id}}, [])


def my_advertisers(call: Call) -> Response:
    """GET advertisers/me: who consented; nobody, with consent switched off."""
    data = [
        {
            "type": "advertiser",
            "id": call.market.account.advertiser_id,
            "attributes": {"advertiserName": ADVERTISER_NAME},
        }
    ]
    return envelope(data if call.switches.consent else [], [])


def my_application(_: Call) -> Response:
    """GET marketing-solutions/me."""
    attributes = {
        "applicationId": 1,
        "name": "Sandbox application",
        "organizationId": 1,
        "criteoService": "Marketing Solutions",
        "description": "Answers on loopback only",
    }
    return envelope({"type": "Application", "attributes": attributes}, [])
