"""Assignment is frozen for ever: a failing vector means that people would change arms. Never edit one, append."""

import hashlib
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from experiments.assignment import BUCKETS, PPM, arm, bucket, buckets, group_salt, threshold, universal_salt
from experiments.digests import DigestSet
from experiments.identity import unit
from experiments.percent import LARGEST_HOLDOUT
from experiments.phases import Holdout, Rule, assign

HERE = Path(__file__).parent
VECTORS: list[dict[str, Any]] = json.loads((HERE / "vectors.json").read_text())
SHARED = HERE.parents[2] / "shared" / "data" / "reference_cases.json"
FROZEN = 67
"""Vectors that stood in the file when it was first written."""
FINGERPRINT = "c4c3849a141521dea98d6ef1f7718a78d3760dcbab0334c9e8264762d1f8ce51"

ppms = st.integers(0, PPM)
units = st.binary(min_size=32, max_size=32).map(bytes.hex)


def sequential(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % number).hexdigest().encode() for number in range(count)]


def raw_sequential(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def look_alike_mails(count: int) -> list[bytes]:
    return [unit(f"customer{number}@example.com").encode() for number in range(count)]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_golden_vectors_hold(vector: dict[str, Any]) -> None:
    salt, who = vector["salt"], vector["unit"]
    assert bucket(salt, who) == vector["bucket"]
    assert (arm(salt, who, 50_000) == "holdout") is vector["held_out_at_5_percent"]
    assert (arm(salt, who, 100_000) == "holdout") is vector["held_out_at_10_percent"]
    if "email" in vector:
        assert unit(vector["email"]) == who


def test_no_vector_was_ever_changed() -> None:
    first = json.dumps(VECTORS[:FROZEN], sort_keys=True).encode()
    assert hashlib.sha256(first).hexdigest() == FINGERPRINT


@pytest.mark.skipif(not SHARED.exists(), reason="the shared reference is not beside this checkout")
def test_the_vectors_begin_with_those_of_the_reference() -> None:
    reference = json.loads(SHARED.read_text())["hash_vectors"]
    assert VECTORS[: len(reference)] == reference


def test_salts_are_written_down_and_never_change() -> None:
    assert (group_salt("cart"), group_salt("cart", 2)) == ("holdout:v1:cart:s0", "holdout:v1:cart:s2")
    assert (universal_salt(), universal_salt(1)) == ("holdout:v1:universal:s0", "holdout:v1:universal:s1")


@given(ppms)
def test_the_threshold_is_the_exact_floor(ppm: int) -> None:
    limit = threshold(ppm)
    assert limit * PPM <= ppm * BUCKETS < (limit + 1) * PPM


def test_thresholds_of_known_percentages() -> None:
    assert [threshold(ppm) for ppm in (0, 1, 290_000, LARGEST_HOLDOUT, PPM)] == [
        0,
        4294,
        1_245_540_515,
        2**31,
        2**32,
    ]


@pytest.mark.parametrize("ppm", [-1, PPM + 1])
def test_a_share_outside_the_whole_is_refused(ppm: int) -> None:
    with pytest.raises(ValueError, match="parts per million"):
        threshold(ppm)


@given(units, ppms)
def test_a_unit_is_held_out_exactly_below_the_threshold(who: str, ppm: int) -> None:
    assert (arm("s", who, ppm) == "holdout") is (bucket("s", who) < threshold(ppm))


def test_a_unit_whose_bucket_is_the_threshold_itself_is_advertised_to() -> None:
    """One unit in 4,295 has a bucket that some percentage's threshold hits exactly."""
    limits = {threshold(ppm): ppm for ppm in range(1, PPM)}
    edge = next(who.decode() for who in sequential(60_000) if bucket("s", who.decode()) in limits)
    ppm = limits[bucket("s", edge)]
    unit_ = DigestSet.of([bytes.fromhex(edge)])
    assert arm("s", edge, ppm) == "treatment"
    assert arm("s", edge, ppm + 1) == "holdout"
    assert len(assign(unit_, Holdout("s", ppm, "u", 0)).treated) == 1
    assert len(assign(unit_, Holdout("u", 0, "s", ppm)).treated) == 1


@given(st.text(max_size=40), st.lists(units, min_size=1, max_size=30))
def test_a_batch_gives_what_single_units_give(salt: str, several: list[str]) -> None:
    batch = buckets(salt, (who.encode() for who in several))
    assert batch.dtype == np.uint32
    assert batch.tolist() == [bucket(salt, who) for who in several]


def test_no_units_have_no_buckets() -> None:
    assert buckets("s", []).tolist() == []


@given(units, ppms, ppms)
def test_for_every_pair_of_percentages_only_the_band_moves(who: str, before: int, after: int) -> None:
    low, high = sorted((threshold(before), threshold(after)))
    moved = arm("s", who, before) != arm("s", who, after)
    assert moved is (low <= bucket("s", who) < high)


@given(units, ppms, ppms)
def test_within_a_group_the_smaller_holdout_lies_inside_the_larger(who: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert arm("s", who, small) == "treatment" or arm("s", who, large) == "holdout"


PAIRS = [(0, 1), (30_000, 100_000), (100_000, 200_000), (499_999, 500_000), (0, 500_000)]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_a_change_moves_the_share_between_the_two_percentages(before: int, after: int) -> None:
    people = DigestSet.of(bytes.fromhex(who.decode()) for who in sequential(20_000))
    held = [assign(people, Holdout("holdout:v1:cart:s0", ppm, "u", 0)).held_out for ppm in (before, after)]
    assert len(held[0] - held[1]) == 0
    share = (after - before) / PPM
    assert abs(len(held[1] - held[0]) - share * 20_000) <= 4.5 * np.sqrt(share * (1 - share) * 20_000) + 1


def test_the_universal_holdout_comes_before_the_group_s() -> None:
    people = DigestSet.of(bytes.fromhex(who.decode()) for who in sequential(5_000))
    found = assign(people, Holdout("holdout:v1:cart:s0", 200_000, "holdout:v1:universal:s0", 100_000))
    expected = []
    for who in people:
        if bucket("holdout:v1:universal:s0", who.hex()) < threshold(100_000):
            expected.append(Rule.UNIVERSAL)
        elif bucket("holdout:v1:cart:s0", who.hex()) < threshold(200_000):
            expected.append(Rule.GROUP)
        else:
            expected.append(Rule.TREATMENT)
    assert found.rules.tolist() == expected
    assert len(found.held_out) + len(found.treated) == len(people)
    assert len(found.by(Rule.GROUP) & found.by(Rule.UNIVERSAL)) == 0
    assert found.held_out == found.by(Rule.GROUP) | found.by(Rule.UNIVERSAL)


def test_arms_of_new_units_are_those_of_all_units() -> None:
    people = DigestSet.of(bytes.fromhex(who.decode()) for who in sequential(300))
    known = people.where(np.arange(300) % 3 == 0)
    holdout = Holdout("holdout:v1:cart:s0", 300_000, "holdout:v1:universal:s0", 50_000)
    new, alone = assign(people, holdout).without(known), assign(people - known, holdout)
    assert new.units == alone.units
    for left, right in zip((new.buckets, new.rules), (alone.buckets, alone.rules), strict=True):
        assert left.tolist() == right.tolist()


SALTS = [group_salt(f"aud-{number}") for number in range(12)] + [group_salt("aud-1", n) for n in range(1, 6)]
SALTS += [
    "aud_1",
    "aud_2",
    "a",
    "b",
    universal_salt(),
    universal_salt(1),
    group_salt("cart"),
    group_salt("card"),
]
POPULATIONS = [sequential, raw_sequential, look_alike_mails]
N = 20_000


@pytest.mark.parametrize("population", POPULATIONS)
def test_buckets_are_uniform_over_look_alike_salts_and_ids(population: Any) -> None:
    """χ² on 100 bins for 25 salts; the p-values are uniform themselves: Kolmogorov–Smirnov p > 1e-4."""
    people = population(N)
    p_values = [
        stats.chisquare(np.bincount(buckets(salt, people) // np.uint32(42_949_673), minlength=100)).pvalue
        for salt in SALTS
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-4
    assert min(p_values) > 1e-5


@pytest.mark.parametrize("population", POPULATIONS)
def test_holdouts_of_different_salts_are_independent(population: Any) -> None:
    """Overlap of every pair of 10 % holdouts (300 pairs): |z| < 4.5 and their sd between .85 and 1.15."""
    people = population(N)
    held: list[NDArray[np.bool_]] = [buckets(salt, people) < threshold(100_000) for salt in SALTS]
    z = np.array([_overlap_z(one, other) for one, other in combinations(held, 2)])
    assert np.abs(z).max() < 4.5
    assert 0.85 < z.std() < 1.15
    assert abs(z.mean()) < 0.35


def _overlap_z(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    n, a, b = len(one), one.sum(), other.sum()
    expected = a * b / n
    variance = expected * (1 - a / n) * (1 - b / n) * n / (n - 1)
    return float((np.count_nonzero(one & other) - expected) / np.sqrt(variance))


def test_the_share_held_out_is_what_was_asked_for() -> None:
    people = sequential(50_000)
    for salt in SALTS[:6]:
        for share in (0.01, 0.05, 0.1, 0.5):
            held = np.count_nonzero(buckets(salt, people) < threshold(round(share * PPM)))
            assert abs(held - share * 50_000) < 4.5 * np.sqrt(share * (1 - share) * 50_000)


@settings(max_examples=30)
@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_neighbouring_ids_share_no_fate(one: int, other: int) -> None:
    """Sequential ids under one salt: correlation of the buckets of i and i + d is that of noise."""
    people = raw_sequential(8_000)
    found = buckets(group_salt("aud-1"), people).astype(np.float64)
    lag = 1 + (one + other) % 3_000
    assert abs(np.corrcoef(found[:-lag], found[lag:])[0, 1]) < 4.5 / np.sqrt(len(found) - lag)
