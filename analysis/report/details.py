"""What stands below the first screen for one experiment: facts, checks, phases and weeks. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.estimators.gates import Precision
from analysis.report.behind_page import behind
from analysis.report.delivery import HoldoutChange, List, holdout_changes, lists
from analysis.report.fact_lines import Fact
from analysis.report.figures import Figure, Week, figures_of, weeks_of
from analysis.report.outlook_facts import outlook_facts
from analysis.report.page import Row, Ways, lift_sentence, silence
from analysis.report.weeks import History, says_lift, says_money, says_return
from analysis.report.wording import (
    UNKNOWN,
    Place,
    Said,
    Sentence,
    count,
    estimated,
    holdout_text,
    percent,
    short_day,
    signed_percent,
)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """Entrants of one phase by arm; `universal` are held out of every audience, and compared elsewhere."""

    audience: str
    since: str
    holdout: str
    treated: Said
    held: Said
    universal: Said


@dataclass(frozen=True, slots=True)
class Section:
    """All that is told about one experiment."""

    row: Row
    audiences: tuple[str, ...]
    figures: tuple[Figure, ...]
    weeks: tuple[Week, ...]
    effect: tuple[Fact, ...]
    worth: tuple[Fact, ...]
    behind: tuple[Fact, ...]
    outlook: tuple[Fact, ...]
    phases: tuple[PhaseRow, ...]
    has_universal: bool
    gates: tuple[Place, ...]
    delivery: tuple[Fact, ...]
    changes: tuple[HoldoutChange, ...]
    is_lower_bound: bool
    """Whether Criteo is not told who is held out, so that other ad sets may reach them."""


def section(place: Place, root: Place, row: Row, said: Ways, past: History) -> Section:
    """One experiment below the first screen."""
    found = place.value
    return Section(
        row=row,
        audiences=tuple(found["audiences"]),
        figures=figures_of(row.anchor, root.value, said, past),
        weeks=weeks_of(past),
        effect=_effect(place),
        worth=_worth(place, said),
        behind=behind(place, said),
        outlook=outlook_facts(place, root),
        phases=tuple(_phase(each, found["kind"]) for each in place["phases"].each()),
        has_universal=found["kind"] != "programme" and any(each["universal"] for each in found["phases"]),
        gates=place["gates"].each(),
        delivery=_delivery(found["audiences"], root),
        changes=holdout_changes(found, root.value.get("operations", {})),
        is_lower_bound=_is_lower_bound(found["audiences"], root.value.get("operations", {})),
    )


def _is_lower_bound(audiences: Sequence[str], operations: Mapping[str, Any]) -> bool:
    return any(operations.get(name, {}).get("holdout_is_private") for name in audiences)


def _effect(place: Place) -> tuple[Fact, ...]:
    conversions, basket = place["conversions"], _basket(place)
    precision = {
        Precision.NONE: "fewer than the 20 that a statement needs",
        Precision.LOW: "few, so the numbers are rough",
        Precision.FULL: "enough",
    }[conversions["precision"].value]
    return (
        Fact("split", "People who buy", lift_sentence(place, "conversions")),
        Fact("split", "Basket of those who buy", basket),
        Fact("lift", "Revenue per person, both together", lift_sentence(place, "revenue")),
        Fact("window", "Outcomes counted", (f"{place['window_days'].value:g} days from entry",)),
        Fact(
            "control-conversions",
            "Held-out people who bought",
            (count(conversions["control_conversions"]), f": {precision}"),
        ),
        Fact(
            "intention-to-treat",
            "Compared",
            (
                count(conversions["n_treatment"]), " advertised to, ", count(conversions["n_holdout"]),
                " held out, window closed",
            ),
        ),
        Fact("lift", "Extra buyers", _extra_buyers(place)),
    )  # fmt: skip


def _extra_buyers(place: Place) -> Sentence:
    added = place["conversions_added"]
    if not says_lift(place.value):
        return silence(place.value)
    return estimated(added["total"], added["interval"], count)


def _basket(place: Place) -> Sentence:
    """Revenue lift over buyer lift; its range holds whenever both of theirs do."""
    if not says_lift(place.value):
        return silence(place.value)
    buyers, revenue = place.value["conversions"], place.value["revenue"]
    point = _quotient(revenue["estimate"], buyers["estimate"])
    interval = [
        _quotient(revenue["interval"][0], buyers["interval"][1]),
        _quotient(revenue["interval"][1], buyers["interval"][0]),
    ]
    said = estimated(Place(point), Place(interval), signed_percent)
    return tuple(each.text if isinstance(each, Said) else each for each in said)


def _quotient(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or denominator is None or denominator <= -1.0:
        return None
    return (1.0 + numerator) / (1.0 + denominator) - 1.0


def _worth(place: Place, said: Ways) -> tuple[Fact, ...]:
    found = place["money"]
    if found.value is None:
        return ()
    spend = found["platform_spend"]
    spent: Sentence = (
        (said.money(spend), "; ", said.money(found["spend"]), " of it on the people compared")
        if spend.value
        else ("none is known; load it with ", "holdouts load-spend")
    )
    quiet = silence(place.value)
    if not says_money(place.value):
        return (Fact("added", "Ad spend", spent), Fact("revenue-added", "Revenue added", quiet))
    return (
        Fact("added", "Ad spend", spent),
        Fact("revenue-added", "Revenue added", _amount(found["increment"]["total"], found["increment"]["interval"], said)),
        *_returned(place, said),
        Fact("cost-of-measuring", "Cost of measuring", _estimate(found["net_cost_of_measuring"], said)),
        Fact("cost-of-measuring", "Revenue forgone in the holdout", _estimate(found["revenue_forgone"], said)),
    )  # fmt: skip


def _returned(place: Place, said: Ways) -> tuple[Fact, ...]:
    found = place["money"]
    if not says_return(place.value):
        return ()
    factor = found["incrementality_factor"]
    returned = found["iroas"]
    return (
        Fact("added", f"Added per {said.unit} of spend", estimated(returned["estimate"], returned["interval"], said.ratio)),
        Fact("icpa", "Spend per extra buyer", _estimate(found["icpa"], said)),
        Fact("contribution", "Profit from the ads", _estimate(found["contribution"], said)),
        Fact("not-incremental", "Claimed but not added", _estimate(found["claimed_not_incremental"], said)),
        Fact("factor", "Real share of the claim", estimated(factor["estimate"], factor["interval"], percent)),
    )  # fmt: skip


def _estimate(place: Place, said: Ways) -> Sentence:
    return _amount(place["estimate"], place["interval"], said)


def _amount(point: Place, interval: Place, said: Ways) -> Sentence:
    return estimated(point, interval, said.money)


def _phase(place: Place, kind: str) -> PhaseRow:
    share, held = (
        ("universal_percent", "universal") if kind == "programme" else ("holdout_percent", "holdout")
    )
    return PhaseRow(
        audience=place["audience"].value,
        since=short_day(datetime.fromisoformat(place["opened_at"].value)),
        holdout=holdout_text(place[share].value),
        treated=count(place["treatment"]),
        held=count(place[held]),
        universal=count(place["universal"]),
    )


def _delivery(audiences: Sequence[str], root: Place) -> tuple[Fact, ...]:
    """All that is known of a single list; one line each where several are read together."""
    known = {each.name: each for each in lists(root)}
    kept = [known[name] for name in audiences if name in known]
    return _list_facts(kept[0]) if len(kept) == 1 else tuple(_list_line(each) for each in kept)


def _list_line(kept: List) -> Fact:
    return Fact("", kept.name, (*kept.people, " people on the list; last sync ", kept.synced))


def _list_facts(kept: List) -> tuple[Fact, ...]:
    size: Sentence = (*kept.people, " people; Criteo recognises ", *kept.reached)
    fresh: Sentence = kept.fresh if kept.fresh == UNKNOWN else ("half within ", *kept.fresh)
    return (
        Fact("reach", "On the list, recognised", (*size, ", match rate ", *kept.match_rate)),
        Fact("freshness", "From event to list", fresh),
        Fact("sync", "Syncs", (f"last {kept.synced}; in seven days {kept.health}",)),
    )
