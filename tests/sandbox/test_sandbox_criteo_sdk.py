"""Criteo's own client library, unchanged, works against the sandbox from the first segment to the report."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import criteo_api_marketingsolutions_v2026_07 as sdk
import pytest
from criteo_api_marketingsolutions_v2026_07 import apis
from criteo_api_marketingsolutions_v2026_07 import models as m

from sandbox.world import Sandbox


@pytest.fixture
def client(box: Sandbox) -> Iterator[sdk.ApiClient]:
    with sdk.ApiClientBuilder.WithClientCredentials(
        box.client_id, box.client_secret, host=box.criteo_url
    ) as client:
        yield client


def _segment(audience: apis.AudienceApi, advertiser_id: str, name: str) -> str:
    created = audience.create_audience_segments(
        m.AudienceSegmentBulkCreateInputV1(
            data=[
                m.AudienceSegmentCreateEntityV1Resource(
                    type="AudienceSegment",
                    attributes=m.AudienceSegmentCreateEntityV1(
                        advertiser_id=advertiser_id, name=name, contact_list={}
                    ),
                )
            ]
        )
    )
    return created.data[0].id


def _amendment(operation: str, identifiers: list[str]) -> m.ContactlistAmendmentRequest:
    return m.ContactlistAmendmentRequest(
        data=m.ContactlistAmendment(
            type="ContactlistAmendment",
            attributes=m.ContactlistAmendmentAttributes(
                operation=operation, identifier_type="email", identifiers=identifiers
            ),
        )
    )


def test_the_official_sdk_goes_from_creating_a_segment_to_reading_the_report(
    box: Sandbox, client: sdk.ApiClient
) -> None:
    audience, campaign = apis.AudienceApi(client), apis.CampaignApi(client)
    assert apis.AdvertiserApi(client).list_advertisers().data[0].id == box.advertiser_id
    assert apis.GatewayApi(client).get_current_application().data.attributes.application_id == 1

    people = [unit.hex() for unit in box.market.people.units]
    listed = _segment(audience, box.advertiser_id, "everybody")
    held = _segment(audience, box.advertiser_id, "held out")
    added = audience.update_contact_list_by_audience_segment(
        listed, _amendment("add", [*people, "nobody@nowhere"])
    )
    assert added.data.attributes.nb_valid_identifiers == len(people)
    assert added.data.attributes.sample_invalid_identifiers == ["nobody@nowhere"]
    audience.update_contact_list_by_audience_segment(listed, _amendment("remove", people[:10]))
    counts = audience.get_audience_segment_contact_list_statistics(listed).data.attributes
    assert counts.number_of_identifiers == len(people) - 10
    assert counts.match_rate == pytest.approx(100 * counts.number_of_matches / counts.number_of_identifiers)

    algebra = m.AlgebraNodeV1(
        _and=[
            m.AlgebraNodeV1(audience_segment_id=listed),
            m.AlgebraNodeV1(_not=m.AlgebraNodeV1(audience_segment_id=held)),
        ]
    )
    made = audience.create_audiences(
        m.AudienceBulkCreateInputV1(
            data=[
                m.AudienceCreateEntityV1Resource(
                    type="Audience",
                    attributes=m.AudienceCreateEntityV1(
                        advertiser_id=box.advertiser_id, name="everybody but", algebra=algebra
                    ),
                )
            ]
        )
    )
    audience_id = made.data[0].id
    campaign.update_ad_set_audience(
        "401",
        ad_set_audience_link_input_entity_v1=m.AdSetAudienceLinkInputEntityV1(
            data=m.AdSetAudienceLinkEntityV1Resource(
                id="401",
                type="AdSetAudience",
                attributes=m.AdSetAudienceLinkEntityV1(audience_id=audience_id),
            )
        ),
    )
    found = audience.search_audiences(
        audience_search_input_v1=m.AudienceSearchInputV1(
            data=m.AudienceSearchEntityV1Resource(attributes=m.AudienceSearchEntityV1(ad_set_ids=["401"]))
        )
    )
    assert [one.id for one in found.data] == [audience_id]
    assert found.data[0].attributes.ad_set_ids == ["401"]

    box.advance(hours=48)
    report = apis.AnalyticsApi(client).get_adset_report(
        statistics_report_query_message=m.StatisticsReportQueryMessage(
            advertiser_ids=box.advertiser_id,
            currency="EUR",
            dimensions=["AdsetId", "Day"],
            metrics=["AdvertiserCost", "Displays", "RevenueGeneratedAllPc30d"],
            format="json",
            timezone="UTC",
            start_date=datetime(2026, 9, 1, tzinfo=UTC),
            end_date=datetime(2026, 9, 2, tzinfo=UTC),
        )
    )
    with report:
        rows = json.loads(report.read())
    assert [(row["AdsetId"], row["Adset"], row["Day"]) for row in rows] == [
        ("401", "cart-0-4h", "2026-09-01"),
        ("401", "cart-0-4h", "2026-09-02"),
    ]
    assert sum(row["AdvertiserCost"] for row in rows) == pytest.approx(
        box.books().total_spend("cart-0-4h"), abs=1e-3
    )


def test_the_official_sdk_clears_renames_and_deletes_a_segment(box: Sandbox, client: sdk.ApiClient) -> None:
    audience = apis.AudienceApi(client)
    segment = _segment(audience, box.advertiser_id, "first name")
    audience.update_contact_list_by_audience_segment(segment, _amendment("add", ["a@example.com"]))
    renamed = audience.update_audience_segments(
        m.AudienceSegmentBulkUpdateInputV1(
            data=[
                m.AudienceSegmentUpdateEntityV1Resource(
                    id=segment,
                    type="AudienceSegment",
                    attributes=m.AudienceSegmentUpdateEntityV1(name="second name"),
                )
            ]
        )
    )
    assert renamed.data[0].attributes.name == "second name"
    assert audience.delete_contact_list_by_audience_segment(segment).data.id == segment
    counts = audience.get_audience_segment_contact_list_statistics(segment).data.attributes
    assert counts.number_of_identifiers == 0
    audience.delete_audience_segments(
        m.AudienceSegmentBulkDeleteInputV1(
            data=[m.AudienceSegmentDeleteEntityV1Resource(id=segment, type="AudienceSegment")]
        )
    )
    left = audience.search_audience_segments(m.AudienceSegmentSearchInputV1(), limit=100, offset=0)
    assert left.meta.total_items == 0
    assert len(box.books().ever_on("first name")) == 1
