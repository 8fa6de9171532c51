"""The real pipeline over arms drawn anew: a sound one passes, a planted mistake is found, the ledger stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redrawn_shop import DAY, WATERMARK, fill, programme, without_the_first_days
from sqlalchemy import Engine, delete, func, insert, select

from analysis import outcomes, questions
from analysis.outcomes import Outcomes
from analysis.redrawing import Request, mismatched_arms, read_world, redraw
from analysis.report_card import ReportCard, report_card
from experiments import schema
from experiments.database import reading, reading_only, writing
from experiments.errors import Rejected

ASKED = Request(draws=30, effect_draws=16, effect=0.4, people=100_000, seed=3)


def _card(engine: Engine, asked: Request = ASKED) -> ReportCard:
    world = read_world(engine, programme(), asked.people)
    drawn = list(redraw(engine, programme(), WATERMARK, world, asked))
    return report_card(drawn, mismatched_arms(engine, programme(), world, asked))


def _everything(engine: Engine) -> dict[str, Any]:
    with reading(engine) as connection:
        return {
            name: connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            for name, table in schema.metadata.tables.items()
        }


def test_a_sound_pipeline_passes_finds_the_effect_and_leaves_the_ledger_as_it_was(engine: Engine) -> None:
    fill(engine)
    before = _everything(engine)
    card = _card(engine)
    assert card.failures == ()
    assert {row.experiment for row in card.rows} == {"cart", "wishlist", "programme"}
    assert all(row.is_judged and row.single_look.draws == 30 and row.missed.draws == 16 for row in card.rows)
    for row in card.rows:
        assert row.recovered == pytest.approx(0.4, abs=0.25), row.experiment
        assert row.single_look.times <= 6, row.experiment
    assert _everything(engine) == before


def test_an_arm_that_leaks_into_the_outcome_is_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(engine)
    monkeypatch.setattr(outcomes, "entries", without_the_first_days(outcomes.entries, 2 * DAY))
    card = _card(engine, replace(ASKED, effect_draws=0))
    assert any("a single look finds an effect where none is" in each for each in card.failures)
    assert not card.passed


def test_arms_that_are_exchanged_are_found_by_the_effect_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an effect both arms are alike, so exchanging them changes nothing that could be seen."""
    fill(engine)
    sound = questions.outcomes_of

    def planted(*args: Any, **named: Any) -> Outcomes:
        found = sound(*args, **named)
        swapped = [
            tuple(replace(each, holdout=each.treatment, treatment=each.holdout) for each in spans)
            for spans in (found.matured, found.since_entry)
        ]
        return Outcomes(*swapped)

    monkeypatch.setattr(questions, "outcomes_of", planted)
    card = _card(engine, replace(ASKED, draws=4, effect_draws=40))
    found = [each for each in card.failures if "the effect that was put in is not found again" in each]
    assert any(each.startswith("wishlist") for each in found)


def test_the_same_seed_draws_the_same_arms_and_another_seed_others(engine: Engine) -> None:
    fill(engine, people=300)
    asked = replace(ASKED, draws=2, effect_draws=1)
    world = read_world(engine, programme(), asked.people)
    first, again, other = (
        list(redraw(engine, programme(), WATERMARK, world, each))
        for each in (asked, asked, replace(asked, seed=4))
    )
    assert first == again
    assert first != other


def test_of_many_people_a_random_part_is_taken_with_all_their_entries_and_orders(engine: Engine) -> None:
    fill(engine, people=600)
    whole = read_world(engine, programme(), 10**9)
    part = read_world(engine, programme(), whole.entrants // 2)
    assert part.share == pytest.approx(0.5, abs=0.001)
    assert 0.4 < part.entrants / whole.entrants < 0.6
    assert set(part.people) < set(whole.people)
    both = [int((world.orders.person == at).sum()) for world in (part,) for at in range(len(part.people))]
    at = {key: number for number, key in enumerate(whole.people.tolist())}
    theirs = [int((whole.orders.person == at[key]).sum()) for key in part.people.tolist()]
    assert both == theirs


def test_a_ledger_that_is_open_for_reading_only_cannot_be_changed(engine: Engine) -> None:
    fill(engine, people=50)
    shut = reading_only(engine)
    with pytest.raises(Rejected), writing(shut) as connection:
        connection.execute(delete(schema.entrants))
    with pytest.raises(Rejected), reading(shut) as connection:
        connection.execute(insert(schema.tunings).values(experiment="cart", information=1.0, frozen_at=1))
    shut.dispose()
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.entrants)) > 50
        assert connection.scalar(select(func.count()).select_from(schema.tunings)) == 0


def test_a_ledger_in_which_nobody_ever_entered_draws_nothing_and_judges_nothing(engine: Engine) -> None:
    card = _card(engine, replace(ASKED, draws=2, effect_draws=2))
    assert not card.is_judged
    assert card.passed
