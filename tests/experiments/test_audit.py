"""The audit recomputes every arm, and any recorded arm that is not its hash's is found."""

import hashlib

import pytest
from sqlalchemy import Engine, update

from experiments.audiences import Audience
from experiments.audit import audit_arms
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.ledger import open_phase, record_entrants
from experiments.phases import Holdout, Phase, assign
from experiments.schema import entrants, phases

CART = Audience("cart", 1, "include", "cart", holdout_group="cart")
HOLDOUT = Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 20_000)
PEOPLE = DigestSet.of(hashlib.sha256(b"%d" % number).digest() for number in range(400))
ONE = next(iter(PEOPLE))


@pytest.fixture
def phase(engine: Engine) -> Phase:
    with writing(engine) as connection:
        phase = open_phase(connection, CART, HOLDOUT, 100)
        record_entrants(connection, phase, assign(PEOPLE, HOLDOUT), 100)
    return phase


def counts(engine: Engine, *found: Phase) -> list[tuple[int, int]]:
    with reading(engine) as connection:
        return [(each.checked, each.mismatched) for each in audit_arms(connection, found)]


def test_arms_that_were_written_by_the_rule_agree(engine: Engine, phase: Phase) -> None:
    assert counts(engine, phase) == [(400, 0)]


def test_a_phase_without_entrants_has_nothing_to_disagree(engine: Engine, phase: Phase) -> None:
    with writing(engine) as connection:
        later = open_phase(connection, CART, Holdout("s", 0, "u", 0), 200)
    assert counts(engine, phase, later) == [(400, 0), (0, 0)]


@pytest.mark.parametrize("column", ["arm", "bucket", "universal_bucket"])
def test_one_entrant_that_was_tampered_with_is_found(engine: Engine, phase: Phase, column: str) -> None:
    changed = {column: entrants.c[column] + 1}
    with writing(engine) as connection:
        connection.execute(update(entrants).where(entrants.c.unit == ONE).values(changed))
    assert counts(engine, phase) == [(400, 1)]


@pytest.mark.parametrize(
    ("change", "least"),
    [({"ppm": 200_000}, 20), ({"salt": "holdout:v1:cart:s1"}, 400), ({"universal_ppm": 0}, 1)],
)
def test_a_phase_that_was_tampered_with_is_found(
    engine: Engine, phase: Phase, change: dict[str, object], least: int
) -> None:
    from experiments.ledger import phases_of

    with writing(engine) as connection:
        connection.execute(update(phases).values(change))
    with reading(engine) as connection:
        (found,) = audit_arms(connection, phases_of(connection, ["cart"]))
    assert found.mismatched >= least
