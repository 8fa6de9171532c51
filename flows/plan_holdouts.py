"""Plans holdouts: what is detectable when, what a holdout costs, and a share for each audience. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from analysis.history import newest_measurement
from analysis.own_history import read_pasts
from analysis.planning import Advice, Past, advise, detectable, smallest_shares, weeks_needed
from experiments.assignment import PPM
from experiments.errors import Rejected
from flows.presentation import show_summary
from flows.preview import table_text
from flows.runs import timed
from flows.session import moment, open_session, seconds

Weeks = Annotated[int, Field(ge=1, le=104)]
LiftPercent = Annotated[float, Field(gt=0, le=200)]
Budget = Annotated[float, Field(ge=0)]


@flow(name="plan-holdouts", flow_run_name=timed("plan-holdouts"), persist_result=False)
def plan_holdouts(
    lift_percent: LiftPercent = 10.0,
    weeks: Weeks = 13,
    budget: Budget | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Recommends a holdout for each audience from its own history; changes nothing.

    Args:
        lift_percent: The smallest lift of conversions that is worth knowing, in percent.
        weeks: When the answer is wanted.
        budget: Contribution that all holdouts together may forgo in a week; empty means no limit.
        now: The time of the plan; empty means the time of the run.
    """
    at = seconds(moment(now))
    with open_session() as session:
        programme = session.programme
        told = newest_measurement(session.engine)
        pasts = read_pasts(session.engine, programme, told, at)
    lift = lift_percent / 100
    usable = [past for past in pasts if past.units_per_week > 0 and 0 < past.rate < 1 / (1 + lift)]
    advices = advise(usable, lift=lift, weeks=weeks, margin=programme.margin, budget=budget)
    document = {
        "lift": lift,
        "weeks": weeks,
        "budget_a_week": budget,
        "currency": programme.currency,
        "experiments": [_document(each, lift, weeks) for each in advices],
        "unknown": [past.name for past in pasts if past not in usable],
    }
    show_summary("plan", power_text(document), "Which holdout each audience needs")
    return document


def quick_power(
    entrants_per_week: float, conversion: float, holdout_ppm: int, *, lift: float, weeks: int
) -> dict[str, Any]:
    """The same for numbers that somebody has at hand, without a ledger."""
    past = Past("", (), holdout_ppm / PPM, entrants_per_week, conversion)
    if not holdout_ppm or not 0 < conversion < 1 / (1 + lift):
        raise Rejected(
            "a plan needs a holdout, and a conversion rate between 0% and 100% that the lift can raise"
        )
    return {
        "lift": lift,
        "weeks": weeks,
        "entrants_per_week": entrants_per_week,
        "conversion": conversion,
        "holdout": past.share,
        "weeks_needed": weeks_needed(past, lift, past.share),
        "smallest_holdout": asdict(smallest_shares(past, lift, weeks)),
        "detectable": [asdict(each) for each in detectable(past, past.share)],
    }


def power_of_text(found: Mapping[str, Any]) -> str:
    """That for a person."""
    lines = [
        f"{found['entrants_per_week']:,.0f} people a week of whom {found['conversion']:.2%} buy and {found['holdout']:.1%} are held out:",
        _detectable_text(found["detectable"]),
        f"a lift of {found['lift']:.0%} shows after {found['weeks_needed']:,.1f} weeks, read whenever you like",
        f"to show it within {found['weeks']} weeks, hold out {_smallest_text(found['smallest_holdout'])}",
    ]
    return "\n".join(lines)


def power_text(found: Mapping[str, Any]) -> str:
    """The plan for a person: one table of recommendations, then what is detectable when."""
    rows = [_row(each, found["currency"]) for each in found["experiments"]]
    lines = [table_text(rows)] if rows else []
    for each in found["experiments"]:
        lines.append(f"\n{each['name']} at {each['table_share']:.1%}, smallest lift that shows:")
        lines.append(_detectable_text(each["detectable"]))
        smallest = _smallest_text(each["smallest_holdout"])
        lines.append(f"for {found['lift']:.0%} within {found['weeks']} weeks, hold out {smallest}")
    lines += [
        f"{name}: nobody new has entered, or no window with an order in it has closed yet"
        for name in found["unknown"]
    ]
    return "\n".join(lines)


def _document(advice: Advice, lift: float, weeks: int) -> dict[str, Any]:
    past = advice.past
    share = past.share or advice.share or 0.1
    return {
        "name": past.name,
        "audiences": list(past.audiences),
        "holdout": past.share,
        "entrants_per_week": past.units_per_week,
        "conversion": past.rate,
        "recommended": advice.share,
        "price_a_week": {
            "estimate": advice.price.estimate,
            "interval": [advice.price.interval.low, advice.price.interval.high],
            "by": advice.price.method,
        },
        "weeks_needed": advice.weeks,
        "is_too_small": advice.is_too_small,
        "sentence": advice.sentence,
        "smallest_holdout": asdict(smallest_shares(past, lift, weeks)),
        "table_share": share,
        "detectable": [asdict(each) for each in detectable(past, share)],
    }


def _row(each: Mapping[str, Any], currency: str) -> dict[str, Any]:
    price = each["price_a_week"]["estimate"]
    low, high = each["price_a_week"]["interval"]
    span = "" if low is None or high is None else f" ({low:+,.0f} to {high:+,.0f})"
    return {
        "experiment": each["name"],
        "a week": round(each["entrants_per_week"]),
        "buy": f"{each['conversion']:.2%}",
        "now": f"{each['holdout']:.1%}",
        "recommended": f"{each['recommended']:.1%}",
        f"{currency} a week": "–" if price is None else f"{price:+,.0f}{span}",
        "weeks": "–" if each["weeks_needed"] is None else str(each["weeks_needed"]),
        "why": each["sentence"],
    }


def _detectable_text(rows: Sequence[Mapping[str, Any]]) -> str:
    return table_text(
        [
            {
                "weeks": each["weeks"],
                "people": round(each["people"]),
                "one look": f"{each['fixed']:.1%}",
                "planned looks": f"{each['group_sequential']:.1%}",
                "any time": f"{each['always_valid']:.1%}",
                "revenue, any time": "–" if each["revenue"] is None else f"{each['revenue']:.1%}",
            }
            for each in rows
        ]
    )


def _smallest_text(found: Mapping[str, float | None]) -> str:
    def said(share: float | None) -> str:
        return "no share will do" if share is None else f"{share:.1%}"

    return (
        f"{said(found['always_valid'])} (read any time), {said(found['group_sequential'])} (planned looks), "
        f"{said(found['fixed'])} (one look)"
    )


if __name__ == "__main__":
    plan_holdouts()
