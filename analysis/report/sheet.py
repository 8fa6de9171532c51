"""The main numbers of a report as one row per experiment, for a spreadsheet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.report.weeks import says_lift, says_money, says_return

Document = Mapping[str, Any]
COLUMNS = (
    "measured_at", "watermark", "currency", "experiment", "kind", "audiences", "verdict", "next_step",
    "holdout_entrants", "treatment_entrants", "control_conversions", "precision",
    "lift", "lift_low", "lift_high", "revenue_lift", "revenue_lift_low", "revenue_lift_high",
    "incremental_revenue", "incremental_revenue_low", "incremental_revenue_high",
    "spend", "platform_spend", "platform_revenue", "platform_roas", "blended_roas",
    "iroas", "iroas_low", "iroas_high", "break_even",
    "icpa", "icpa_low", "icpa_high",
    "net_cost_of_measuring", "net_cost_of_measuring_low", "net_cost_of_measuring_high",
    "weeks_to_lift_5", "weeks_to_lift_10", "weeks_to_lift_20",
)  # fmt: skip
"""Estimates that may not be said are empty, and so are the open sides of intervals."""


def sheet(told: Document) -> list[dict[str, Any]]:
    """Exact values, as `report.json` has them."""
    outlooks = told.get("outlooks") or [None] * len(told["experiments"])
    return [
        _row(told, each) | _weeks(outlook)
        for each, outlook in zip(told["experiments"], outlooks, strict=True)
    ]


def _row(told: Document, found: Document) -> dict[str, Any]:
    held = "universal" if found["kind"] == "programme" else "holdout"
    return {
        **{key: told[key] for key in ("measured_at", "watermark", "currency", "break_even")},
        "experiment": found["name"],
        "kind": found["kind"],
        "audiences": " ".join(found["audiences"]),
        "verdict": found["verdict"]["state"],
        "next_step": found["verdict"]["next_step"],
        "holdout_entrants": sum(each[held] for each in found["phases"]),
        "treatment_entrants": sum(each["treatment"] for each in found["phases"]),
        "control_conversions": found["conversions"]["control_conversions"],
        "precision": found["conversions"]["precision"],
        **(_lifts(found) if says_lift(found) else {}),
        **_money(found),
    }


def _lifts(found: Document) -> dict[str, Any]:
    return _spread("lift", found["conversions"]) | _spread("revenue_lift", found["revenue"])


def _money(found: Document) -> dict[str, Any]:
    money = found["money"]
    if money is None:
        return {}
    plain = ("spend", "platform_spend", "platform_revenue", "platform_roas", "blended_roas")
    row = {key: money[key] for key in plain}
    if says_money(found):
        added = money["increment"]
        row |= _spread("incremental_revenue", {"estimate": added["total"], "interval": added["interval"]})
        row |= _spread("net_cost_of_measuring", money["net_cost_of_measuring"])
    if says_return(found):
        row |= _spread("iroas", money["iroas"]) | _spread("icpa", money["icpa"])
    return row


def _weeks(outlook: Document | None) -> dict[str, Any]:
    answers = [] if outlook is None else outlook["answers"]
    return {f"weeks_to_lift_{round(100 * each['lift'])}": each["weeks"] for each in answers}


def _spread(name: str, found: Document) -> dict[str, Any]:
    low, high = found["interval"]
    return {name: found["estimate"], f"{name}_low": low, f"{name}_high": high}
