"""The index of all reports: each week's result and each experiment's history. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report.figures import Figure, Week, figures_of, weeks_of
from analysis.report.page import JUDGEMENTS, Judgement, headline, ways
from analysis.report.weeks import day_of, history, moment_of
from analysis.report.wording import Place, Sentence, short_day

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IndexWeek:
    """One report: its date, its sentence, its verdicts in the order of the columns."""

    day: str
    link: str | None
    sentence: Sentence
    judgements: tuple[Judgement | None, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """One experiment over all reports: its return where there is one, else its lift."""

    name: str
    figure: Figure
    weeks: tuple[Week, ...]


@dataclass(frozen=True, slots=True)
class IndexView:
    """What the index shows."""

    names: tuple[str, ...]
    weeks: tuple[IndexWeek, ...]
    stories: tuple[Story, ...]


def index_view(documents: Sequence[Document], kept: Collection[str]) -> IndexView:
    """Newest week first; `kept` names the dates whose page is there to link to."""
    last = documents[-1]
    names = tuple(each["name"] for each in last["experiments"] if each["money"] is not None)
    return IndexView(
        names=names,
        weeks=tuple(_week(each, names, kept) for each in reversed(documents)),
        stories=tuple(_story(each["name"], at, documents) for at, each in enumerate(last["experiments"])),
    )


def _week(told: Document, names: Sequence[str], kept: Collection[str]) -> IndexWeek:
    day = day_of(told).isoformat()
    states = {each["name"]: each["verdict"]["state"] for each in told["experiments"]}
    return IndexWeek(
        day=short_day(moment_of(told)),
        link=f"{day}/index.html" if day in kept else None,
        sentence=tuple(
            each if isinstance(each, str) else each.text for each in headline(Place(told), ways(told))
        ),
        judgements=tuple(JUDGEMENTS[states[name]] if name in states else None for name in names),
    )


def _story(name: str, at: int, documents: Sequence[Document]) -> Story:
    past = history(name, documents)
    said = ways(documents[-1])
    return Story(name, figures_of(f"experiment-{at}", documents[-1], said, past)[-1], weeks_of(past))
