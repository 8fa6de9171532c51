"""How a run tells its story in Prefect's UI: tables, summaries, links and progress, of counts only. I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import quote
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from sync.applying import ListResult
from sync.plan import ListPlan, Plan

Row = Mapping[str, object]
APPROVAL = "approve-plan/approve-plan"


def sync_table(results: Sequence[ListResult]) -> list[dict[str, object]]:
    """One row per list: sizes, what moved, what was refused."""
    return [
        {
            **_who_is_left(each.plan),
            "entrants": each.entrants,
            "adds": each.delivery.adds,
            "removes": each.delivery.removes,
            "rejected": each.delivery.rejected,
            "deferred": each.delivery.deferred,
            "waits for": ", ".join(each.plan.waits_for),
            "refused": _reasons(each.plan),
        }
        for each in results
    ]


def plan_table(plan: Plan) -> list[dict[str, object]]:
    """One row per list: sizes, what would move, what would be refused."""
    return [
        {
            **_who_is_left(each),
            "adds": len(each.adds),
            "removes": len(each.removes),
            "plan": each.hash,
            "refused": _reasons(each),
        }
        for each in plan.lists
    ]


def refusal_text(plan: ListPlan, approval: str | None) -> str:
    """A refused plan for the person who decides: why, the figures, and how to let it through."""
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
    form = f"[Open the form, filled in]({approval})" if approval else f"Run the deployment `{APPROVAL}`"
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
        "### If the segment is wrong",
        "Repair it in Customer.io; the next sync plans anew.",
        "",
        "### If the segment is right",
        f"{form}, with the audience `{plan.name}`, the plan `{plan.hash}` and a reason.",
        "The next sync then applies exactly this plan, once. In a shell:",
        "",
        f'```\nholdouts approve {plan.name} --plan {plan.hash} --reason "…"\n```',
    ]
    return "\n".join(lines)


def approval_links(plan: Plan) -> dict[str, str]:
    """Where each refused plan can be approved in the UI, by audience; nothing where nobody deployed the form."""
    if not plan.refused or FlowRunContext.get() is None:
        return {}
    try:
        with get_client(sync_client=True) as client:
            form = client.read_deployment_by_name(APPROVAL).id
    except ObjectNotFound:
        return {}
    page = url_for("deployment", obj_id=form)
    return {each.name: f"{page}/run?parameters={_filled_in(each)}" for each in plan.refused if page}


def show_refusals(plan: Plan, approvals: Mapping[str, str]) -> None:
    """A plan artifact for each audience that a fuse stopped."""
    for each in plan.refused:
        show_summary(
            f"plan-{_key(each.name)}", refusal_text(each, approvals.get(each.name)), "A refused plan"
        )


def show_run(key: str, rows: Sequence[Row], title: str) -> None:
    """A table artifact on the run; nothing where there is no run or nothing to show."""
    if FlowRunContext.get() is not None and rows:
        create_table_artifact([dict(row) for row in rows], key=f"holdouts-{key}", description=title)


def show_summary(key: str, markdown: str, title: str) -> None:
    """A markdown artifact on the run."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown, key=f"holdouts-{key}", description=title)


def show_link(key: str, url: str, text: str) -> None:
    """A link artifact on the run."""
    if FlowRunContext.get() is not None:
        create_link_artifact(url, link_text=text, key=f"holdouts-{key}", description=text)


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress artifact on the run; gives what to call after each of `total` parts."""
    if FlowRunContext.get() is None or not total:
        yield lambda: None
        return
    artifact = create_progress_artifact(progress=0.0, description=title)
    assert isinstance(artifact, UUID), "it answers at once outside of an event loop"
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        update_progress_artifact(artifact, progress=100.0 * done / total)

    yield advance


def _who_is_left(plan: ListPlan) -> dict[str, object]:
    counts = plan.counts
    return {
        "list": plan.name,
        "role": plan.role,
        "profiles": counts.profiles,
        "unusable": sum(counts.unusable.values()),
        "excluded": sum(counts.excluded.values()),
        "claimed": sum(counts.claimed.values()),
        "held out": counts.held_out,
    }


def _reasons(plan: ListPlan) -> str:
    return "; ".join(each.reason for each in plan.refusals)


def _key(name: str) -> str:
    """A name as Prefect lets an artifact be called."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _filled_in(plan: ListPlan) -> str:
    return quote(json.dumps({"audience": plan.name, "plan": plan.hash, "reason": ""}), safe="")
