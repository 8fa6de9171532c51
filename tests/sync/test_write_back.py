"""Who is to be marked, and only what changed."""

import hashlib

import pytest
from programmes import digest

from experiments.phases import Holdout
from sync.write_back import attribute_of, changes, held_out, segment_of

PEOPLE = {f"c{n}": digest(n) for n in range(2_000)}


def below(salt: str, unit: bytes, ppm: int) -> bool:
    bucket = int(hashlib.sha256(f"{salt}|{unit.hex()}".encode()).hexdigest()[:8], 16)
    return bucket < ppm * 2**32 // 1_000_000


def test_held_out_are_those_of_the_group_and_of_the_universal_holdout() -> None:
    holdout = Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 20_000)
    expected = {
        cio_id
        for cio_id, unit in PEOPLE.items()
        if below(holdout.salt, unit, 100_000) or below(holdout.universal_salt, unit, 20_000)
    }
    assert set(held_out(PEOPLE, holdout)) == expected
    assert 150 < len(expected) < 320


def test_two_profiles_of_one_person_are_held_out_together() -> None:
    everyone = Holdout("holdout:v1:cart:s0", 1_000_000, "holdout:v1:universal:s0", 0)
    assert set(held_out({"c1": digest(1), "c2": digest(1)}, everyone)) == {"c1", "c2"}
    assert set(held_out({}, everyone)) == set()


def test_only_the_difference_is_a_change() -> None:
    found = changes({"b", "c", "a"}, {"b", "x"})
    assert (found.mark, found.unmark) == (("a", "c"), ("x",))
    assert changes({"a"}, {"a"}).mark == changes({"a"}, {"a"}).unmark == ()


@pytest.mark.parametrize("group", ["cart", "browse-no-cart"])
def test_an_attribute_is_a_name_that_liquid_can_write(group: str) -> None:
    assert attribute_of(group).isidentifier()
    assert segment_of(group).endswith(group)
