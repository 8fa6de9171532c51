"""Lets one refused plan through the fuses, once, and writes down who let it and why. I/O."""

from __future__ import annotations

from datetime import datetime

from prefect import flow

from experiments.database import writing
from experiments.errors import Refused
from flows.forms import PlanHash, Reason, SyncedAudience
from flows.preview import preview
from flows.runs import asker
from flows.session import moment, open_session, seconds
from sync.fuses import BEYOND_APPROVAL
from sync.history import approve


@flow(name="approve-plan", flow_run_name="approve-plan · {audience} · {plan}", persist_result=False)
def approve_plan(
    audience: SyncedAudience, plan: PlanHash, reason: Reason, who: str = "", now: datetime | None = None
) -> None:
    """Approves exactly this plan for the next sync; refused where the world has moved since.

    Args:
        audience: The audience that was refused.
        plan: The sixteen digits that the refusal shows; they name exactly these adds and removes.
        reason: Why; it stands in the log for good.
        who: Your name, for the log; empty means the person whom Prefect knows.
        now: The time that is written down; empty means the time of the run.
    """
    found = {each.name: each for each in preview().plan.refused}
    if audience not in found:
        raise Refused(f"{audience}: no plan of this audience is refused now, so there is nothing to approve")
    if found[audience].hash != plan:
        raise Refused(
            f"{audience}: plan {plan} is not the plan of now, which is {found[audience].hash}: "
            f"{found[audience].refusals[0].reason}; look at it with `holdouts plan` first"
        )
    hopeless = [each.reason for each in found[audience].refusals if each.fuse in BEYOND_APPROVAL]
    if hopeless:
        raise Refused(f"{audience}: nobody can let this plan through: {hopeless[0]}")
    with open_session() as session, writing(session.engine) as connection:
        approve(connection, audience, plan, at=seconds(moment(now)), who=asker(who), reason=reason)
