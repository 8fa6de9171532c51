"""What stands behind an experiment's headline, to render. Pure."""

from __future__ import annotations

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
    }
