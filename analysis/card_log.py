"""The pipeline's report cards, kept as they were told. I/O."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, insert, select

from experiments.database import reading, writing
from experiments.schema import pipeline_audits


def record_card(engine: Engine, document: dict[str, Any], audited_at: int) -> None:
    """Keeps one card; it carries its seed and the program's version."""
    values = {
        "audited_at": audited_at,
        "seed": document["seed"],
        "program": document["program"],
        "passed": int(document["passed"]),
        "document": json.dumps(document, sort_keys=True, allow_nan=False),
    }
    with writing(engine) as connection:
        connection.execute(insert(pipeline_audits).values(values))


def last_card(engine: Engine, until: int) -> dict[str, Any] | None:
    """The newest card at or before a moment; None where there was none."""
    chosen = (
        select(pipeline_audits.c.document)
        .where(pipeline_audits.c.audited_at <= until)
        .order_by(pipeline_audits.c.audited_at.desc(), pipeline_audits.c.id.desc())
        .limit(1)
    )
    with reading(engine) as connection:
        text = connection.scalar(chosen)
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found
