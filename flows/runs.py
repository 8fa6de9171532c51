"""What a flow run says about itself: its name with its time, its deployment, and who asked for it. I/O."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from prefect.context import FlowRunContext
from prefect.runtime import flow_run

from experiments.settings import brand_in_force
from flows.session import moment


def timed(flow: str) -> Callable[[], str]:
    """Names runs `sync-audiences · 2026-11-24 06:00`: the time they are given, else when they were due, in UTC."""

    def name() -> str:
        given = flow_run.get_parameters()
        when = given.get("now")
        due = when if isinstance(when, datetime) else flow_run.get_scheduled_start_time()
        rehearsal = " (dry run)" if given.get("dry_run") else ""
        return f"{flow}{rehearsal} · {moment(due):%Y-%m-%d %H:%M}"

    return name


def deployment_of(flow: str) -> str:
    """A flow's deployment as Prefect calls it: the product's own, or that of the brand in force."""
    return f"{flow}/{brand_in_force() or flow}"


def asker(who: str) -> str:
    """Who asked: the name given, else the person whom Prefect knows (Prefect Cloud does), else `Prefect`."""
    context = FlowRunContext.get()
    creator = context.flow_run.created_by if context and context.flow_run else None
    return who.strip() or (creator.display_value if creator and creator.display_value else "Prefect")
