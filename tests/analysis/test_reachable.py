"""Per person whom the ads could reach: the match rates that syncs recorded, and the effect over fewer people."""

from __future__ import annotations

from dataclasses import replace

import pytest
import report_documents as made
from page_reading import text_of
from sqlalchemy import Engine, insert
from test_measurement import PROGRAMME, WATERMARK, _facts

from analysis.document import document
from analysis.estimators.dilution import MatchRate
from analysis.matching import LATELY, matched_share
from analysis.measurement import measure
from analysis.report.rendering import render_page
from experiments.database import writing
from experiments.schema import syncs

NOW = 1_700_000_000
COUNTS = ("members", "units", "unusable", "excluded", "claimed", "held_out", "adds", "removes", "rejected", "deferred", "pushed")  # fmt: skip


def _sync(engine: Engine, audience: str, at: int, ppm: int | None, identifiers: int | None = 1_000) -> None:
    row = dict.fromkeys(COUNTS, 0) | {
        "audience": audience,
        "synced_at": at,
        "outcome": "applied",
        "plan": "p",
        "identifiers": identifiers,
        "match_ppm": ppm,
        "refusals": "[]",
    }
    with writing(engine) as connection:
        connection.execute(insert(syncs).values(row))


def test_the_newest_rates_weighted_by_size_between_the_bounds_of_four_weeks(engine: Engine) -> None:
    _sync(engine, "a", NOW - LATELY, 10_000)
    _sync(engine, "a", NOW - 500, 400_000)
    _sync(engine, "a", NOW - 400, 600_000, 3_000)
    _sync(engine, "b", NOW - 300, 500_000, 1_000)
    _sync(engine, "b", NOW - 250, 990_000, 99)
    _sync(engine, "other", NOW - 200, 990_000)
    _sync(engine, "a", NOW + 1, 800_000)
    found = matched_share(engine, ("a", "b"), NOW)
    assert found is not None
    assert found.rate == pytest.approx((0.6 * 3_000 + 0.5 * 1_000) / 4_000)
    assert (found.low, found.high) == (0.4, 0.6)


@pytest.mark.parametrize(("ppm", "identifiers"), [(None, 1_000), (0, 1_000), (500_000, None), (500_000, 99)])
def test_a_list_that_criteo_has_not_counted_has_no_rate(
    engine: Engine, ppm: int | None, identifiers: int | None
) -> None:
    _sync(engine, "a", NOW - 1, ppm, identifiers)
    assert matched_share(engine, ("a",), NOW) is None


def test_fewer_people_bear_the_same_effect_and_the_bounds_widen_it() -> None:
    found = measure(replace(_facts(), match=MatchRate(0.5, 0.4, 0.8)))
    told = document(PROGRAMME, [found], WATERMARK, WATERMARK)["experiments"][0]
    total, (low, high) = told["conversions_added"]["total"], told["conversions_added"]["interval"]
    assert told["conversions"]["n_treatment"] == 32_000
    assert low > 0
    assert told["reachable"]["per_treated"]["estimate"] == pytest.approx(total / 32_000)
    assert told["reachable"]["per_reachable"]["estimate"] == pytest.approx(total / 32_000 / 0.5)
    assert told["reachable"]["per_reachable"]["interval"] == pytest.approx(
        [low / 32_000 / 0.8, high / 32_000 / 0.4]
    )
    assert told["money"]["increment"] == document(PROGRAMME, [measure(_facts())], 1, 1)["experiments"][0]["money"]["increment"]  # fmt: skip


def test_without_a_rate_nothing_is_said() -> None:
    assert measure(_facts()).reachable is None
    told = made.report([made.unprofitable()])
    assert "Extra buyers per 1\u202f000 reachable 3.42, surely between 0.63 and 6.72; Criteo" in render_text(
        told
    )
    told["experiments"][0]["reachable"] = None
    assert "reachable 3.42" not in render_text(told)


def test_a_failed_check_withholds_it_and_still_says_the_rate() -> None:
    text = render_text(made.report([made.invalid()]))
    assert "withheld: a check failed; Criteo recognises 61.3" in text
    assert "3.42" not in text


def render_text(told: dict[str, object]) -> str:
    return text_of(render_page(told, [])).replace("1 000", "1\u202f000")
