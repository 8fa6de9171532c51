"""An always-valid interval over the weeks as SVG that takes its colours from the page. Pure.

matplotlib is imported when the first picture is drawn, so that importing this package stays fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

from analysis.report.weeks import Change, Reading
from analysis.report.wording import short_day

_WIDTH, _HEIGHT = 4.6, 2.5
_COLOURS = {"#010101": "ink", "#020202": "quiet", "#030303": "line", "#040404": "added", "#050505": "mark"}
_INK, _QUIET, _LINE, _ADDED, _MARK = _COLOURS
_ROOM = 0.12


@dataclass(frozen=True, slots=True)
class Line:
    """The value that readings are held against, what it means, and how values are said in full and briefly."""

    value: float
    note: str
    say: Callable[[float], str]
    tick: Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture shows: readings, their unit, the line that matters and the stretch of time."""

    ident: str
    readings: Sequence[Reading]
    changes: Sequence[Change]
    started: datetime
    line: Line


def draw(subject: Subject) -> str:
    """The picture, the same characters for the same subject; its description is the page's to write."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "holdouts", "font.size": 9.0}):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), facecolor="none")
        axes = figure.add_axes((0.12, 0.13, 0.85, 0.75), facecolor="none")
        _frame(axes, subject)
        _readings(axes, subject)
        _changes(axes, subject)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(text.getvalue(), subject.ident)


def limits(readings: Sequence[Reading], line: float) -> tuple[float, float]:
    """An axis that shows every point and the ends near them: the widest intervals may leave it."""
    points = [each.estimate for each in readings if each.estimate is not None]
    ends = [end for each in readings for end in (each.low, each.high) if end is not None]
    core = [line, 0.0, *points]
    reach = max(3.0 * (max(core) - min(core)), *_last_width(readings)) or 1.0
    low = min([*core, *(end for end in ends if end > min(core) - reach)])
    high = max([*core, *(end for end in ends if end < max(core) + reach)])
    room = _ROOM * (high - low or 1.0)
    return low - room, high + room


def _last_width(readings: Sequence[Reading]) -> tuple[float, ...]:
    said = [each for each in readings if each.low is not None and each.high is not None]
    return (0.0, *(1.01 * (each.high - each.low) for each in said[-1:] if each.high and each.low is not None))


def _frame(axes: Any, subject: Subject) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    last = max(each.at for each in subject.readings)
    room = max(timedelta(days=2), (last - subject.started) * 0.04)
    axes.set_xlim(subject.started - room, last + room)
    axes.set_ylim(*limits(subject.readings, subject.line.value))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: subject.line.tick(value)))
    _dates(axes, subject.started, last)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_LINE)
    axes.tick_params(colors=_QUIET, length=0, pad=4)
    axes.tick_params(axis="x", length=3, color=_LINE)
    axes.grid(axis="y", color=_LINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.axhline(subject.line.value, color=_INK, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1.5)


def _dates(axes: Any, first: datetime, last: datetime) -> None:
    days = max(1, (last - first).days)
    step = next((each for each in (7, 14, 28, 56, 91) if days / each <= 6), 182)
    marks = [last - timedelta(days=step * at) for at in range(days // step + 1)][::-1]
    axes.set_xticks(marks, [short_day(each)[:-5] for each in marks])


def _readings(axes: Any, subject: Subject) -> None:
    low, high = axes.get_ylim()
    said = [each for each in subject.readings if each.estimate is not None]
    times = [each.at for each in said]
    lows = [low if each.low is None else max(low, each.low) for each in said]
    highs = [high if each.high is None else min(high, each.high) for each in said]
    if len(said) > 1:
        axes.fill_between(times, lows, highs, color=_ADDED, alpha=0.14, linewidth=0, zorder=1.8)
    axes.vlines(times, lows, highs, color=_ADDED, linewidth=1.6, zorder=2)
    axes.plot(
        times, [each.estimate for each in said], color=_ADDED, linewidth=1.0, marker="o", markersize=4.5,
        markeredgewidth=0, zorder=3,
    )  # fmt: skip
    _open_ends(axes, said, low, high)
    silent = [each.at for each in subject.readings if each.estimate is None]
    axes.plot(
        silent, [subject.line.value] * len(silent), linestyle="none", marker="o", markersize=4,
        markerfacecolor="none", markeredgecolor=_QUIET, markeredgewidth=1.0, zorder=3,
    )  # fmt: skip


def _open_ends(axes: Any, said: Sequence[Reading], low: float, high: float) -> None:
    """An arrow where an interval is open, or goes on beyond the axis."""
    up = [each.at for each in said if each.high is None or each.high > high]
    down = [each.at for each in said if each.low is None or each.low < low]
    for times, edge, marker in ((up, high, "^"), (down, low, "v")):
        axes.plot(
            times, [edge] * len(times), linestyle="none", marker=marker, markersize=5, color=_ADDED,
            markeredgewidth=0, clip_on=False, zorder=4,
        )  # fmt: skip


def _changes(axes: Any, subject: Subject) -> None:
    for at, each in enumerate(subject.changes):
        axes.axvline(each.at, color=_MARK, linewidth=1.0, linestyle=(0, (1, 2)), zorder=1.6)
        axes.annotate(
            f"holdout {each.words}", (each.at, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 3 + 9 * (at % 2)), textcoords="offset points", ha="center", color=_MARK, fontsize=8,
        )  # fmt: skip


def _inline(svg: str, ident: str) -> str:
    """The drawing alone, its names unique in the page and its colours the page's."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'(?<= )id="', f'id="{ident}-', body)
    body = body.replace("url(#", f"url(#{ident}-").replace('href="#', f'href="#{ident}-')
    body = re.sub(r"<style.*?</style>|font-family: [^;]+; ?", "", body, flags=re.DOTALL)
    for colour, name in _COLOURS.items():
        body = body.replace(colour, f"var(--{name})")
    head = body.index(">")
    box = re.search(r'viewBox="[^"]+"', body)
    assert box is not None
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box[0]} aria-hidden="true" focusable="false"{body[head:]}'
