"""Reports to render: every state, open sides, a group with windows, a programme, eight weeks with a change. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from behind_documents import behind, together

from analysis.estimators.intervals import Interval
from analysis.verdict import Evidence, State, verdict

Document = dict[str, Any]
Ends = tuple[float | None, float | None]

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
STARTED = datetime(2026, 9, 28, 5, 0, tzinfo=UTC)
MARGIN = 0.45


def estimate(point: float | None, ends: Ends, method: str = "score") -> Document:
    return {"estimate": point, "interval": list(ends), "method": method}


def lift(point: float | None, ends: Ends, buyers: int, held: int, treated: int) -> Document:
    base = buyers / held if held else 0.0
    return {
        **estimate(point, ends, "score, skew-corrected, always valid"),
        "log_e_value": 2.1,
        "p_value": 0.12,
        "fixed": {**estimate(point, ends), "p_value": 0.01},
        "control_conversions": buyers,
        "precision": "no statement" if buyers < 20 else "low precision" if buyers < 50 else "full",
        "n_holdout": held,
        "n_treatment": treated,
        "mean_holdout": base,
        "mean_treatment": base * (1 + (point or 0.0)),
    }


def increment(total: float | None, ends: Ends, sold: float) -> Document:
    share = [None if end is None else end / sold for end in ends]
    return {
        "total": total,
        "interval": list(ends),
        "share": None if total is None else total / sold,
        "share_interval": share,
    }


def scaled(ends: Ends, factor: float, shift: float = 0.0) -> Ends:
    low, high = (None if end is None else end * factor + shift for end in ends)
    return (low, high)


def money(
    total: float | None, ends: Ends, *, spend: float, platform_spend: float, claimed: float, sold: float
) -> Document:
    per = 1 / spend if spend else 0.0
    roas = claimed / platform_spend if platform_spend else None
    returned = (None if total is None else total * per, scaled(ends, per)) if spend else (None, (None, None))
    low, high = ends
    left: Ends = (None if high is None else claimed - high, None if low is None else claimed - low)
    forgone = scaled(ends, 1 / 9)
    factor = (
        (None if returned[0] is None else returned[0] / roas, scaled(returned[1], 1 / roas))
        if roas
        else (None, (None, None))
    )
    return {
        "spend": spend,
        "platform_spend": platform_spend,
        "platform_revenue": claimed,
        "revenue_holdout": sold / 10,
        "revenue_treatment": sold,
        "increment": increment(total, ends, sold),
        "iroas": estimate(*returned, "iROAS"),
        "icpa": _cost_per_buyer(total, ends, spend),
        "blended_roas": sold / spend if spend else None,
        "platform_roas": roas,
        "incrementality_factor": estimate(*factor, "incrementality factor"),
        "claimed_not_incremental": estimate(None if total is None else claimed - total, left),
        "contribution": estimate(
            None if total is None else total * MARGIN - spend, scaled(ends, MARGIN, -spend)
        ),
        "revenue_forgone": estimate(None if total is None else total / 9, forgone),
        "net_cost_of_measuring": estimate(
            None if total is None else total / 9 * MARGIN - spend / 9, scaled(forgone, MARGIN, -spend / 9)
        ),
        "break_even": 1 / MARGIN,
    }


def _cost_per_buyer(total: float | None, ends: Ends, spend: float) -> Document:
    """As if an extra buyer brought 60 and spend were divided by them."""
    low, high = ends
    if not spend or total is None or high is None or high <= 0:
        return estimate(None, (None, None), "iCPA")
    if low is None or low <= 0:
        return estimate(None, (60 * spend / high, None), "iCPA, unbounded")
    return estimate(60 * spend / total, (60 * spend / high, 60 * spend / low), "iCPA")


def phase(audience: str, number: int, opened: datetime, percent: float, entrants: int) -> Document:
    held = round(entrants * percent / 100)
    return {
        "audience": audience,
        "phase": number,
        "opened_at": opened.isoformat(),
        "holdout_percent": percent,
        "universal_percent": 2.0,
        "holdout": held,
        "treatment": entrants - held,
        "universal": entrants // 50,
    }


def experiment(
    name: str,
    *,
    effect: float | None,
    effect_ends: Ends,
    buyers: int,
    worth: Document | None,
    audiences: Sequence[str] = (),
    kind: str = "audience",
    failed: str | None = None,
    phases: Sequence[Document] = (),
) -> Document:
    held = sum(each["universal" if kind == "programme" else "holdout"] for each in phases)
    treated = sum(each["treatment"] for each in phases)
    paid = worth is not None and worth["spend"] > 0
    found = verdict(
        Evidence(
            control_conversions=buyers,
            lift=Interval(*effect_ends),
            practical_lift=0.05,
            return_on_spend=Interval(*worth["iroas"]["interval"]) if worth is not None and paid else None,
            break_even=1 / MARGIN,
            conversions_per_week=6.0,
            failed_gate=failed,
        )
    )
    early = (None if effect is None else effect * 1.2, scaled(effect_ends, 1.3))
    return {
        "name": name,
        "kind": kind,
        "audiences": list(audiences) or [name],
        "window_days": 14.0,
        "phases": list(phases),
        "conversions": lift(effect, effect_ends, buyers, held, treated),
        "revenue": lift(*early, buyers, held, treated),
        "conversions_added": increment(
            None if effect is None else effect * buyers * 9, scaled(effect_ends, buyers * 9.0), buyers * 9.0
        ),
        "since_entry": lift(*early, buyers, held, treated),
        "money": worth,
        "gates": [
            {"name": "every arm agrees with its hash", "passed": True, "figure": "recomputed"},
            {
                "name": "as many are held out as were meant to be",
                "passed": failed is None,
                "figure": "p = 0.412, log Bayes factor -2.1" if failed is None else failed,
            },
            {
                "name": "the arms bought alike before they entered",
                "passed": True,
                "figure": "p = 1.000 at any look",
            },
            {
                "name": "the arms were alike before they entered",
                "passed": True,
                "figure": "largest difference 0.011 standard deviations, in recency",
            },
        ],
        "verdict": {
            "state": str(found.state),
            "sentence": found.sentence,
            "next_step": str(found.next_step),
            "next_sentence": found.next_sentence,
            "weeks_more": found.weeks_more,
        },
        **behind(
            lift(*early, buyers, held, treated),
            increment(*early, 1.0),
            lift(0.013, (-0.061, 0.092), 84, held, treated),
        ),
    }


def report(experiments: Sequence[Document], *, at: datetime = MONDAY, currency: str = "EUR") -> Document:
    watermark = at - timedelta(hours=5)
    return {
        "version": 1,
        "method": "always-valid score interval with skew term, stratified by phase (docs/statistics.md)",
        "measured_at": at.isoformat(),
        "watermark": watermark.isoformat(),
        "currency": currency,
        "margin": MARGIN,
        "break_even": 1 / MARGIN,
        "total": _total(experiments),
        "experiments": list(experiments),
        "together": together(experiments),
        "operations": _operations(experiments, at),
        "outlooks": [_outlook(each) for each in experiments],
        "firewall": {
            "held_out_and_listed": {
                name: 0 for each in experiments if each["kind"] == "audience" for name in each["audiences"]
            },
            "private_groups": [],
            "checked_at": (at - timedelta(hours=2)).isoformat(),
            "open_ad_sets": [],
        },
        "suppression": {
            each["name"]: _removal(each["money"] is not None)
            for each in experiments
            if each["kind"] == "audience"
        },
    }


def _outlook(found: Document) -> Document | None:
    if found["kind"] == "programme":
        return None
    answers = zip((0.05, 0.1, 0.2), (None, 31.4, 8.2), strict=True)
    return {
        "people_per_week": 6_104.5,
        "holdout": 0.1,
        "conversion": 0.031,
        "weeks_so_far": 8.0,
        "answers": [{"lift": lift, "weeks": weeks} for lift, weeks in answers],
    }


def _removal(is_known: bool) -> Document:
    return {
        "weeks": 2.0,
        "removal_p50_hours": 3.25 if is_known else None,
        "removal_p95_hours": 61.5 if is_known else None,
        "removed": 412 if is_known else 7,
        "still_listed": 31,
        "share": 0.0042 if is_known else None,
        "spend": 88.2 if is_known else None,
    }


def _total(experiments: Sequence[Document]) -> Document:
    paid = [each for each in experiments if each["money"] is not None and each["kind"] != "programme"]
    silent = {str(State.INVALID), str(State.NOT_ENOUGH_DATA)}
    said = [each["money"] for each in paid if each["verdict"]["state"] not in silent]
    bought = [each for each in said if each["spend"]]
    spend = sum(each["money"]["platform_spend"] for each in paid)
    claimed = sum(each["money"]["platform_revenue"] for each in paid)
    with_spend = [each["money"] for each in paid if each["money"]["spend"]]
    compared = sum(each["spend"] for each in with_spend)
    sold = sum(each["revenue_treatment"] for each in with_spend)
    measured = sum(each["spend"] for each in bought)
    added, ends = _sum(said)
    returned, returned_ends = _sum(bought)
    return {
        "spend": spend,
        "claimed_revenue": claimed,
        "platform_roas": claimed / spend if spend else None,
        "blended_roas": sold / compared if compared else None,
        "incremental_revenue": added,
        "incremental_interval": ends,
        "iroas": returned / measured if returned is not None and measured else None,
        "iroas_interval": [None if end is None or not measured else end / measured for end in returned_ends],
        "measured_spend": measured,
    }


def _sum(parts: Sequence[Document]) -> tuple[float | None, list[float | None]]:
    """A total of the right kind: that its ends are right is not this fixture's concern."""
    if not parts:
        return None, [None, None]
    ends: list[float | None] = []
    for side in (0, 1):
        values = [each["increment"]["interval"][side] for each in parts]
        ends.append(None if None in values else sum(values))
    return sum(each["increment"]["total"] for each in parts), ends


