"""The first screen of the report: one sentence, and one row per experiment that carries money. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.estimators.gates import Precision
from analysis.report.ladder import Ladder, Scale, added_rung, flat_rung, scale
from analysis.report.weeks import named, says_lift, says_money, says_return
from analysis.report.wording import (
    NOT_ENOUGH,
    WITHHELD,
    Place,
    Sentence,
    Way,
    between,
    estimated,
    holdout_text,
    money,
    ratio,
    ratio_decimals,
    short_between,
    signed_percent,
)
from analysis.verdict import State

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict as it is shown: words, and the name of its colour and of its shape."""

    words: str
    tone: str
    shape: str


JUDGEMENTS: Mapping[str, Judgement] = {
    State.PROFITABLE: Judgement("Pays for itself", "good", "up"),
    State.INCREMENTAL: Judgement("Adds sales", "good", "up-open"),
    State.UNPROFITABLE: Judgement("Adds sales, loses money", "bad", "down"),
    State.NOT_INCREMENTAL: Judgement("Adds too little", "bad", "bar"),
    State.INCONCLUSIVE: Judgement("Still open", "open", "half"),
    State.NOT_ENOUGH_DATA: Judgement("Not enough data", "quiet", "dots"),
    State.INVALID: Judgement("Cannot be trusted", "alarm", "cross"),
}
TO_DO: Mapping[str, str] = {
    State.PROFITABLE: "Lower the holdout",
    State.INCREMENTAL: "Load the spend",
    State.UNPROFITABLE: "Cut or change the spend",
    State.NOT_INCREMENTAL: "Stop or change these ads",
    State.INCONCLUSIVE: "Raise the holdout",
    State.NOT_ENOUGH_DATA: "Wait, or raise the holdout",
    State.INVALID: "Repair first",
}


@dataclass(frozen=True, slots=True)
class Ways:
    """How this report says money and returns."""

    money: Way
    ratio: Way
    unit: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the first screen; a window of a group has no money of its own."""

    name: str
    title: str
    anchor: str
    is_window: bool
    judgement: Judgement
    before: Judgement | None
    is_rough: bool
    sentence: str
    added: Sentence
    added_range: Sentence
    lift: Sentence
    ladder: Ladder | None
    holdout: str
    next_step: str
    next_sentence: str


def ways(told: Document) -> Ways:
    """Money in the report's currency, returns as precise as break-even needs."""
    currency = told["currency"]
    unit = money_unit(currency)
    return Ways(money(currency), ratio(ratio_decimals(_returns(told), told["break_even"])), unit)


def money_unit(currency: str) -> str:
    """One unit of the currency: €1."""
    return money(currency)(Place(1.0)).text.replace(".00", "")


def headline(root: Place, said: Ways) -> Sentence:
    """The result in one breath, honest about what it cannot say."""
    total, break_even = root["total"], root["break_even"]
    ending: Sentence = (" Break-even is ", said.ratio(break_even), ".")
    if not root.value["experiments"]:
        return ("Nothing has been measured yet.",)
    if not total.value["spend"]:
        return ("No ad spend is known, so no return can be told.", *_added_money(total, said), *ending)
    claimed: Sentence = ("Criteo claims ", said.ratio(total["platform_roas"]), ".")
    blended: Sentence = ()
    if total.value["blended_roas"] is not None:
        blended = (" Blended ", said.ratio(total["blended_roas"]), ".")
    return (*claimed, *blended, " ", *_added(root, said), *ending)


def verdict_on_total(told: Document) -> str:
    """What the sentence comes to."""
    low, high = told["total"]["iroas_interval"]
    needed = told["break_even"]
    if told["total"]["iroas"] is None:
        return ""
    if low is not None and low > needed:
        return "Taken together, the ads pay for themselves."
    if high is not None and high < needed:
        return "Taken together, the ads bring back less than they need to."
    return "Whether the ads pay for themselves, taken together, is still open."


def left_out(told: Document) -> tuple[str, ...]:
    """Experiments with spend whose money is in no total, each with the reason."""
    return tuple(
        f"{each['name']} ({'a check failed' if each['verdict']['state'] == State.INVALID else 'not enough data'})"
        for each in told["experiments"]
        if each["money"] is not None and each["kind"] != "programme" and not says_money(each)
    )


def axis_of(told: Document) -> Scale:
    """One scale for all ladders, the programme's included."""
    intervals = [each["money"]["iroas"]["interval"] for each in told["experiments"] if says_return(each)]
    return scale(_points(told), intervals, told["break_even"])


def rows(root: Place, before: Document | None) -> tuple[Row, ...]:
    """Every experiment but the programme, in the order of the report."""
    said, axis = ways(root.value), axis_of(root.value)
    return tuple(
        row(each, root, said, axis, before)
        for each in root["experiments"].each()
        if each.value["kind"] != "programme"
    )


