"""The wait for an ad by the hour of entry, against the length of each window, as SVG in the page's colours. Pure.

The line saws: whoever enters just before a sync waits least. Where it lies below a window's own line, its
people are advertised to while they are still in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, HEIGHT = 460, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 146, 12, 30
_FONT, _LINE = 12, 15
_LONGEST_NAME = 15
"""Characters beside the picture; the table has the whole name."""
_MOST_NAMES = 10
_DAY = 86_400
_TICK = 6 * 3_600
_ROOM = 1.15
_MOST = 3
"""A window that lasts longer than so many times the longest wait is no line: everybody is reached."""


@dataclass(frozen=True, slots=True)
class _Axes:
    start: float
    end: float
    top: float

    def x(self, moment: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (moment - self.start) / (self.end - self.start)

    def y(self, hours: float) -> float:
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * hours / self.top


def draw_windows(playbook: Mapping[str, Any]) -> str:
    """The picture of a check's `waits` and `windows`; empty where there is nothing to draw."""
    waits = _last_day([(start, end, live) for start, end, live in playbook["waits"]])
    if not waits:
        return ""
    longest = max((live - start) / 3_600 for start, _, live in waits)
    shown = _short(playbook["windows"], longest)
    top = _ROOM * max([longest, *(_length(each) for each in shown)])
    axes = _Axes(waits[0][0], waits[-1][1], top)
    names = _names(axes, shown[:_MOST_NAMES])
    parts = [_frame(axes), _saw(axes, waits), *(_window(axes, each) for each in shown), *names]
    label = _described(shown, longest)
    return (
        f'<svg class="windows" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _last_day(waits: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The stretches of the last day: the schedule, once."""
    return [each for each in waits if each[0] >= waits[-1][1] - _DAY]


def _short(windows: Sequence[Mapping[str, Any]], longest: float) -> list[Mapping[str, Any]]:
    return sorted((each for each in windows if _length(each) <= _MOST * longest), key=_length)


def _length(window: Mapping[str, Any]) -> float:
    return float(window["to_hours"] - window["from_hours"])


def _frame(axes: _Axes) -> str:
    base = axes.y(0)
    step = max(1, round(axes.top / 4))
    lines = []
    for hours in range(0, int(axes.top) + 1, step):
        y = axes.y(hours)
        lines.append(
            f'<path class="line" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="currentColor" opacity=".15"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" font-size="{_FONT}" fill="currentColor">{hours} h</text>'
        )
    first = -(-int(axes.start) // _TICK) * _TICK
    times = (
        f'<text x="{axes.x(moment):.1f}" y="{base + 17:.1f}" text-anchor="middle" font-size="{_FONT}" '
        f'fill="currentColor">{moment % _DAY // 3_600:02}:00</text>'
        for moment in range(first, int(axes.end) + 1, _TICK)
    )
    return "".join((*lines, *times))


def _saw(axes: _Axes, waits: Sequence[tuple[int, int, int]]) -> str:
    points = " ".join(
        f"{axes.x(moment):.1f},{axes.y((live - moment) / 3_600):.1f}"
        for start, end, live in waits
        for moment in (start, end)
    )
    return f'<polyline class="added" points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/>'


def _window(axes: _Axes, window: Mapping[str, Any]) -> str:
    y = axes.y(_length(window))
    return f'<path class="mark" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}" stroke="currentColor" stroke-dasharray="4 3"/>'


def _names(axes: _Axes, shown: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Beside the lines, pushed up where two would stand in one place, and bound to their lines."""
    above = float(HEIGHT)
    for window in shown:
        y = axes.y(_length(window))
        above = min(y, above - _LINE)
        name = window["audience"]
        short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
        edge = WIDTH - _RIGHT
        yield f'<path class="mark" d="M{edge} {y:.1f}l6 {above - y:.1f}" fill="none" stroke="currentColor"/>'
        yield (
            f'<text class="name" x="{edge + 9}" y="{above + 4:.1f}" font-size="{_FONT}" fill="currentColor">'
            f"{escape(short)}: {window['reached']:.0%}</text>"
        )


def _described(shown: Sequence[Mapping[str, Any]], longest: float) -> str:
    told = ", ".join(f"{each['audience']} {each['reached']:.0%}" for each in shown)
    return (
        f"The wait for an ad by time of entry, at most {longest:.0f} hours. Reached in time: {told or 'all'}."
    )
