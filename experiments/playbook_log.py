"""What each check of the playbook found, kept as it was told. I/O."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from experiments.database import reading, writing
from experiments.schema import playbook_checks

KEPT = 60 * 86_400
"""Seconds: older checks are forgotten, the findings that last carry when they were first seen."""


def record_check(engine: Engine, document: dict[str, Any], at: int) -> None:
    """Keeps one check's document."""
    with writing(engine) as connection:
        connection.execute(delete(playbook_checks).where(playbook_checks.c.checked_at < at - KEPT))
        text = json.dumps(document, sort_keys=True, allow_nan=False)
        connection.execute(insert(playbook_checks).values(checked_at=at, document=text))


def last_check(engine: Engine, until: int | None = None) -> dict[str, Any] | None:
    """The newest check, or the newest at or before a moment; None where there was none."""
    chosen = select(playbook_checks.c.document).order_by(
        playbook_checks.c.checked_at.desc(), playbook_checks.c.id.desc()
    )
    if until is not None:
        chosen = chosen.where(playbook_checks.c.checked_at <= until)
    with reading(engine) as connection:
        text = connection.scalar(chosen.limit(1))
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found
