"""What stands behind one experiment's headline, in words. Pure."""

from __future__ import annotations

from datetime import datetime

from analysis.estimators.gates import Precision
from analysis.report.fact_lines import Fact
from analysis.report.page import Ways, silence
from analysis.report.weeks import says_lift, says_money
from analysis.report.wording import (
    Place,
    Said,
    Sentence,
    Way,
    count,
    estimated,
    percent,
    short_day,
    signed_percent,
    thousandths,
)
from analysis.verdict import State


def behind(place: Place, said: Ways) -> tuple[Fact, ...]:
    """Lines for whoever wants to know how far the headline can be trusted."""
    return (
        *_planned(place),
        *_early(place),
        *_capped(place, said),
        *_claimed(place, said),
        *_reachable(place),
        *_corrected(place, said),
        *_between(place),
        *_placebo(place),
    )


def _corrected(place: Place, said: Ways) -> tuple[Fact, ...]:
    """What a correction by earlier purchases achieved; a number only where it achieved something."""
    if not place.value.get("corrected") or not says_lift(place.value):
        return ()
    ways = (
        ("conversions", "Buyers per 1\u202f000, corrected", thousandths),
        ("revenue", "Revenue per person, corrected", said.money),
    )
    return tuple(
        Fact("corrected", label, _correction(place["corrected"][outcome], way))
        for outcome, label, way in ways
        if place["corrected"][outcome].value is not None
    )


def _correction(found: Place, way: Way) -> Sentence:
    achieved = found["variance_reduction"]
    if found["difference"].value is None:
        return (
            "not used: earlier purchases explain ",
            percent(achieved),
            " of the variance, and 5\u202f% are worth it",
        )
    difference = found["difference"]
    return (
        *estimated(difference["estimate"], difference["interval"], way),
        " more; earlier purchases explain ", percent(achieved), " of the variance",
    )  # fmt: skip


def _between(place: Place) -> tuple[Fact, ...]:
    """Whether one lift can stand for all phases."""
    if not place.value.get("between_phases") or not says_lift(place.value):
        return ()
    found = place["between_phases"]
    p = found["p_value"]
    figure = Said(f"{p.value:.3f}", p.value, p.pointer)
    words: Sentence = (
        ("the effect differs more than chance makes it (p = ", figure, "): one number hides that")
        if found["reportable"].value
        else ("no more than chance makes it (p = ", figure, ")")
    )
    return (Fact("phase", "Difference between phases", words),)


def _planned(place: Place) -> tuple[Fact, ...]:
    """By which plan the window is read, where it is read up to an end."""
    if not place.value.get("planned_end"):
        return ()
    found = place["planned_end"]
    if found["state"].value == "too late":
        words: Sentence = ("the planned end came after the first reading, so this is read without one",)
    else:
        ends = short_day(datetime.fromisoformat(found["ends_at"].value))
        over = found["state"].value == "over"
        closing = "reached: no later window counts" if over else "ranges hold at every look until then"
        words = (
            f"a planned end on {ends}, frozen before the first look; {closing}; looks so far: ",
            count(found["looks"]),
        )
    return (Fact("planned-end", "Read up to", words),)


def _early(place: Place) -> tuple[Fact, ...]:
    """Said as what it is: a look ahead, that decides nothing."""
    if place.value.get("early") is None:
        return ()
    found = place["early"]
    if place.value["verdict"]["state"] == State.INVALID:
        words = silence(place.value)
    elif found["estimate"].value is None:
        words = ("nothing yet: nobody in both halves has been here for a whole window and bought",)
    elif found["interval"].value == [None, None]:
        words = (
            "nothing yet: ",
            count(found["holdout_buyers"]),
            " held-out people have bought, 20 are needed",
        )
    else:
        low, high = found["interval"].each()
        words = (
            signed_percent(found["estimate"]), ", between ", signed_percent(low), " and ", signed_percent(high),
            "; from ", count(found["people"]), " people, most of them still inside the window",
        )  # fmt: skip
    return (Fact("early", "Lift in buyers, early look (no verdict)", words),)


