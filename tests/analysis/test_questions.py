"""A question asked slice by slice has the same answer as one asked at once."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from test_outcomes import BUCKETS, CAP, DAY, FIRST, _world

from analysis.outcomes import Cells, Strata, outcomes_of
from analysis.questions import Question, added, ask, ask_in_threads, outcomes_by_epoch
from analysis.slices import EVERYONE, UnitSlice, slices
from analysis.timeline import Level, Span
from experiments.database import connect, reading
from experiments.ledger import phases_of
from experiments.schema import entrants

WATERMARK = FIRST + 45 * DAY
SPANS = (
    Span(FIRST, FIRST + 20 * DAY, BUCKETS // 10, BUCKETS // 5, BUCKETS // 50),
    Span(FIRST + 20 * DAY, WATERMARK, BUCKETS // 5, BUCKETS // 5, 0),
)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def _question(engine: Engine, units: UnitSlice = EVERYONE, level: Level = "group") -> Question:
    with reading(engine) as connection:
        found = phases_of(connection, ["cart"])
    return Question(found, Strata(SPANS, SPANS[:1], 14 * DAY), WATERMARK, level, CAP, units)


def _but_cubes(cells: Cells) -> Cells:
    """All sums of whole numbers that stay below 2^53."""
    return {
        key: {name: value for name, value in sums.items() if not name.endswith("_3")}
        for key, sums in cells.items()
    }


@pytest.mark.parametrize("level", ["group", "universal"])
@pytest.mark.parametrize("count", [2, 7, 64])
def test_slices_add_up_to_the_whole_to_the_last_digit(ledger: Engine, level: Level, count: int) -> None:
    _world(ledger, seed=count)
    whole = ask(ledger, _question(ledger, level=level))
    parts = [ask(ledger, _question(ledger, each, level)) for each in slices(count, 1)]
    assert len(parts) == count
    assert sum(1 for part in parts if part) > 1, "the people should be spread over the slices"
    assert _but_cubes(added(parts)) == _but_cubes(whole)
    for key, sums in added(parts).items():
        assert sums == pytest.approx(whole[key], rel=1e-12)


def test_the_order_of_the_slices_makes_no_difference_at_all(ledger: Engine) -> None:
    _world(ledger, seed=9)
    parts = [ask(ledger, _question(ledger, each)) for each in slices(16, 1)]
    shuffled = random.Random(1).sample(parts, len(parts))
    assert added(parts) == added(shuffled)


def test_a_slice_reads_its_own_people_only(ledger: Engine) -> None:
    _world(ledger, seed=2)
    with reading(ledger) as connection:
        units = {bytes(row[0]) for row in connection.execute(select(entrants.c.unit))}
    low = ask(ledger, _question(ledger, UnitSlice(0, 2)))
    high = ask(ledger, _question(ledger, UnitSlice(1, 2)))
    expected = sum(unit < b"\x80" + bytes(31) for unit in units)
    everyone = Strata((), (Span(0, WATERMARK * 2, 0, 0, 0),), DAY)
    counted = ask(
        ledger, Question(_question(ledger).phases, everyone, WATERMARK, "group", None, UnitSlice(0, 2))
    )
    assert counted[None, 0]["n"] == expected
    assert 0 < expected < len(units)
    assert low != high


def test_the_answers_of_several_questions_are_told_apart(ledger: Engine) -> None:
    _world(ledger, seed=6)
    first = [_question(ledger, each) for each in slices(3, 1)]
    second = [_question(ledger, each, "universal") for each in slices(2, 1)]
    answers = iter(ask_in_threads(ledger)([*first, *second]))
    found = outcomes_by_epoch([*first, *second], answers)
    assert found[0] == outcomes_of(added([ask(ledger, each) for each in first]), first[0].strata)
    assert found[1] == outcomes_of(added([ask(ledger, each) for each in second]), second[0].strata)
    assert len(found) == 2


def test_questions_and_answers_can_travel_and_name_nobody(ledger: Engine) -> None:
    _world(ledger, seed=6, people=20)
    question = _question(ledger, UnitSlice(1, 4))
    answer = ask(ledger, question)
    assert pickle.loads(pickle.dumps(question)) == question
    assert pickle.loads(pickle.dumps(answer)) == answer
    with reading(ledger) as connection:
        units = [bytes(row[0]) for row in connection.execute(select(entrants.c.unit))]
    travelled = pickle.dumps((question, answer))
    assert not [unit for unit in units if unit in travelled or unit.hex().encode() in travelled]
