"""The measurements as one Markdown document that docs/performance.md takes over as it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchmarks.measured import Measured, Part, growth

TITLES: dict[Part, str] = {
    "sync": "Sync of one audience",
    "latency": "The same where a page takes 200 ms and a request 500 ms",
    "analysis": "All estimates of ten audiences",
    "report": "The whole report of ten audiences",
}
_HEAD = (
    "what", "size", "seconds", "CPU s", "peak MB", "database MB", "growth", "floor s", "× floor", "script s",
    "times faster",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Machine:
    """Where, when, with what and how it was measured."""

    hardware: str
    versions: str
    day: str
    command: str


def page(machine: Machine, found: Sequence[Measured], notes: Iterable[str] = ()) -> str:
    """One table for each part and database; the rows of one piece of work follow each other by size."""
    lines = [
        f"Machine: {machine.hardware}.",
        f"Versions: {machine.versions}.",
        f"Taken on {machine.day} with `{machine.command}`, one run each: read the ratios, not the seconds.",
    ]
    lines += notes
    for (part, database), rows in groupby(_in_order(found), lambda each: (each.part, each.database)):
        lines += ["", f"### {TITLES[part]}, {database}", "", *_table(list(rows))]
    return "\n".join(lines) + "\n"


def _in_order(found: Sequence[Measured]) -> list[Measured]:
    whats = list(dict.fromkeys((each.part, each.what) for each in found))
    parts = list(TITLES)
    return sorted(
        found,
        key=lambda each: (
            parts.index(each.part),
            each.database,
            whats.index((each.part, each.what)),
            each.size,
        ),
    )


def _table(rows: Sequence[Measured]) -> list[str]:
    before = [None, *rows[:-1]]
    cells = [_cells(earlier, each) for earlier, each in zip(before, rows, strict=True)]
    return [_line(_HEAD), _line(["---"] * len(_HEAD)), *(_line(each) for each in cells)]


def _cells(earlier: Measured | None, row: Measured) -> list[str]:
    grew = None if earlier is None or earlier.what != row.what else growth(earlier, row)
    seconds = row.cost.seconds
    return [
        row.what,
        f"{row.size:,}",
        _seconds(seconds),
        _seconds(row.cost.cpu),
        f"{row.cost.peak:,.0f}",
        _number(row.disk, "{:,.1f}" if (row.disk or 0) < 10 else "{:,.0f}"),
        _number(grew, "{:.2f}"),
        _floor(row),
        _number(_ratio(seconds, row.floor), "{:.1f}"),
        "" if row.script is None else _seconds(row.script),
        _number(_ratio(row.script, seconds), "{:.1f}"),
    ]


def _floor(row: Measured) -> str:
    parts = " + ".join(f"{name} {_seconds(seconds)}" for name, seconds in row.floors.items())
    return parts if row.floor is None or len(row.floors) < 2 else f"{_seconds(row.floor)} = {parts}"


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
