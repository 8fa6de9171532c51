"""What a nightly check tells the report: findings, windows near one another, a long name, people on two lists. Pure."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
HOUR = 3_600
MIDNIGHT = 1_795_305_600  # 22 Nov 2026
LONG = "cart-of-the-christmas-shop-in-the-united-kingdom-0-5h"


def finding(code: str, severity: str, audience: str | None, **more: Any) -> Document:
    usual = {
        "subject": "",
        "figure": 0.3,
        "cost_per_week": None,
        "currency": None,
        "sentence": "half of its people have bought already",
        "what_to_do": "exclude them",
        "accepted": None,
        "first_seen": "2026-11-20T04:15:00+00:00",
    }
    return {"code": code, "severity": severity, "audience": audience, **usual, **more}


def window(name: str, start: float, end: float, reached: float, covered: float) -> Document:
    return {"audience": name, "from_hours": start, "to_hours": end, "reached": reached, "covered": covered}


def playbook(**changes: Any) -> Document:
    """A check two hours before the report, with Criteo's published clock and a sync every four hours."""
    waits = [
        [MIDNIGHT + at * HOUR, MIDNIGHT + (at + 4) * HOUR, MIDNIGHT + (29 if at >= 12 else 17) * HOUR]
        for at in range(0, 24, 4)
    ]
    found = {
        "checked_at": "2026-11-23T04:15:00+00:00",
        "findings": [
            finding("timing.unreachable", "high", "cart-0-4h", cost_per_week=812.4, currency="EUR"),
            finding("suppression.missing", "high", None),
            finding(
                "design.windows-gap",
                "low",
                "cart-2-7d",
                accepted={"reason": "e-mail's day", "until": "2026-12-31"},
            ),
        ],
        "checklist": [
            {"title": "Every audience has a holdout", "state": "done", "evidence": "somebody is held out"},
            {"title": "Offers stand in one place", "state": "unknown", "evidence": "no offers are listed"},
        ],
        "windows": [
            window("cart-0-4h", 0, 4, 0.0, 0.0),
            window(LONG, 0, 5, 0.021, 0.004),
            window("cart-4-24h", 4, 24, 0.917, 0.461),
            window("cart-2-7d", 48, 168, 1.0, 0.913),
        ],
        "basis": {
            "words": "a sync every 4 h, as in the last two weeks; 12 min from segment to list, as measured; Criteo at 00:00 and 12:00 UTC and 5 h",
            "interval_hours": 4.0,
            "interval_is_measured": True,
            "push_seconds": 720,
            "push_is_measured": True,
        },
        "waits": waits,
        "overrun_hours": 13.0,
        "overlaps": [
            {
                "one": "browse-no-cart",
                "other": "lapsed",
                "people": 1_204,
                "of_one": 0.3344,
                "of_other": 0.1003,
            },
            {"one": "cart-2-7d", "other": "lapsed", "people": 31, "of_one": 0.0211, "of_other": 0.0026},
        ],
    }
    return found | changes
