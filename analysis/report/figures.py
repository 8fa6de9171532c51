"""Which pictures an experiment has, and what they show in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.report.page import Ways
from analysis.report.pictures import Line, Subject
from analysis.report.weeks import History, Reading
from analysis.report.wording import Place, percent_text, percent_tick, ratio_tick, short_day

Document = Mapping[str, Any]
LIFT_LINE = Line(0.0, "no effect", lambda value: percent_text(value, signed=True), percent_tick)


@dataclass(frozen=True, slots=True)
class Week:
    """One report's reading in words, for the table behind a picture."""

    day: str
    lift: str
    returned: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture to draw, its title and what it shows in words."""

    title: str
    words: str
    note: str
    subject: Subject


def figures_of(anchor: str, told: Document, said: Ways, past: History) -> tuple[Figure, ...]:
    """The lift over the weeks and, where there ever was one, the return beside break-even."""
    found = [_figure(f"{anchor}-lift", "Lift in buyers, week by week", past, past.lift, LIFT_LINE)]
    if any(each.estimate is not None for each in past.returns):
        needed = said.ratio(Place(told["break_even"])).text
        line = Line(
            told["break_even"],
            f"break-even, {needed}",
            lambda value: said.ratio(Place(value)).text,
            ratio_tick,
        )
        title = f"Added per {said.unit} of spend, week by week"
        found.append(_figure(f"{anchor}-return", title, past, past.returns, line))
    return tuple(found)


def weeks_of(past: History) -> tuple[Week, ...]:
    """The readings in words, newest first."""
    returns = {each.at: each for each in past.returns}
    return tuple(
        Week(
            short_day(each.at),
            reading_words(each, LIFT_LINE.say),
            reading_words(returns[each.at], lambda value: f"{value:.2f}") if each.at in returns else "",
        )
        for each in reversed(past.lift)
    )


def _figure(ident: str, title: str, past: History, readings: Sequence[Reading], line: Line) -> Figure:
    words = [f"{short_day(each.at)}: {reading_words(each, line.say)}" for each in readings]
    words += [f"{short_day(each.at)}: holdout {each.words}" for each in past.changes]
    subject = Subject(ident, readings, past.changes, past.started, line)
    return Figure(title, f"{title}. {'; '.join(words)}.", _note(readings, line), subject)


def _note(readings: Sequence[Reading], line: Line) -> str:
    """What the marks of a picture mean, those that it has."""
    ends = [(each.low, each.high) for each in readings if each.estimate is not None]
    parts = [f"Dashed: {line.note}"]
    parts += ["bar: what the data allowed at that report"] if ends else []
    parts += ["arrow: no limit on that side"] if any(None in each for each in ends) else []
    parts += ["ring: nothing could be said"] if len(ends) < len(readings) else []
    return "; ".join(parts) + "."


def reading_words(reading: Reading, said: Callable[[float], str]) -> str:
    """A reading as text, its open sides said."""
    if reading.estimate is None:
        return "nothing could be said"
    low, high = reading.low, reading.high
    if low is None or high is None:
        ends = [f"at least {said(low)}"] if low is not None else []
        ends += [f"at most {said(high)}"] if high is not None else []
        return f"{said(reading.estimate)} ({''.join(ends) or 'no limit yet'})"
    return f"{said(reading.estimate)} ({said(low)} to {said(high)})"
