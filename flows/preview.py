"""The dry run: what a sync would do now, as a table and as a document. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.session import open_customerio, open_session
from sync.decision import decide
from sync.gathering import Gathered, gather
from sync.plan import ListPlan, Plan


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan, and the facts it was made from."""

    plan: Plan
    gathered: Gathered


def preview() -> Preview:
    """Reads the segments and decides; changes nothing anywhere."""
    with open_session() as session, open_customerio(session) as customerio:
        gathered = gather(session.engine, customerio, session.programme)
    return Preview(decide(gathered.facts), gathered)


def plan_document(found: Preview) -> dict[str, Any]:
    """The contract's document: per audience its hash, what would move, who is left out and why."""
    lists = [_document(each) for each in found.plan.lists]
    return {
        "audiences": [each for each in lists if each["role"] != "holdout"],
        "holdout_lists": [each for each in lists if each["role"] == "holdout"],
        "unread": [
            {"audience": name, "reason": str(error)} for name, error in found.gathered.failures.items()
        ],
    }


def plan_text(found: Preview) -> str:
    """The same for a person, in the order in which people are taken away."""
    rows = [
        {
            "list": each["name"],
            "members": each["members"],
            "unusable": sum(each["unusable"].values()),
            "excluded": sum(each["excluded"].values()),
            "claimed": sum(each["claimed"].values()),
            "held out": each["held_out"],
            "adds": each["adds"],
            "removes": each["removes"],
            "band": each["band"],
            "plan": each["hash"],
        }
        for each in (_document(plan) for plan in found.plan.lists)
    ]
    lines = [table_text(rows)]
    for plan in found.plan.refused:
        lines += [f"{plan.name}: refused: {refusal.reason}" for refusal in plan.refusals]
        lines.append(
            f"  to let it through once: holdouts approve {plan.name} --plan {plan.hash} --reason TEXT"
        )
    lines += [
        f"{plan.name}: {plan.waiting:,} adds wait until {', '.join(plan.waits_for)} can be trusted"
        for plan in found.plan.lists
        if plan.waits_for
    ]
    lines += [f"{name}: not read: {error}" for name, error in found.gathered.failures.items()]
    return "\n".join(lines)


def table_text(rows: Sequence[Mapping[str, object]]) -> str:
    """A plain table: words to the left, numbers to the right."""
    if not rows:
        return "nothing to show"
    heads = list(rows[0])
    cells = [[_cell(row[head]) for head in heads] for row in rows]
    widths = [max(len(head), *(len(row[at]) for row in cells)) for at, head in enumerate(heads)]
    is_number = [isinstance(rows[0][head], int | float) for head in heads]
    lines = [heads, *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _document(plan: ListPlan) -> dict[str, Any]:
    counts = plan.counts
    return {
        "name": plan.name,
        "list": plan.list,
        "role": plan.role,
        "hash": plan.hash,
        "members": counts.profiles,
        "units": counts.units,
        "unusable": dict(counts.unusable),
        "excluded": dict(counts.excluded),
        "claimed": dict(counts.claimed),
        "held_out": counts.held_out,
        "held_out_universally": counts.held_out_universally,
        "desired": len(plan.desired),
        "adds": len(plan.adds),
        "removes": len(plan.removes),
        "band": plan.band,
        "waits_for": list(plan.waits_for),
        "waiting": plan.waiting,
        "refusals": [{"fuse": each.fuse, "reason": each.reason} for each in plan.refusals],
    }
