"""How a run tells its story in Prefect's UI: tables, summaries, links and progress, of counts only. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import FlowRunContext

from experiments.settings import brand_in_force
from sync.applying import ListResult
from sync.plan import ListPlan, Plan

T = TypeVar("T")
Row = Mapping[str, object]


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
            "refused": reasons(each.plan),
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
            "refused": reasons(each),
        }
        for each in plan.lists
    ]


def rejected_text(rows: Iterable[Row]) -> str:
    """Where Criteo rejected identifiers, and how to see whose; empty where it took all. Counts only."""
    return "\n".join(
        f"{row['list']}: Criteo rejected {row['rejected']:,} identifiers that look right; "
        f"`holdouts audit rejected {row['list']}` names their profiles"
        for row in rows
        if row["rejected"] and row["role"] in ("include", "exclude")
    )


def reasons(plan: ListPlan) -> str:
    """Why a plan was refused, in one line; empty where it was not."""
    return "; ".join(each.reason for each in plan.refusals)


def show_run(key: str, rows: Sequence[Row], title: str) -> None:
    """A table artifact on the run; nothing where there is no run or nothing to show."""
    if FlowRunContext.get() is not None and rows:
        create_table_artifact([dict(row) for row in rows], key=_key(key), description=title)


def show_summary(key: str, markdown: str, title: str) -> None:
    """A markdown artifact on the run."""
    if FlowRunContext.get() is not None:
        create_markdown_artifact(markdown, key=_key(key), description=title)


def show_link(key: str, url: str, text: str) -> None:
    """A link artifact on the run."""
    if FlowRunContext.get() is not None:
        create_link_artifact(url, link_text=text, key=_key(key), description=text)


def tracked(title: str, parts: Iterable[T], total: int) -> Iterator[T]:
    """The parts, one by one, with a progress artifact that moves as each is done."""
    if FlowRunContext.get() is None:
        yield from parts
        return
    artifact = create_progress_artifact(progress=0.0, description=title)
    assert isinstance(artifact, UUID), "it answers at once outside of an event loop"
    for done, part in enumerate(parts, start=1):
        yield part
        update_progress_artifact(artifact, progress=100.0 * done / total)


def _key(key: str) -> str:
    """Prefect keeps the versions of one key together, so each brand has keys of its own."""
    brand = brand_in_force()
    return f"holdouts-{brand}-{key}" if brand else f"holdouts-{key}"


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
