"""What stands behind an experiment's headline, as the plain numbers of `report.json`. Pure."""

from __future__ import annotations

from math import isfinite

from analysis.corrected import Corrected, Correction
from analysis.early import EarlyLook
from analysis.estimators.strata import Heterogeneity
from analysis.heavy_tails import Capped
from analysis.leak import Leak
from analysis.measurement import Measurement
from analysis.plain_numbers import Document, estimate, increment, iso, lift
from analysis.reachable import Reachable
from analysis.validity import HISTORY, Validity


def behind(found: Measurement) -> Document:
    """The other readings of one experiment; null is a reading that could not be made yet."""
    return {
        "capped": None if found.capped is None else _capped(found.capped),
        "placebo": lift(found.validity.placebo),
        "balance": _balance(found.validity),
        "planned_end": _planned(found),
        "corrected": _corrected(found.corrected),
        "between_phases": _between(found.between_phases),
        "early": None if found.early is None else _early(found.early),
        "claimed": None if found.leak is None else _claimed(found.leak),
        "reachable": None if found.reachable is None else _reachable(found.reachable),
    }


def _capped(found: Capped) -> Document:
    return {
        "limit": found.cap.cents / 100,
        "orders": found.cap.orders,
        "orders_until": iso(found.cap.until),
        "frozen_at": iso(found.cap.frozen_at),
        "removed": found.removed,
        "revenue": lift(found.revenue),
        "since_entry": lift(found.since_entry),
        "increment": increment(found.increment),
    }


def _balance(found: Validity) -> Document | None:
    if found.balance is None:
        return None
    return {
        "standardised": dict(zip(HISTORY, found.balance.standardised, strict=True)),
        "chi2": found.balance.chi2,
        "degrees_of_freedom": found.balance.df,
        "p_value": found.balance.p_value,
        "log_e_value": found.balance_log_e,
    }


def _reachable(found: Reachable) -> Document:
    return {
        "match_rate": found.match.rate,
        "match_interval": [found.match.low, found.match.high],
        "leak": found.leak,
        "per_treated": estimate(found.per_treated),
        "per_reachable": estimate(found.per_reachable),
    }


def _early(found: EarlyLook) -> Document:
    return {
        **estimate(found.estimate),
        "holdout_buyers": found.holdout_buyers,
        "people": found.people,
    }


def _corrected(found: Corrected | None) -> Document | None:
    if found is None:
        return None
    return {"conversions": _correction(found.conversions), "revenue": _correction(found.revenue)}


def _correction(found: Correction | None) -> Document | None:
    if found is None:
        return None
    return {
        "variance_reduction": found.variance_reduction,
        "difference": None if found.difference is None else estimate(found.difference),
    }


def _between(found: Heterogeneity | None) -> Document | None:
    if found is None:
        return None
    return {
        "q": found.q,
        "degrees_of_freedom": found.df,
        "p_value": found.p_value,
        "reportable": found.is_reportable,
    }


def _planned(found: Measurement) -> Document | None:
    """The plan in force; of a plan that was asked for too late only that it was."""
    plan = found.plan
    if plan is None:
        return None if found.experiment.lasts is None else {"state": "too late"}
    boundary = plan.boundary
    return {
        "state": "over" if plan.is_over else "running",
        "started_at": iso(plan.started_at),
        "ends_at": iso(plan.ends_at),
        "looks": len(plan.looks),
        "boundary": boundary if boundary is not None and isfinite(boundary) else None,
    }


def _claimed(found: Leak) -> Document:
    return {
        "holdout_orders": found.claims.holdout.orders,
        "holdout_revenue": found.claims.holdout.revenue,
        "holdout_share": found.share_holdout,
        "treatment_orders": found.claims.treatment.orders,
        "treatment_revenue": found.claims.treatment.revenue,
        "treatment_share": found.share_treatment,
    }
