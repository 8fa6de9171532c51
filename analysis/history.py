"""The reports that were told, kept word for word. I/O."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, insert, select

from experiments.database import reading, writing
from experiments.schema import measurements


def record_measurement(engine: Engine, document: dict[str, Any], measured_at: int, watermark: int) -> None:
    """Keeps one report's numbers."""
    text = json.dumps(document, sort_keys=True)
    with writing(engine) as connection:
        connection.execute(
            insert(measurements).values(measured_at=measured_at, watermark=watermark, document=text)
        )


def measurements_before(engine: Engine, measured_at: int) -> list[dict[str, Any]]:
    """All earlier reports, oldest first."""
    chosen = (
        select(measurements.c.document)
        .where(measurements.c.measured_at < measured_at)
        .order_by(measurements.c.measured_at)
    )
    with reading(engine) as connection:
        return [json.loads(text) for text in connection.scalars(chosen)]


def newest_measurement(engine: Engine) -> dict[str, Any] | None:
    """The last report, if there ever was one."""
    chosen = select(measurements.c.document).order_by(
        measurements.c.measured_at.desc(), measurements.c.id.desc()
    )
    with reading(engine) as connection:
        text = connection.scalar(chosen.limit(1))
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found
