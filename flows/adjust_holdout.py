"""Changes the holdout percentage of one audience; no data are lost, nobody but the band moves. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow

from flows.forms import HeldOutAudience, Percent, Reason
from flows.holdout_change import set_holdout
from flows.runs import asker


@flow(
    name="adjust-holdout", flow_run_name="adjust-holdout · {audience} · {percent:g} %", persist_result=False
)
def adjust_holdout(
    audience: HeldOutAudience, percent: Percent, reason: Reason, who: str = "", now: datetime | None = None
) -> dict[str, Any]:
    """Asks for another holdout; the next sync carries it out and opens a phase.

    Args:
        audience: Whose holdout to change; `universal` is the share held out of every audience.
        percent: Share of people to hold out, in percent, from 0 to 50.
        reason: Why; it stands in the log for good.
        who: Your name, for the log; empty means the person whom Prefect knows.
        now: The time that is written down; empty means the time of the run.
    """
    return set_holdout(
        audience, round(percent * 10_000), reason=reason, who=asker(who), route="form", now=now
    )
