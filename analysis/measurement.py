"""What the ads of one experiment added, from its sums: lift, money, gates and the verdict. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.corrected import Corrected, read_corrected
from analysis.early import EarlyLook, read_early, window_days
from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.estimators.increment import NO_INCREMENT, Increment, increment
from analysis.estimators.intervals import Estimate
from analysis.estimators.strata import Heterogeneity, heterogeneity
from analysis.estimators.sums import pooled
from analysis.facts import Entered, Experiment, Facts
from analysis.heavy_tails import Capped, read_capped
from analysis.leak import Leak, read_leak
from analysis.money import (
    CostOfMeasuring,
    break_even,
    claimed_not_incremental,
    contribution,
    cost_of_measuring,
    icpa,
    incrementality_factor,
    iroas,
    roas,
)
from analysis.planned import Plan
from analysis.reachable import Reachable, read_reachable
from analysis.readings import Lift, read_lift, strata_of, up_to_the_end
from analysis.validity import Validity, check_validity
from analysis.verdict import Evidence, Verdict, verdict

PRACTICAL_LIFT = 0.05
"""The smallest lift that anybody would act on, unless an audience says otherwise."""


@dataclass(frozen=True, slots=True)
class Money:
    """Revenue that the ads added since entry, beside what they cost and what Criteo claims."""

    spend: float
    """Of the people compared: the ad sets' cost × compared ÷ ever treated."""
    platform_spend: float
    platform_revenue: float
    revenue_holdout: float
    revenue_treatment: float
    increment: Increment
    iroas: Estimate
    icpa: Estimate
    """Spend per extra buyer, over all orders since entry like the iROAS."""
    blended_roas: float | None
    platform_roas: float | None
    incrementality_factor: Estimate
    claimed_not_incremental: Estimate
    contribution: Estimate
    cost_of_measuring: CostOfMeasuring
    break_even: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """One experiment's row of the report."""

    experiment: Experiment
    watermark: int
    entered: tuple[Entered, ...]
    conversions: Lift
    revenue: Lift
    conversions_added: Increment
    since_entry: Lift
    money: Money | None
    validity: Validity
    verdict: Verdict
    capped: Capped | None = None
    """Revenue with single orders cut off; None while no cap is frozen."""
    plan: Plan | None = None
    """The planned end by which buyers and revenue in the window are read; None is read for ever."""
    corrected: Corrected | None = None
    between_phases: Heterogeneity | None = None
    """Whether buyers respond differently from phase to phase; None with a single one."""
    early: EarlyLook | None = None
    """None once half of all windows have closed."""
    leak: Leak | None = None
    """What Criteo claims of people held out; None where it was not asked."""
    reachable: Reachable | None = None
    """None while Criteo has told no match rate."""


def measure(facts: Facts) -> Measurement:
    """Reads one experiment.

    Matured units give the lift inside the window; all units since entry give the totals and the iROAS.
    Both are always valid: read weekly, they are wrong in 5 % of programmes, not of weeks. With a planned end
    the window is read by its plan instead, which is wrong in 5 % of programmes up to that end.
    """
    planned = facts.planned_information
    bought = strata_of(facts.matured, lambda arm: arm.conversions)
    conversions = read_lift(bought, planned, revenue=False)
    revenue = read_lift(strata_of(facts.matured, lambda arm: arm.revenue), planned, revenue=True)
    if facts.plan is not None:
        boundary = facts.plan.boundary
        conversions, revenue = up_to_the_end(conversions, boundary), up_to_the_end(revenue, boundary)
    since_entry = read_lift(strata_of(facts.since_entry, lambda arm: arm.revenue), planned, revenue=True)
    money = _money(facts, since_entry) if facts.experiment.has_money else None
    validity = check_validity(facts)
    leak = read_leak(facts)
    added = increment(bought, conversions.always_valid.estimate)
    evidence = Evidence(
        control_conversions=conversions.control_conversions,
        lift=conversions.always_valid.estimate.interval,
        practical_lift=PRACTICAL_LIFT,
        return_on_spend=None if money is None or not money.spend else money.iroas.interval,
        break_even=break_even(facts.margin),
        conversions_per_week=_per_week(facts, conversions),
        failed_gate=validity.failure,
    )
    return Measurement(
        experiment=facts.experiment,
        watermark=facts.watermark,
        entered=facts.entered,
        conversions=conversions,
        revenue=revenue,
        conversions_added=added,
        since_entry=since_entry,
        money=money,
        validity=validity,
        verdict=verdict(evidence),
        capped=read_capped(facts),
        plan=facts.plan,
        corrected=read_corrected(facts, conversions, revenue),
        between_phases=heterogeneity(bought),
        early=None if facts.early is None else read_early(facts.early, _days(facts), planned),
        leak=leak,
        reachable=read_reachable(added, conversions, facts.match, leak),
    )


def _money(facts: Facts, lift: Lift) -> Money:
    strata = strata_of(facts.since_entry, lambda arm: arm.revenue)
    total = pooled(strata)
    has_statement = lift.control_conversions >= NO_STATEMENT_BELOW
    added = increment(strata, lift.always_valid.estimate) if has_statement else NO_INCREMENT
    compared = lift.n_treatment / facts.ever_treated if facts.ever_treated else 0.0
    spend = facts.spend.cost * compared
    platform = roas(facts.spend.attributed_revenue, facts.spend.cost)
    returned = iroas(added, spend)
    bought = strata_of(facts.since_entry, lambda arm: arm.conversions)
    buyers = read_lift(bought, facts.planned_information, revenue=False).always_valid.estimate
    return Money(
        spend=spend,
        platform_spend=facts.spend.cost,
        platform_revenue=facts.spend.attributed_revenue,
        revenue_holdout=total.holdout.y,
        revenue_treatment=total.treatment.y,
        increment=added,
        iroas=returned,
        icpa=icpa(increment(bought, buyers) if has_statement else NO_INCREMENT, spend),
        blended_roas=roas(total.treatment.y, spend),
        platform_roas=platform,
        incrementality_factor=incrementality_factor(returned, platform),
        claimed_not_incremental=claimed_not_incremental(facts.spend.attributed_revenue * compared, added),
        contribution=contribution(added, spend, facts.margin),
        cost_of_measuring=cost_of_measuring(
            added, held_out=lift.n_holdout, treated=lift.n_treatment, spend=spend, margin=facts.margin
        ),
        break_even=break_even(facts.margin),
    )


def _days(facts: Facts) -> int:
    return window_days(facts.experiment.window)[0]


def _per_week(facts: Facts, lift: Lift) -> float | None:
    started = min((each.phase.opened_at for each in facts.entered), default=facts.watermark)
    weeks = (facts.watermark - started - facts.experiment.window) / (7 * 86_400)
    return lift.control_conversions / weeks if weeks > 0 else None
