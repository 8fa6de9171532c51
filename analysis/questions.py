"""What a measurement asks of the ledger, slice by slice: values that any machine can answer. I/O.

Nothing in a question or an answer is about one person, so both may travel to a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from math import fsum

from sqlalchemy import Engine

from analysis.outcomes import Cells, Outcomes, Strata, Sums, outcomes_of, sum_cells
from analysis.slices import EVERYONE, UnitSlice
from analysis.timeline import Level
from experiments.phases import Phase

AT_ONCE = 2
"""Questions that are open at once: the database works while the other one's rows travel."""


@dataclass(frozen=True, slots=True)
class Question:
    """The outcomes of some phases under one salt, of the units of one slice."""

    phases: tuple[Phase, ...]
    strata: Strata
    watermark: int
    level: Level
    cap: int | None
    units: UnitSlice = EVERYONE


Asking = Callable[[Sequence[Question]], Sequence[Cells]]
"""Gives the answers in the order of the questions."""


def ask(engine: Engine, question: Question) -> Cells:
    """The sums of one slice."""
    return sum_cells(
        engine,
        [phase.id for phase in question.phases],
        question.strata,
        watermark=question.watermark,
        level=question.level,
        cap=question.cap,
        units=question.units,
    )


def ask_in_threads(engine: Engine) -> Asking:
    """Asks a few at once, from this process."""

    def asking(questions: Sequence[Question]) -> Sequence[Cells]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda each: ask(engine, each), questions))

    return asking


def added(answers: Sequence[Cells]) -> Cells:
    """The slices' sums, added; `fsum` makes their order as good as any other."""
    found = dict.fromkeys(key for cells in answers for key in cells)
    return {key: _added([cells[key] for cells in answers if key in cells]) for key in found}


def outcomes_by_epoch(questions: Sequence[Question], answers: Iterator[Cells]) -> tuple[Outcomes, ...]:
    """One outcome for each run of slices of the same question, taking as many answers as there are questions."""
    taken = list(islice(answers, len(questions)))
    found = []
    for at, question in enumerate(questions):
        if question.units.number == 0:
            own = taken[at : at + question.units.of]
            found.append(outcomes_of(added(own), question.strata))
    return tuple(found)


def _added(parts: Sequence[Sums]) -> Sums:
    return {name: fsum(part[name] for part in parts) for name in parts[0]}