def _operations(experiments: Sequence[Document], at: datetime) -> Document:
    names = {name: each for each in experiments if each["kind"] != "programme" for name in each["audiences"]}
    found = {
        name: {
            "role": "include",
            "holdout_group": each["name"],
            "holdout_percent": each["phases"][-1]["holdout_percent"] if each["phases"] else 10.0,
            "holdout_history": [
                {
                    "at": change["opened_at"],
                    "percent": change["holdout_percent"],
                    "route": "file",
                    "who": "",
                    "reason": "",
                }
                for change in each["phases"]
                if change["audience"] == name
            ],
            "universal_history": [],
            "last_sync": (at - timedelta(hours=3)).isoformat(),
            "outcome": "applied",
            "units": 18_420,
            "identifiers": 18_420,
            "matches": 11_296,
            "match_rate": 0.6132,
            "refusals": [],
            "last_week": {"applied": 41, "refused": 1, "failed": 0},
            "freshness": {"p50_hours": 2.0, "p95_hours": 3.8, "people": 5_214},
        }
        for name, each in names.items()
    }
    found["recent-purchasers"] = {
        "role": "exclude",
        "holdout_group": "",
        "holdout_percent": None,
        "holdout_history": [],
        "universal_history": [],
        "last_sync": (at - timedelta(days=3)).isoformat(),
        "outcome": "refused",
        "units": 9_311,
        "identifiers": None,
        "matches": None,
        "match_rate": None,
        "last_week": {"applied": 38, "refused": 4, "failed": 0},
        "freshness": None,
        "refusals": ["the segment lost 41 % of its members since the last sync; at most 20 % is allowed"],
    }
    found["never-synced"] = dict.fromkeys(found["recent-purchasers"]) | {
        "role": "exclude",
        "refusals": [],
        "holdout_history": [],
        "universal_history": [],
    }
    return found


