"""When an experiment can be decided, as the page tells it: one line for each lift. Pure."""

from __future__ import annotations

from analysis.report.fact_lines import Fact
from analysis.report.wording import Place, Sentence, count, holdout_text, percent_text, weeks


def outlook_facts(place: Place, root: Place) -> tuple[Fact, ...]:
    """Nothing for the whole programme, and for a report from before this was told."""
    at = int(place.pointer.rsplit("/", 1)[-1])
    if not root.value.get("outlooks") or root.value["outlooks"][at] is None:
        return ()
    found = root["outlooks"][at]
    answers = tuple(
        Fact("decision", f"A lift of {percent_text(each.value['lift']).replace('.0', '')}", _answer(each))
        for each in found["answers"].each()
    )
    return (*answers, Fact("decision", "So far", _so_far(found)))


def _answer(answer: Place) -> Sentence:
    if answer.value["weeks"] is None:
        return ("never at this holdout",)
    return ("shows after ", weeks(answer["weeks"]))


def _so_far(found: Place) -> Sentence:
    return (
        weeks(found["weeks_so_far"]), ", ", count(found["people_per_week"]),
        f" new people a week, {holdout_text(100 * found.value['holdout'])} held out",
    )  # fmt: skip
