"""One flow run for each holdout group, on the work pool: started, watched, given up when its worker is gone. I/O.

A run is alive while it holds its group's lock, which dies with its process; Prefect itself would go on
calling it running for minutes, or for ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed
from sqlalchemy import Engine

from experiments.errors import Rejected
from experiments.lock import is_held

_LOOK_EVERY = 1.0
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a run is given up."""

    without_lock: float = 20
    """Running by Prefect's word, but without its lock: its process is gone. A run takes and leaves the lock within seconds."""
    starting: float = 180
    """Taken by a worker, but not running."""
    waiting: float = 1_800
    """Not even taken by a worker."""


def group_lock(group: str) -> str:
    """The name of the lock that the run of a group holds."""
    return f"sync of {group}"


def start_groups(deployment: str, groups: Iterable[str], now: datetime) -> dict[str, UUID]:
    """Asks the work pool for a run of each group; raises Rejected where nobody deployed the flow."""
    started = {}
    for group in groups:
        parameters = {"group": group, "now": now.isoformat()}
        try:
            run = run_deployment(deployment, parameters=parameters, timeout=0)
        except ObjectNotFound as error:
            raise Rejected(
                f"Prefect has no deployment {deployment!r}, so no group can be synced in a run of its own; "
                "deploy it, or sync without `by_group`"
            ) from error
        assert isinstance(run, FlowRun), "it answers at once outside of an event loop"
        started[group] = run.id
    return started


def watch(engine: Engine, runs: Mapping[str, UUID], patience: Patience | None = None) -> dict[str, State]:
    """Waits until every run has ended, and ends those that cannot any more; gives their states by group."""
    patience = patience or Patience()
    over: dict[str, State] = {}
    since = {group: (time.monotonic(), "") for group in runs}
    with get_client(sync_client=True) as client:
        while len(over) < len(runs):
            time.sleep(_LOOK_EVERY)
            open_runs = {group: run for group, run in runs.items() if group not in over}
            for group, run in _read(client, open_runs).items():
                state = run.state
                assert state is not None, "a run that was scheduled has a state"
                if state.is_final():
                    over[group] = state
                    continue
                kind = "alive" if is_held(engine, group_lock(group)) else state.type.value
                if since[group][1] != kind:
                    since[group] = (time.monotonic(), kind)
                ending = _given_up(kind, time.monotonic() - since[group][0], patience)
                if ending is not None:
                    client.set_flow_run_state(run.id, ending, force=True)
                    over[group] = ending
    return over


def _given_up(kind: str, seconds: float, patience: Patience) -> State | None:
    if kind == "alive":
        return None
    if kind == "RUNNING" and seconds > patience.without_lock:
        return Crashed(message="its process is gone: its lock is free")
    if kind == "PENDING" and seconds > patience.starting:
        return Crashed(message="a worker took it and did not start it")
    if seconds > max(patience.waiting, patience.starting, patience.without_lock):
        return Cancelled(message="no worker took it; start one more, or give the pool more room")
    return None


def _read(client: SyncPrefectClient, runs: Mapping[str, UUID]) -> dict[str, FlowRun]:
    named = {run: group for group, run in runs.items()}
    wanted = list(named)
    found = {}
    for first in range(0, len(wanted), _PAGE):
        ids = FlowRunFilterId(any_=wanted[first : first + _PAGE])
        found.update(
            {named[run.id]: run for run in client.read_flow_runs(flow_run_filter=FlowRunFilter(id=ids))}
        )
    return found
