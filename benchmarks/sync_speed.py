"""How fast one audience is synced: first sync, then re-syncs, beside the straightforward script. I/O."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_FILE = """advertiser: "12345"
currency: EUR
margin: 45%
universal_holdout: 2%
audiences:
  - name: everyone
    segment: 7
    holdout: 10%
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: seconds on the wall, peak memory in MB, and what it said."""

    seconds: float
    peak: float
    said: str


@contextmanager
def sink(members: int, page_delay: float = 0.0, request_delay: float = 0.0) -> Iterator[str]:
    """The loopback server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "benchmarks.sink", str(members), str(page_delay), str(request_delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        churn(url, 0)
        try:
            yield url
        finally:
            process.kill()


def churn(url: str, by: int) -> None:
    """Lets so many people leave the segment and so many others come."""
    httpx.post(f"{url}/churn", json={"by": by}, timeout=600).raise_for_status()


def run(module: str, arguments: list[str], environment: dict[str, str] | None = None) -> Run:
    """Runs a module as a process of its own and measures it from outside."""
    script = (
        "import resource, subprocess, sys, time\n"
        "began = time.perf_counter()\n"
        "done = subprocess.run([sys.executable, '-m', *sys.argv[1:]], stdout=subprocess.PIPE, text=True)\n"
        "took = time.perf_counter() - began\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024\n"
        "print(took, peak); print(done.stdout.strip()); sys.exit(done.returncode)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, module, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        check=True,
    )
    figures, _, said = done.stdout.partition("\n")
    seconds, peak = (float(text) for text in figures.split())
    return Run(seconds, peak, said.strip())


def measure(
    members: int, page_delay: float = 0.0, request_delay: float = 0.0, *, straightforward: bool = True
) -> Iterator[tuple[str, Run]]:
    """First sync, re-syncs at 0.1, 1 and 10 % churn, and the straightforward script, in one run."""
    with sink(members, page_delay, request_delay) as url, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "audiences.yaml").write_text(_FILE)
        environment = {
            "HOLDOUTS_AUDIENCES": str(place / "audiences.yaml"),
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": "key",
            "CUSTOMERIO_BASE_URL": url,
            "CRITEO_CLIENT_ID": "id",
            "CRITEO_CLIENT_SECRET": "secret",
            "CRITEO_BASE_URL": url,
        }
        began = 1_700_000_000
        yield "first sync", run("benchmarks.one_sync", [str(began)], environment)
        for share in (0.001, 0.01, 0.1):
            churn(url, int(members * share))
            began += 3_600
            yield f"re-sync, {share:.1%} churn", run("benchmarks.one_sync", [str(began)], environment)
        size = (place / "holdouts.sqlite").stat().st_size / 2**20
        if straightforward:
            yield (
                "straightforward script",
                run("benchmarks.straightforward", [url, str(place / "plain.sqlite")]),
            )
        yield "ledger on disk", Run(0.0, size, "")


def report(
    members: int, page_delay: float = 0.0, request_delay: float = 0.0, *, straightforward: bool = True
) -> None:
    """Prints seconds, peak memory, people a second and where the time went, in milliseconds of the process."""
    for name, found in measure(members, page_delay, request_delay, straightforward=straightforward):
        rate = f"{members / found.seconds / 1e6:6.2f} M people/s" if found.seconds else ""
        print(f"{name:24} {found.seconds:8.2f} s {found.peak:8.0f} MB {rate}  {found.said}", flush=True)


def main() -> None:
    """`python -m benchmarks.sync_speed [MEMBERS [PAGE_DELAY REQUEST_DELAY]]`."""
    members, *delays = (float(text) for text in (sys.argv[1:] or ["1000000"]))
    report(int(members), *delays)


if __name__ == "__main__":
    main()
