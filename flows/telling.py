"""What people are told after a sync: refusals, stale sources, match rates that fell. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from experiments.errors import HoldoutsError
from flows import announcements
from flows.refusals import approval_links, show_refusals
from sync.applying import ListResult
from sync.history import ListState
from sync.match_rate import MatchRate, newly_fallen, usual
from sync.plan import Plan


def tell(plan: Plan, unread: Mapping[str, HoldoutsError], before: Mapping[str, Row[Any]]) -> None:
    """Tells people what they should look at."""
    approvals = approval_links(plan)
    show_refusals(plan, approvals)
    for refused in plan.refused:
        announcements.sync_refused(refused, approvals.get(refused.name))
    for name, failure in unread.items():
        last = before.get(name)
        since = None if last is None else datetime.fromtimestamp(last.synced_at, UTC)
        announcements.source_stale("audience", name, str(failure), since)


def tell_rates(results: Sequence[ListResult], rates: Mapping[str, Sequence[MatchRate]]) -> None:
    """Tells whose match rate fell below its own past with this sync."""
    for result in results:
        past, now = rates.get(result.plan.name, ()), _rate(result.state)
        if now is not None and newly_fallen(past, now) and (before := usual(past)) is not None:
            announcements.match_rate_fell(result.plan.name, before.share, now.share, now.identifiers)


def _rate(state: ListState) -> MatchRate | None:
    if state.match_rate is None or not state.identifiers:
        return None
    return MatchRate(state.match_rate, state.identifiers)
