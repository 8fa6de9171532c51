"""A Prefect server on PostgreSQL with everything deployed, and workers that can be killed like a machine. I/O."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postgres import fresh_database
from prefect_server import PrefectServer

from flows.local_server import child, local_server

ROOT = Path(__file__).parents[2]
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
_WORKER = ["prefect", "worker", "start", "--pool", "holdouts", "--limit", "1", "--install-policy", "never"]


@contextmanager
def server_on_postgres(postgres: str, home: Path) -> Iterator[PrefectServer]:
    """A Prefect server that keeps its records in a database of its own."""
    with fresh_database(postgres) as database:
        asynchronous = database.replace("postgresql://", "postgresql+asyncpg://")
        with local_server(home, {"PREFECT_API_DATABASE_CONNECTION_URL": asynchronous}) as url:
            yield PrefectServer(url, home)


@dataclass
class Pool:
    """Several workers of one work pool."""

    server: PrefectServer
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def shell(self, *module: str, environment: dict[str, str] | None = None) -> str:
        command = [sys.executable, "-m", *module]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{module}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, deployment: str, **parameters: Any) -> str:
        found = self.server.get(f"/deployments/name/{deployment}")
        asked = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        run: str = self.server.post(f"/deployments/{found['id']}/create_flow_run", asked)["id"]
        return run

    def runs_of(self, flow: str) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = self.server.post(
            "/flow_runs/filter", {"flows": {"name": {"any_": [flow]}}}
        )
        return runs

    def wait(self, run: str, seconds: float) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        found: dict[str, Any] = {}
        while time.monotonic() < deadline:
            found = self.server.get(f"/flow_runs/{run}")
            if found["state"]["type"] in OVER:
                return found
            time.sleep(0.5)
        raise AssertionError(f"not over after {seconds:.0f} s: {found['state']}")

    def kill_machine_of(self, run: str) -> None:
        """Kills the process of a run and the worker that started it, with no chance to say anything."""
        process = _process_of(run)
        (worker,) = [each for each in self.workers if each.pid in _ancestors(process)]
        for victim in (worker.pid, process):
            os.kill(victim, signal.SIGKILL)
        worker.wait()
        self.workers.remove(worker)


@contextmanager
def pool_of(
    server: PrefectServer,
    environment: dict[str, str],
    workers: int,
    folder: Path,
    deploying: tuple[str, ...] = ("prefect", "deploy", "--all", "--no-prompt"),
) -> Iterator[Pool]:
    """Everything deployed, the shared limits made, and so many workers started, each for one run at a time."""
    pool = Pool(server, environment)
    pool.shell("prefect", "work-pool", "create", "holdouts", "--type", "process")
    pool.shell(*deploying)
    pool.shell("prefect", "deployment", "schedule", "pause", "--all")
    pool.shell("flows.shared_limits")
    with ExitStack() as stack:
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            pool.workers.append(stack.enter_context(child(_WORKER, environment, log)))
        yield pool


def _process_of(run: str) -> int:
    wanted = f"PREFECT__FLOW_RUN_ID={run}".encode()
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            try:
                if wanted in (each / "environ").read_bytes().split(b"\0"):
                    found.append(int(each.name))
            except OSError:
                continue
    # A process that the run itself started has its environment too; the run is the oldest.
    return min(found, key=lambda pid: _stat(pid)[21])


def _ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        pid = int(_stat(pid)[3])
        found.append(pid)
    return found


def _stat(pid: int) -> list[str]:
    text = Path(f"/proc/{pid}/stat").read_text()
    head, _, tail = text.rpartition(")")
    return [*head.split(" ", 1), *tail.split()]
