"""A Prefect server of one's own, as a child process on a free port, gone when its block ends. I/O."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from experiments.errors import Retryable

_PATIENCE = 90.0
_LAST_WORDS = 20.0


@contextmanager
def local_server(home: Path, extra: dict[str, str] | None = None) -> Iterator[str]:
    """Starts a server that keeps its files in `home`; gives the URL of its API.

    `extra` are further environment variables of the server. Raises Retryable where it does not come up.
    """
    home.mkdir(parents=True, exist_ok=True)
    port, log = _free_port(), home / "server.log"
    url = f"http://127.0.0.1:{port}/api"
    command = ["prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    environment = {**clean_environment(home), "PREFECT_UI_API_URL": "/api", **(extra or {})}
    with child(command, environment, log) as process:
        _wait(process, url, log)
        try:
            yield url
        finally:
            _deliver_events()


def _deliver_events() -> None:
    """Sends what this process still has to tell the server; at exit it would wait for ever for one that is gone."""
    worker = sys.modules.get("prefect.events.worker")
    if worker is not None:
        worker.EventsWorker.drain_all(timeout=_LAST_WORDS)


@contextmanager
def child(module: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m` as a child process that writes to `log`; it and its children are gone when the block ends."""
    with log.open("wb") as words:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-m", *module],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            _stop(process)


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without any Prefect setting of the caller's, and with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {
        **kept,
        "PREFECT_HOME": str(home.resolve()),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
        "DO_NOT_TRACK": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Retryable(f"the Prefect server ended while it started; its words are in {log}")
        try:
            if httpx.get(f"{url}/health", timeout=2).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise Retryable(f"the Prefect server did not answer within {_PATIENCE:.0f} s; its words are in {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
