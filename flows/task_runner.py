"""The Prefect task runner that the settings name: threads, or Dask or Ray for one huge audience. I/O.

Dask and Ray are extras. Without an address they start workers on this machine.
"""

from __future__ import annotations

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from sqlalchemy.engine import make_url

from experiments.errors import Rejected
from experiments.settings import Settings


def task_runner(settings: Settings) -> TaskRunner[Any]:
    """A runner that is not started yet; raises Rejected where its extra is not installed."""
    name = settings.holdouts_task_runner
    if (
        settings.holdouts_cluster
        and make_url(settings.database_url().get_secret_value()).get_backend_name() == "sqlite"
    ):
        raise Rejected(
            "HOLDOUTS_CLUSTER is set, but the ledger is an SQLite file that only this machine has; use PostgreSQL"
        )
    try:
        match name:
            case "threads":
                return ThreadPoolTaskRunner(max_workers=settings.holdouts_at_once)
            case "dask":
                return _dask(settings)
            case "ray":
                return _ray(settings)
    except ImportError as error:
        raise Rejected(
            f"HOLDOUTS_TASK_RUNNER is {name}, which is not installed: pip install 'criteo-holdouts[{name}]'"
        ) from error


def _dask(settings: Settings) -> TaskRunner[Any]:
    from prefect_dask.task_runners import DaskTaskRunner

    if settings.holdouts_cluster:
        return DaskTaskRunner(address=settings.holdouts_cluster)
    here = {"n_workers": settings.holdouts_at_once, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=here)


def _ray(settings: Settings) -> TaskRunner[Any]:
    from prefect_ray.task_runners import RayTaskRunner

    here = {"num_cpus": settings.holdouts_at_once, "include_dashboard": False}
    runner: TaskRunner[Any] = RayTaskRunner(
        address=settings.holdouts_cluster, init_kwargs={} if settings.holdouts_cluster else here
    )
    return runner
