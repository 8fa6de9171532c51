"""For any unit and any moment: which arm, by which rule."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from experiments.arm_history import arm_at, arm_history
from experiments.assignment import bucket
from experiments.audiences import Audience
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.ledger import entries_of, open_phase, phases_of, record_entrants
from experiments.phases import Holdout, Phase, Rule, assign

CART = Audience("cart", 1, "include", "cart", holdout_group="cart")
SALT, EVERYWHERE = "holdout:v1:cart:s0", "holdout:v1:universal:s0"


def person(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def whose(low: float, high: float) -> bytes:
    """Somebody whose bucket of the group lies between two shares, and who is not held out of everything."""
    return next(
        one
        for one in map(person, range(10_000))
        if low * 2**32 <= bucket(SALT, one.hex()) < high * 2**32
        and bucket(EVERYWHERE, one.hex()) >= 0.1 * 2**32
    )


def phase(number: int, opened_at: int, ppm: int, *, universal: int = 0, salt: str = SALT) -> Phase:
    return Phase(number, "cart", number, "cart", Holdout(salt, ppm, EVERYWHERE, universal), opened_at)


def test_the_band_moves_and_everybody_else_stays() -> None:
    phases = (phase(1, 100, 100_000), phase(2, 200, 200_000), phase(3, 300, 50_000))
    rules = {
        name: [each.rule for each in arm_history(phases, one, {})]
        for name, one in {"held": whose(0, 0.05), "band": whose(0.1, 0.2), "treated": whose(0.2, 1)}.items()
    }
    assert rules["held"] == [Rule.GROUP] * 3
    assert rules["band"] == [Rule.TREATMENT, Rule.GROUP, Rule.TREATMENT]
    assert rules["treated"] == [Rule.TREATMENT] * 3


def test_the_rule_names_the_universal_holdout_first() -> None:
    one = next(each for each in map(person, range(9_999)) if bucket(EVERYWHERE, each.hex()) < 2**32 // 100)
    (found,) = arm_history((phase(1, 100, 500_000, universal=20_000),), one, {})
    assert (found.rule, found.universal_bucket) == (Rule.UNIVERSAL, bucket(EVERYWHERE, one.hex()))


def test_phases_have_their_ends_and_the_open_one_has_none() -> None:
    found = arm_history((phase(2, 200, 1), phase(1, 100, 1)), person(1), {1: 150})
    assert [(each.phase.opened_at, each.until, each.entered_at) for each in found] == [
        (100, 200, 150),
        (200, None, None),
    ]


def test_before_the_first_phase_there_is_no_arm() -> None:
    assert arm_history((), person(1), {}) == ()
    assert arm_at((), 100) is None
    assert arm_at(arm_history((phase(1, 100, 1),), person(1), {}), 99) is None


@given(st.integers(0, 500))
def test_at_any_moment_the_phase_in_force_decides(moment: int) -> None:
    phases = (phase(1, 100, 100_000), phase(2, 200, 200_000), phase(3, 300, 200_000, salt="other"))
    found = arm_at(arm_history(phases, person(7), {}), moment)
    expected = [each for each in phases if each.opened_at <= moment]
    assert (None if found is None else found.phase) == (expected[-1] if expected else None)


def test_the_ledger_answers_for_a_recorded_unit(engine: Engine) -> None:
    people = DigestSet.of(map(person, range(50)))
    holdouts = [Holdout(SALT, ppm, EVERYWHERE, 20_000) for ppm in (100_000, 300_000)]
    with writing(engine) as connection:
        for at, holdout in zip((100, 200), holdouts, strict=True):
            record_entrants(
                connection, open_phase(connection, CART, holdout, at), assign(people, holdout), at + 5
            )
    with reading(engine) as connection:
        for one in people:
            entered = entries_of(connection, one)
            found = arm_history(phases_of(connection, ["cart"]), one, entered)
            assert [each.entered_at for each in found] == [105, 205]
            for each, holdout in zip(found, holdouts, strict=True):
                assert (one in assign(people, holdout).held_out) == (each.rule is not Rule.TREATMENT)
        assert entries_of(connection, person(99)) == {}
