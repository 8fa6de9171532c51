"""A refused plan as it is shown to the person who decides: why, the figures, and the form that lets it through. I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from experiments.settings import brand_in_force
from flows.presentation import show_summary
from flows.runs import deployment_of
from sync.fuses import BEYOND_APPROVAL
from sync.plan import ListPlan, Plan

FORM = "approve-plan"


def approval_links(plan: Plan) -> dict[str, str]:
    """Where each refused plan can be approved in the UI, the form filled in; by audience.

    Nothing where nobody deployed the form, and for a plan that nobody may let through.
    """
    approvable = [each for each in plan.refused if may_be_approved(each)]
    if not approvable or FlowRunContext.get() is None:
        return {}
    try:
        with get_client(sync_client=True) as client:
            form = url_for("deployment", obj_id=client.read_deployment_by_name(deployment_of(FORM)).id)
    except ObjectNotFound:
        return {}
    return {each.name: f"{form}/run?parameters={_filled_in(each)}" for each in approvable}


def show_refusals(plan: Plan, approvals: Mapping[str, str]) -> None:
    """A plan artifact for each audience that a fuse stopped."""
    for each in plan.refused:
        show_summary(
            f"plan-{_key(each.name)}", refusal_text(each, approvals.get(each.name)), "A refused plan"
        )


def may_be_approved(plan: ListPlan) -> bool:
    """Whether a person may let this refused plan through."""
    return not any(each.fuse in BEYOND_APPROVAL for each in plan.refusals)


def refusal_text(plan: ListPlan, approval: str | None) -> str:
    """The plan in markdown: why it was refused, whom it concerns, what to do."""
    counts = plan.counts
    figures = {
        "profiles in the segment": counts.profiles,
        "without a usable e-mail": sum(counts.unusable.values()),
        "excluded": sum(counts.excluded.values()),
        "claimed by a window of higher priority": sum(counts.claimed.values()),
        "held out": counts.held_out,
        "would stand in the list": len(plan.desired),
        "**would be added**": len(plan.adds),
        "**would be removed**": len(plan.removes),
    }
    lines = [
        f"## {plan.name}: this plan was refused",
        "",
        *(f"- {each.reason}" for each in plan.refusals),
        "",
        f"Criteo's list `{plan.list}` was left as it is, and the other audiences were synced.",
        "",
        "| | people |",
        "|---|---:|",
        *(f"| {name} | {count:,} |" for name, count in figures.items()),
        "",
        *_what_to_do(plan, approval),
    ]
    return "\n".join(lines)


def _what_to_do(plan: ListPlan, approval: str | None) -> list[str]:
    if not may_be_approved(plan):
        return ["Nobody can let this plan through; the next sync plans anew."]
    form = (
        f"[Open the form, filled in]({approval})"
        if approval
        else f"Run the deployment `{deployment_of(FORM)}`"
    )
    return [
        "### If the segment is wrong",
        "Repair it in Customer.io; the next sync plans anew.",
        "",
        "### If the segment is right",
        f"{form}, with the audience `{plan.name}`, the plan `{plan.hash}` and a reason.",
        "The next sync then applies exactly this plan, once. In a shell:",
        "",
        f'```\n{_shell()} approve {plan.name} --plan {plan.hash} --reason "…"\n```',
    ]


def _shell() -> str:
    """The command as it is typed for the brand in force."""
    brand = brand_in_force()
    return f"HOLDOUTS_BRAND={brand} holdouts" if brand else "holdouts"


def _key(name: str) -> str:
    """A name as Prefect lets an artifact be called."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _filled_in(plan: ListPlan) -> str:
    return quote(json.dumps({"audience": plan.name, "plan": plan.hash, "reason": ""}), safe="")
