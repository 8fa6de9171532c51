"""Random arms for property tests: small, rare and heavy-tailed like purchases. Pure."""

import numpy as np
from hypothesis import strategies as st

from analysis.estimators.sums import ArmSums, Floats, Strata, Stratum

amounts = st.floats(0.01, 5_000.0, allow_nan=False)
outcomes = st.one_of(st.just(0.0), st.just(0.0), amounts)


def values(min_size: int = 2, max_size: int = 40) -> st.SearchStrategy[Floats]:
    """One outcome per unit, mostly zero."""
    return st.lists(outcomes, min_size=min_size, max_size=max_size).map(np.array)


@st.composite
def buyers(draw: st.DrawFn, n: int, most: int = 12) -> ArmSums:
    """An arm of `n` units of whom at least one bought."""
    bought = draw(st.lists(amounts, min_size=1, max_size=most))
    return ArmSums.from_values(np.array([*bought, *([0.0] * (n - len(bought)))]))


@st.composite
def one_phase(draw: st.DrawFn) -> Strata:
    """One stratum with buyers in both arms and arms of unequal size."""
    n_c, n_t = draw(st.integers(20, 300)), draw(st.integers(20, 2_000))
    return (Stratum(draw(buyers(n_c)), draw(buyers(n_t))),)


@st.composite
def phases(draw: st.DrawFn) -> Strata:
    """One to three strata with buyers in both arms."""
    return tuple(stratum for (stratum,) in draw(st.lists(one_phase(), min_size=1, max_size=3)))


@st.composite
def binary_phase(draw: st.DrawFn) -> Strata:
    """One stratum of outcomes 0 or 1, empty and full arms included."""

    def one() -> ArmSums:
        n = draw(st.integers(1, 3_000))
        k = draw(st.integers(0, n))
        return ArmSums.from_sums(n, k, k, k, conversions=k)

    return (Stratum(one(), one()),)
