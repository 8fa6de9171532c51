"""What the sandbox knows and the product does not: who was really on the lists, what ads really caused. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine, select

from analysis.facts import Experiment
from analysis.timeline import Level, Span, spans
from experiments.audiences import Programme
from experiments.database import reading
from experiments.ledger import current_phase, phases_of
from experiments.schema import entrants
from sandbox.books import Books
from sync.firewall import count_held_out

_FOREVER_DAYS = 10_000.0


@dataclass(slots=True)
class LeakWatch:
    """Counts held-out identifiers that stand in an include list, look by look, from the sandbox's books."""

    looks: int = 0
    leaked: dict[str, int] = field(default_factory=dict)

    def look(self, engine: Engine, programme: Programme, books: Books) -> None:
        """One look at every include list: who stands there now although held out now."""
        self.looks += 1
        for audience in programme.includes:
            with reading(engine) as connection:
                phase = current_phase(connection, audience.name)
            if phase is not None:
                leaked = count_held_out(books.now_on(audience.list), phase.holdout)
                self.leaked[audience.name] = max(self.leaked.get(audience.name, 0), leaked)

    def look_back(self, engine: Engine, programme: Programme, books: Books) -> None:
        """The last look: who ever stood in a list although every phase held them out."""
        self.looks += 1
        for audience in programme.includes:
            with reading(engine) as connection:
                phases = phases_of(connection, [audience.name])
            smallest = min(phases, key=lambda each: each.holdout.ppm, default=None)
            if smallest is not None:
                leaked = count_held_out(books.ever_on(audience.list), smallest.holdout)
                self.leaked[audience.name] = max(self.leaked.get(audience.name, 0), leaked)

    @property
    def total(self) -> int:
        """Held-out identifiers that ever stood in a list that people are advertised from."""
        return sum(self.leaked.values())


def true_incremental_revenue(
    engine: Engine, experiment: Experiment, books: Books, names: Mapping[str, str], watermark: int
) -> float:
    """Revenue that the experiment's ads caused among the treated people whom the product compares.

    Gross of refunds, from entry to the watermark; `names` gives the sandbox's name of each ad set.
    """
    level: Level = "universal" if experiment.kind == "programme" else "group"
    with reading(engine) as connection:
        phases = phases_of(connection, experiment.audiences)
        chosen = select(entrants).where(entrants.c.phase_id.in_([phase.id for phase in phases]))
        rows = connection.execute(chosen.order_by(entrants.c.entered_at.desc())).all()
    found = spans(phases, window=None, washout=experiment.window, watermark=watermark, level=level)
    first = {bytes(row.unit): row for row in rows}
    treated = {
        unit: float(row.entered_at)
        for unit, row in first.items()
        if _is_treated(row.bucket if level == "group" else row.universal_bucket, row, found)
    }
    causes = None if experiment.kind == "programme" else {names[ad_set] for ad_set in experiment.ad_sets}
    added = books.true_incremental(treated, ad_sets=causes, window_days=_FOREVER_DAYS, until=float(watermark))
    return added.revenue


def _is_treated(bucket: int, row: object, found: tuple[Span, ...]) -> bool:
    entered, universal = row.entered_at, row.universal_bucket  # type: ignore[attr-defined]  # a row of entrants
    return any(
        span.entered_from <= entered < span.entered_until
        and bucket >= span.treated_from
        and universal >= span.universal_from
        for span in found
    )