def _claimed(place: Place, said: Ways) -> tuple[Fact, ...]:
    """Orders of people who were to see no ad, and which Criteo calls its own all the same."""
    if place.value.get("claimed") is None:
        return ()
    found = place["claimed"]
    if not found["holdout_orders"].value:
        words: Sentence = ("none",)
    else:
        words = (
            count(found["holdout_orders"]),
            " worth ",
            said.money(found["holdout_revenue"]),
            *_shares(found),
        )
    return (Fact("claimed-holdout", "Orders of held-out people that Criteo claims", words),)


def _shares(found: Place) -> Sentence:
    if found["holdout_share"].value is None or found["treatment_share"].value is None:
        return ()
    return (
        ": ", percent(found["holdout_share"]), " of what they bought, and ", percent(found["treatment_share"]),
        " of what people advertised to bought",
    )  # fmt: skip


def _reachable(place: Place) -> tuple[Fact, ...]:
    """The same effect over fewer people: everyone advertised to, and those whom Criteo recognises."""
    if place.value.get("reachable") is None:
        return ()
    found = place["reachable"]
    rate: Sentence = (
        "Criteo recognises ", percent(found["match_rate"]), " of the list (in four weeks between ",
        percent(found["match_interval"][0]), " and ", percent(found["match_interval"][1]), ")", *_leaked(found),
    )  # fmt: skip
    if not says_lift(place.value):
        return (Fact("reachable", "Extra buyers per 1\u202f000", (*silence(place.value), "; ", *rate)),)
    return (
        Fact(
            "intention-to-treat",
            "Extra buyers per 1\u202f000 advertised to",
            _per_thousand(found["per_treated"]),
        ),
        Fact(
            "reachable",
            "Extra buyers per 1\u202f000 reachable",
            (*_per_thousand(found["per_reachable"]), "; ", *rate),
        ),
    )


def _leaked(found: Place) -> Sentence:
    """Said where Criteo claims orders of people held out: how many of them saw these ads nobody can tell."""
    if not found.value["leak"]:
        return ()
    return (
        "; the range allows for ",
        percent(found["leak"]),
        " of the people held out having seen ads as well",
    )


def _per_thousand(found: Place) -> Sentence:
    return estimated(found["estimate"], found["interval"], thousandths)


def _placebo(place: Place) -> tuple[Fact, ...]:
    """What the same method says of the time before anybody could see an ad: nothing, if all is well."""
    if place.value.get("placebo") is None:
        return ()
    found = place["placebo"]
    if found["precision"].value == Precision.NONE:
        words: Sentence = ("not judged: fewer than 20 held-out people had bought in those 28 days",)
    else:
        words = (
            *estimated(found["estimate"], found["interval"], signed_percent),
            " in the 28 days before entry; no ad can have made it",
        )
    return (Fact("placebo", "Placebo", words),)


def _capped(place: Place, said: Ways) -> tuple[Fact, ...]:
    """Revenue with large orders cut off, beside the same without."""
    if place.value.get("capped") is None:
        waits: Sentence = ("no cap yet: it is set once 1\u202f000 orders are known, and then never changed",)
        return (Fact("cap", "Large orders", waits),)
    found = place["capped"]
    removed: Sentence = (
        ()
        if found["removed"].value is None
        else ("; takes away ", percent(found["removed"]), " of the revenue")
    )
    rule: Sentence = (
        "each order counts up to ", said.money(found["limit"]), ": 99 of ",
        "100 orders were below when that was set, from ", count(found["orders"]), " orders", *removed,
    )  # fmt: skip
    lines = [
        Fact("cap", "Large orders", rule),
        Fact("cap", "Revenue per person, capped", _lift(place, found["revenue"])),
    ]
    if place["money"].value is not None:
        lines.append(Fact("cap", "Revenue added, capped", _added(place, found, said)))
    return tuple(lines)


def _lift(place: Place, found: Place) -> Sentence:
    if not says_lift(place.value):
        return silence(place.value)
    return estimated(found["estimate"], found["interval"], signed_percent)


def _added(place: Place, found: Place, said: Ways) -> Sentence:
    if not says_money(place.value):
        return silence(place.value)
    return estimated(found["increment"]["total"], found["increment"]["interval"], said.money)
