"""Recomputes every recorded arm from unit, salt and percentage. I/O."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, select

from experiments.digests import DigestSet
from experiments.forgetting import ANONYMOUS
from experiments.phases import Phase, assign
from experiments.schema import entrants


@dataclass(frozen=True, slots=True)
class ArmAudit:
    """How many entrants of one phase were looked at, and how many do not agree with their hash."""

    phase: Phase
    checked: int
    mismatched: int


def audit_arms(connection: Connection, phases: tuple[Phase, ...]) -> tuple[ArmAudit, ...]:
    """Compares bucket and arm of each entrant with what the frozen rule gives; reads, never mends.

    People who were erased have no digest any more, so nobody can recompute theirs: they are left out.
    """
    return tuple(_audit(connection, phase) for phase in phases)


def _audit(connection: Connection, phase: Phase) -> ArmAudit:
    columns = (entrants.c.unit, entrants.c.bucket, entrants.c.universal_bucket, entrants.c.arm)
    chosen = select(*columns).where(entrants.c.phase_id == phase.id).order_by(entrants.c.unit)
    rows = [row for row in connection.execute(chosen) if not row[0].startswith(ANONYMOUS)]
    units, *written = zip(*rows, strict=True) if rows else [()] * len(columns)
    right = assign(DigestSet.of(units), phase.holdout)
    recorded = np.array(written, dtype=np.int64)
    computed = np.stack([right.buckets, right.universal_buckets, right.rules]).astype(np.int64)
    return ArmAudit(phase, len(rows), int((recorded != computed).any(axis=0).sum()))