def phases(name: str, at: datetime, changed: datetime | None = None) -> list[Document]:
    weeks = max(1, (at - STARTED).days // 7)
    if changed is None or changed >= at:
        return [phase(name, 0, STARTED, 10.0, 6_100 * weeks)]
    before = (changed - STARTED).days // 7
    return [
        phase(name, 0, STARTED, 10.0, 6_100 * before),
        phase(name, 1, changed, 20.0, 6_100 * (weeks - before)),
    ]


def cart(at: datetime = MONDAY, weeks: int = 8, changed: datetime | None = None) -> list[Document]:
    """A group with three windows; its return is above break-even once eight weeks have gone by."""
    half = 0.62 / weeks**0.6
    names = ("cart-0-4h", "cart-4-24h", "cart-2-7d")
    effect, ends = 0.214, (0.214 - half, 0.214 + 1.15 * half if weeks > 2 else None)
    spend = 2_260.0 * weeks
    total = 3.02 * spend
    added: Ends = (
        total - 6.4 * spend / weeks**1.1,
        total + 7.0 * spend / weeks**1.1 if weeks > 2 else None,
    )
    worth = money(
        total, added, spend=spend, platform_spend=spend * 1.04, claimed=6.83 * spend * 1.04, sold=spend * 4.6
    )
    spans = [each for name in names for each in phases(name, at, changed)]
    windows = [
        experiment(
            name, effect=effect * scale, effect_ends=(effect * scale - 1.6 * half, effect * scale + 1.8 * half),
            buyers=round(9.5 * weeks / (1 + place)), worth=None, phases=phases(name, at, changed),
        )
        for place, (name, scale) in enumerate(zip(names, (1.3, 0.9, 0.4), strict=True))
    ]  # fmt: skip
    group = experiment(
        "cart", effect=effect, effect_ends=ends, buyers=17 * weeks, worth=worth, audiences=names, kind="group", phases=spans
    )  # fmt: skip
    return [group, *windows]


def unprofitable(name: str = "lapsed", at: datetime = MONDAY) -> Document:
    worth = money(
        6_140.0, (1_020.0, 11_300.0), spend=9_800.0, platform_spend=10_050.0, claimed=48_900.0, sold=41_200.0
    )
    return experiment(
        name, effect=0.087, effect_ends=(0.014, 0.163), buyers=412, worth=worth, phases=phases(name, at)
    )


def not_incremental(name: str = "vip", at: datetime = MONDAY) -> Document:
    worth = money(
        -210.0, (-3_900.0, 2_700.0), spend=7_400.0, platform_spend=7_400.0, claimed=38_100.0, sold=70_300.0
    )
    return experiment(
        name, effect=-0.002, effect_ends=(-0.05, 0.041), buyers=903, worth=worth, phases=phases(name, at)
    )


def inconclusive(name: str = "browse-no-cart", at: datetime = MONDAY) -> Document:
    worth = money(
        9_240.0, (-4_300.0, 24_100.0), spend=5_210.0, platform_spend=5_300.0, claimed=27_400.0, sold=22_900.0
    )
    return experiment(
        name, effect=0.06, effect_ends=(-0.08, 0.22), buyers=64, worth=worth, phases=phases(name, at)
    )


def not_enough(name: str = "new-visitors", at: datetime = MONDAY) -> Document:
    worth = money(None, (None, None), spend=640.0, platform_spend=700.0, claimed=2_940.0, sold=1_730.0)
    return experiment(
        name, effect=0.31, effect_ends=(-0.6, None), buyers=11, worth=worth, phases=phases(name, at)
    )


def invalid(name: str = "win-back", at: datetime = MONDAY) -> Document:
    worth = money(
        8_888.0, (7_777.0, 9_999.0), spend=3_100.0, platform_spend=3_100.0, claimed=13_600.0, sold=21_100.0
    )
    return experiment(
        name, effect=0.4444, effect_ends=(0.3333, 0.5555), buyers=140, worth=worth, phases=phases(name, at),
        failed="p = 0.000, log Bayes factor 31.4",
    )  # fmt: skip


def unbounded(name: str = "subscribers", at: datetime = MONDAY) -> Document:
    worth = money(
        2_480.0, (310.0, None), spend=1_490.0, platform_spend=1_500.0, claimed=7_350.0, sold=6_260.0
    )
    return experiment(
        name, effect=0.31, effect_ends=(0.02, None), buyers=23, worth=worth, phases=phases(name, at)
    )


def no_spend(name: str = "newsletter", at: datetime = MONDAY) -> Document:
    worth = money(12_300.0, (4_100.0, 20_700.0), spend=0.0, platform_spend=0.0, claimed=0.0, sold=61_000.0)
    return experiment(
        name, effect=0.11, effect_ends=(0.03, 0.19), buyers=240, worth=worth, phases=phases(name, at)
    )


def programme(at: datetime = MONDAY) -> Document:
    worth = money(
        52_000.0,
        (8_100.0, 101_000.0),
        spend=35_700.0,
        platform_spend=36_400.0,
        claimed=201_000.0,
        sold=162_000.0,
    )
    return experiment(
        "programme", effect=0.12, effect_ends=(-0.01, 0.27), buyers=88, worth=worth, kind="programme",
        audiences=("cart-0-4h", "cart-4-24h", "cart-2-7d", "browse-no-cart", "lapsed"),
        phases=[each for name in ("cart-0-4h", "cart-4-24h", "cart-2-7d") for each in phases(name, at)],
    )  # fmt: skip


def full_report(at: datetime = MONDAY, weeks: int = 8, changed: datetime | None = None) -> Document:
    return report([*cart(at, weeks, changed), inconclusive(at=at), unprofitable(at=at), programme(at)], at=at)


def every_state(at: datetime = MONDAY) -> Document:
    return report(
        [
            *cart(at), inconclusive(at=at), unprofitable(at=at), not_incremental(at=at), not_enough(at=at),
            invalid(at=at), unbounded(at=at), no_spend(at=at), programme(at),
        ],
        at=at,
    )  # fmt: skip


def eight_weeks() -> list[Document]:
    """Eight Mondays, oldest first, with the cart's holdout raised from 10 to 20 % after the fourth."""
    changed = MONDAY - timedelta(weeks=3, days=4)
    return [full_report(MONDAY - timedelta(weeks=8 - week), week, changed) for week in range(1, 9)]
