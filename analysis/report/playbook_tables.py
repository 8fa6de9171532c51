"""What the playbook's check says of windows and of people on two lists, as the page shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.wording import Place, Sentence, count, percent


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One window: how long it lasts, and what the clock leaves of it."""

    name: str
    stretch: str
    reached: Sentence
    covered: Sentence


@dataclass(frozen=True, slots=True)
class Matrix:
    """Audiences by audiences: of the row's list, what the column's holds too; empty where nothing is shared."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Sentence, ...]], ...]


def window_rows(root: Place) -> tuple[WindowRow, ...]:
    """The table of windows in the newest check; empty where no check has run."""
    if not root.value.get("playbook"):
        return ()
    return tuple(_window(each) for each in root["playbook"]["windows"].each())


def matrix(root: Place) -> Matrix:
    """Every audience that shares anybody with another one."""
    told: Mapping[str, Any] = root.value.get("playbook") or {}
    if not told.get("overlaps"):
        return Matrix((), ())
    cells: dict[tuple[str, str], Sentence] = {}
    for each in root["playbook"]["overlaps"].each():
        one, other = each.value["one"], each.value["other"]
        cells[one, other] = _cell(each, "of_one")
        cells[other, one] = _cell(each, "of_other")
    names = tuple(dict.fromkeys(name for pair in cells for name in pair))
    rows = tuple((row, tuple(cells.get((row, column), ()) for column in names)) for row in names)
    return Matrix(names, rows)


def _window(window: Place) -> WindowRow:
    start, end = window.value["from_hours"], window.value["to_hours"]
    return WindowRow(
        name=window.value["audience"],
        stretch=_stretch(start, end),
        reached=(percent(window["reached"]),),
        covered=(percent(window["covered"]),),
    )


def _stretch(start: float, end: float) -> str:
    if start % 24 == end % 24 == 0:
        return f"{start / 24:g} to {end / 24:g} days"
    return f"{start:g} to {end:g} hours"


def _cell(shared: Place, share: str) -> Sentence:
    return (percent(shared[share]), " (", count(shared["people"]), ")")
