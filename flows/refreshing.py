"""A refresh as steps of a sync: the second list is made before it, and goes on after it. I/O."""

from __future__ import annotations

from collections.abc import Sequence

from flows.presentation import Row
from flows.session import Session, open_criteo
from flows.steps import step
from sync.delivery import Courier, Stopwatch
from sync.plan import Plan
from sync.refresh import Step, advance, begin


@step("begin refresh")
def begin_refresh(session: Session, name: str, watch: Stopwatch) -> None:
    """Makes the list that is to replace the audience's; the sync fills it."""
    with open_criteo(session) as criteo:
        courier = Courier(session.engine, criteo, session.programme.advertiser, watch.at, watch=watch)
        begin(courier, session.programme, name)


@step("advance refreshes")
def advance_refreshes(session: Session, plan: Plan, watch: Stopwatch) -> tuple[Step, ...]:
    """Checks, swaps and drains, as far as each refresh goes now."""
    with open_criteo(session) as criteo:
        courier = Courier(session.engine, criteo, session.programme.advertiser, watch.at, watch=watch)
        return advance(courier, session.programme, plan)


def with_refreshes(rows: Sequence[Row], plan: Plan, steps: Sequence[Step]) -> list[dict[str, object]]:
    """The rows of a sync, each with what its list's refresh has come to; as they are where none is under way."""
    if not steps:
        return [dict(row) for row in rows]
    told: dict[str, list[str]] = {}
    for each in steps:
        told.setdefault(each.name, []).append(each.sentence)
    called = {each.name: each.list for each in plan.lists if each.of is None}
    return [{**row, "refresh": "; ".join(told.pop(called.get(str(row["list"]), ""), []))} for row in rows]