def row(place: Place, root: Place, said: Ways, axis: Scale, before: Document | None) -> Row:
    """One experiment's line."""
    found = place.value
    verdict = found["verdict"]
    earlier = None if before is None else named(before, found["name"])
    changed = earlier is not None and earlier["verdict"]["state"] != verdict["state"]
    return Row(
        name=found["name"],
        title="Whole programme" if found["kind"] == "programme" else found["name"],
        anchor=f"experiment-{place.pointer.rsplit('/', 1)[-1]}",
        is_window=found["money"] is None,
        judgement=JUDGEMENTS[verdict["state"]],
        before=JUDGEMENTS[earlier["verdict"]["state"]] if changed and earlier else None,
        is_rough=says_lift(found) and found["conversions"]["precision"] == Precision.LOW,
        sentence=verdict["sentence"],
        added=_row_added(place, said),
        added_range=_row_range(place, said),
        lift=lift_sentence(place, "conversions"),
        ladder=_ladder(place, root, said, axis),
        holdout=holdout_now(found, root.value.get("operations", {})),
        next_step=TO_DO[verdict["state"]],
        next_sentence=verdict["next_sentence"],
    )


def silence(experiment: Document) -> Sentence:
    """What stands where a number may not."""
    return WITHHELD if experiment["verdict"]["state"] == State.INVALID else NOT_ENOUGH


def lift_sentence(place: Place, outcome: str) -> Sentence:
    """One outcome's lift with its interval, or why there is none."""
    if not says_lift(place.value):
        return silence(place.value)
    found = place[outcome]
    return estimated(found["estimate"], found["interval"], signed_percent)


def holdout_now(experiment: Document, operations: Document) -> str:
    """The percentage in force, several where the audiences of a group differ."""
    if experiment["kind"] == "programme":
        latest = max(experiment["phases"], key=lambda each: str(each["opened_at"]), default=None)
        return holdout_text(latest["universal_percent"]) if latest else "none"
    last = {each["audience"]: each["holdout_percent"] for each in experiment["phases"]}
    known = [_holdout_of(name, operations, last) for name in experiment["audiences"]]
    return " / ".join(dict.fromkeys(holdout_text(each) for each in known if each is not None)) or "none"


def measured_from(told: Document) -> datetime | None:
    """When the first phase opened."""
    opened = [phase["opened_at"] for each in told["experiments"] for phase in each["phases"]]
    return datetime.fromisoformat(min(opened)) if opened else None


def _holdout_of(name: str, operations: Document, last: Mapping[str, float]) -> float | None:
    known: float | None = operations.get(name, {}).get("holdout_percent")
    return last.get(name) if known is None else known


def _added(root: Place, said: Ways) -> Sentence:
    total = root["total"]
    if total.value["iroas"] is None:
        reasons = {each["verdict"]["state"] for each in root.value["experiments"] if each["money"]}
        why = "a check failed" if reasons == {State.INVALID} else "too few held-out people have bought"
        return (f"What the ads added cannot be said yet: {why}.",)
    return (
        "What the ads added: ",
        said.ratio(total["iroas"]),
        ", surely ",
        *between(total["iroas_interval"], said.ratio),
        ".",
    )


def _added_money(total: Place, said: Ways) -> Sentence:
    if total.value["incremental_revenue"] is None:
        return (" What the ads added cannot be said yet: too few held-out people have bought.",)
    added = estimated(total["incremental_revenue"], total["incremental_interval"], said.money)
    return (" The ads added ", *added, " of revenue.")


def _row_added(place: Place, said: Ways) -> Sentence:
    if not says_money(place.value):
        return silence(place.value) if place.value["money"] is not None else ()
    total = place["money"]["increment"]["total"]
    return ("not estimable",) if total.value is None else (said.money(total),)


def _row_range(place: Place, said: Ways) -> Sentence:
    if not says_money(place.value):
        return ()
    return short_between(place["money"]["increment"]["interval"], said.money)


def _ladder(place: Place, root: Place, said: Ways, axis: Scale) -> Ladder | None:
    found = place["money"]
    if found.value is None or not found.value["platform_spend"]:
        return None
    claimed, blended, added = found["platform_roas"], found["blended_roas"], found["iroas"]
    is_invalid = place.value["verdict"]["state"] == State.INVALID
    rungs = [flat_rung("claimed", "Criteo", claimed.value, _number(claimed, said), axis)]
    if is_invalid:
        rungs.append(flat_rung("blended", "Blended", None, ("withheld",), axis))
    else:
        rungs.append(flat_rung("blended", "Blended", blended.value, _number(blended, said), axis))
    if says_return(place.value):
        words: Sentence = (
            said.ratio(added["estimate"]),
            " (",
            *short_between(added["interval"], said.ratio),
            ")",
        )
        rungs.append(added_rung(added["estimate"].value, added["interval"].value, words, axis))
    else:
        rungs.append(added_rung(None, (None, None), ("withheld",) if is_invalid else NOT_ENOUGH, axis))
    return Ladder(tuple(rungs), axis.at(0.0), axis.at(root.value["break_even"]))


def _number(place: Place, said: Ways) -> Sentence:
    return ("no spend",) if place.value is None else (said.ratio(place),)


def _points(told: Document) -> list[float]:
    found = [each["money"] for each in told["experiments"] if each["money"] is not None]
    values = [value for each in found for value in (each["platform_roas"], each["blended_roas"])]
    values += [each["money"]["iroas"]["estimate"] for each in told["experiments"] if says_return(each)]
    return [value for value in values if value is not None]


def _returns(told: Document) -> list[float]:
    said: Sequence[Document] = [each["money"]["iroas"] for each in told["experiments"] if says_return(each)]
    ends = [end for each in said for end in each["interval"] if end is not None]
    totals = [told["total"]["iroas"], *told["total"]["iroas_interval"]]
    return [*_points(told), *ends, *(value for value in totals if value is not None)]
