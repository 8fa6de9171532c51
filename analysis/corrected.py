"""The difference corrected for what people bought before they entered, and what that correction achieved. Pure.

It is nearly worthless for rare purchases, so it is reported and never assumed: used only where it removes
more than 5 % of the variance, and beside the headline, never instead of it. Statistics note B2.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.estimators.adjustment import lin_stratified
from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.intervals import Estimate
from analysis.estimators.sequential import always_valid
from analysis.estimators.sums import Strata
from analysis.facts import Facts
from analysis.readings import Lift, strata_of


@dataclass(frozen=True, slots=True)
class Correction:
    """One outcome's corrected difference per person, where it was worth making, and its effect on the variance."""

    variance_reduction: float
    """1 − SE²(corrected)/SE²(plain); below zero where the correction only adds noise."""
    difference: Estimate | None
    """Treatment − holdout in the outcome's own unit, always valid; None where it is not used."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """Buyers and revenue, corrected by revenue in the 28 days before entry; None where it does not vary."""

    conversions: Correction | None
    revenue: Correction | None


def read_corrected(facts: Facts, conversions: Lift, revenue: Lift) -> Corrected:
    """Lin's adjustment within every phase, of units whose window has closed."""
    return Corrected(
        _correction(strata_of(facts.matured, lambda arm: arm.conversions), conversions),
        _correction(strata_of(facts.matured, lambda arm: arm.revenue), revenue),
    )


def _correction(strata: Strata, lift: Lift) -> Correction | None:
    found = lin_stratified(strata)
    if found is None or found.estimate.estimate is None or found.estimate.se is None:
        return None
    enough = lift.control_conversions >= NO_STATEMENT_BELOW
    if not (found.is_worth_using and enough):
        return Correction(found.variance_reduction, None)
    estimate, se = found.estimate.estimate, found.estimate.se
    method = f"always valid: {found.estimate.method}"
    return Correction(found.variance_reduction, always_valid(estimate, se, lift.time, method).estimate)
