"""What stands behind an experiment's headline, to render. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Document = dict[str, Any]


def behind(revenue: Document, added: Document, placebo: Document) -> Document:
    """The other readings, made from the uncapped ones."""
    return {
        "capped": {
            "limit": 440.0,
            "orders": 5_120,
            "orders_until": "2026-09-28T05:00:00+00:00",
            "frozen_at": "2026-10-05T06:00:00+00:00",
            "removed": 0.031,
            "revenue": revenue,
            "since_entry": revenue,
            "increment": added,
        },
        "placebo": placebo,
        "balance": {
            "standardised": {"revenue": 0.004, "orders": -0.002, "recency": 0.011},
            "chi2": 1.9,
            "degrees_of_freedom": 3,
            "p_value": 0.59,
            "log_e_value": -3.1,
        },
        "planned_end": {
            "state": "running",
            "started_at": "2026-09-28T05:00:00+00:00",
            "ends_at": "2027-03-29T05:00:00+00:00",
            "looks": 7,
            "boundary": 2.81,
        },
        "corrected": {
            "conversions": {"variance_reduction": 0.0009, "difference": None},
            "revenue": {
                "variance_reduction": 0.081,
                "difference": {"estimate": 0.42, "interval": [0.07, 0.77], "method": "Lin-adjusted"},
            },
        },
        "between_phases": {"q": 1.1, "degrees_of_freedom": 1, "p_value": 0.294, "reportable": False},
        "early": {
            "estimate": 0.172,
            "interval": [-0.091, 0.51],
            "method": "partitioned over the days of the window: early, no verdict",
            "holdout_buyers": 41,
            "people": 12_400,
        },
        "claimed": {
            "holdout_orders": 12,
            "holdout_revenue": 812.0,
            "holdout_share": 0.031,
            "treatment_orders": 902,
            "treatment_revenue": 58_300.0,
            "treatment_share": 0.274,
        },
        "reachable": {
            "match_rate": 0.6132,
            "match_interval": [0.58, 0.631],
            "leak": 0.0,
            "per_treated": {"estimate": 0.0021, "interval": [0.0004, 0.0039], "method": "score"},
            "per_reachable": {"estimate": 0.00342, "interval": [0.00063, 0.00672], "method": "score"},
        },
    }


def together(experiments: Sequence[Document]) -> Document:
    """Claims and shrinkage of the right kind: that they are right is not this fixture's concern."""
    compared = [
        each
        for each in experiments
        if each["money"] is not None and each["kind"] != "programme" and each["verdict"]["state"] != "invalid"
    ]
    claims = [
        {
            "name": each["name"],
            "log_e_value": each["conversions"]["log_e_value"],
            "stands": (each["conversions"]["interval"][0] or 0.0) > 0.02,
            "interval": each["conversions"]["interval"]
            if (each["conversions"]["interval"][0] or 0.0) > 0.02
            else None,
        }
        for each in compared
    ]
    drawn = [
        {
            "name": each["name"],
            "lift": 0.19,
            "interval": [0.02, 0.38],
            "drawn": 0.14,
            "drawn_interval": [0.04, 0.26],
            "pull": 0.4,
        }
        for each in compared
    ]
    spread = {"mean": 0.11, "mean_interval": [0.03, 0.2], "tau": 0.07, "drawn": drawn}
    return {"false_claims": 0.05, "claims": claims, "shrinkage": spread if len(drawn) > 4 else None}
