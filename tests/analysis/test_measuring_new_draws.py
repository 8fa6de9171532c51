"""A new draw never touches what was measured before it, and is measured on its own after the wash-out."""

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, insert

from analysis.facts import Facts
from analysis.measuring import experiments_of, gather_facts
from experiments.assignment import threshold
from experiments.audiences import Audience, Programme
from experiments.database import connect, writing
from experiments.digests import DigestSet
from experiments.ledger import open_phase, record_entrants
from experiments.phases import Holdout, assign
from experiments.schema import orders

DAY = 86_400
WINDOW = 5 * DAY
FIRST, DRAWN, UNTIL = 0, 20 * DAY, 60 * DAY
OLD = Holdout("holdout:v1:cart:s0", 300_000, "holdout:v1:universal:s0", 20_000)
NEW = Holdout("holdout:v1:cart:s1", 300_000, "holdout:v1:universal:s0", 20_000)
CART = Audience("cart", 1, "include", "cart", holdout_group="cart", window=WINDOW, ad_sets=("401",))
PROGRAMME = Programme("1", "EUR", 0.5, (CART,))
EARLY, LATE = range(400), range(300, 700)
"""A quarter of the early people come again after the new draw."""


def person(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def people(numbers: range) -> DigestSet:
    return DigestSet.of(map(person, numbers))


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def enter(engine: Engine, numbers: range, holdout: Holdout, opened_at: int, entered_at: int) -> None:
    with writing(engine) as connection:
        phase = open_phase(connection, CART, holdout, opened_at)
        record_entrants(connection, phase, assign(people(numbers), holdout), entered_at)


def buy(engine: Engine, numbers: range, at: int) -> None:
    rows = [
        {
            "order_id": f"{at}-{number}",
            "unit": person(number),
            "ordered_at": at,
            "revenue": 1_000,
            "loaded_at": at,
        }
        for number in numbers
    ]
    with writing(engine) as connection:
        connection.execute(insert(orders), rows)


def measured(engine: Engine, watermark: int) -> Facts:
    (experiment,) = experiments_of(PROGRAMME)
    return gather_facts(engine, PROGRAMME, experiment, watermark)


def arms(numbers: range, holdout: Holdout) -> tuple[int, int]:
    """People held out by the group and treated; whoever is held out of everything is in neither."""
    found = assign(people(numbers), holdout)
    is_compared = found.universal_buckets >= threshold(holdout.universal_ppm)
    is_held = found.buckets < threshold(holdout.ppm)
    return int((is_held & is_compared).sum()), int((~is_held & is_compared).sum())


def test_the_past_stays_as_it_was_and_the_new_draw_is_a_stratum_of_its_own(engine: Engine) -> None:
    enter(engine, EARLY, OLD, FIRST, FIRST + DAY)
    buy(engine, range(0, 400, 4), FIRST + 2 * DAY)
    before = measured(engine, DRAWN)
    enter(engine, LATE, NEW, DRAWN, DRAWN + WINDOW + DAY)
    buy(engine, range(300, 700, 5), DRAWN + WINDOW + 2 * DAY)
    after = measured(engine, UNTIL)
    for reading in ("matured", "since_entry"):
        then, now = getattr(before, reading), getattr(after, reading)
        assert (len(then), len(now)) == (1, 2)
        assert (now[0].holdout, now[0].treatment) == (then[0].holdout, then[0].treatment)
        assert (now[0].holdout.revenue.n, now[0].treatment.revenue.n) == arms(EARLY, OLD)
        assert (now[1].holdout.revenue.n, now[1].treatment.revenue.n) == arms(LATE, NEW)
    assert sum(each.conversions.y for each in (after.matured[1].holdout, after.matured[1].treatment)) > 0


def test_whoever_enters_during_the_wash_out_is_in_neither_arm(engine: Engine) -> None:
    enter(engine, EARLY, OLD, FIRST, FIRST + DAY)
    enter(engine, range(500, 600), NEW, DRAWN, DRAWN + WINDOW - 1)
    after = measured(engine, UNTIL)
    for spans in (after.matured, after.since_entry):
        assert sum(each.holdout.revenue.n + each.treatment.revenue.n for each in spans[1:]) == 0


def test_spend_is_shared_among_all_who_were_ever_treated_in_either_draw(engine: Engine) -> None:
    enter(engine, EARLY, OLD, FIRST, FIRST + DAY)
    enter(engine, LATE, NEW, DRAWN, DRAWN + WINDOW + DAY)
    compared = sum(each.treatment.revenue.n for each in measured(engine, UNTIL).since_entry)
    assert measured(engine, UNTIL).ever_treated == compared


def test_what_an_audience_did_in_another_group_is_not_its_new_group_s_business(engine: Engine) -> None:
    """Alone it had a salt of its own; in the group only its time there counts, and nobody else loses any."""
    later = Audience("later", 2, "include", "later", holdout_group="cart", priority=2, window=WINDOW)
    both = Programme("1", "EUR", 0.5, (CART, later))
    alone = Holdout("holdout:v1:later:s0", 300_000, "holdout:v1:universal:s0", 20_000)
    enter(engine, EARLY, OLD, FIRST, FIRST + DAY)
    with writing(engine) as connection:
        lonely = Audience("later", 2, "include", "later", holdout_group="later", window=WINDOW)
        record_entrants(
            connection,
            open_phase(connection, lonely, alone, FIRST),
            assign(people(range(900, 950)), alone),
            DAY,
        )
        open_phase(connection, later, OLD, DRAWN)
    group = next(each for each in experiments_of(both) if each.kind == "group")
    found = gather_facts(engine, both, group, UNTIL)
    (span,) = found.since_entry
    assert (span.holdout.revenue.n, span.treatment.revenue.n) == arms(EARLY, OLD)
