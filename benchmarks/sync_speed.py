"""What syncs of one audience cost: the first, then re-syncs with more and more churn, then the script. I/O."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from benchmarks.measured import Measured, Part
from benchmarks.process import run, tell

CHURN = (0.001, 0.01, 0.1)
_BEGAN, _HOUR = 1_700_000_000, 3_600
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
class Latency:
    """Seconds that the server lets a page and a request wait."""

    page: float = 0.0
    request: float = 0.0


@contextmanager
def sink(members: int, latency: Latency) -> Iterator[str]:
    """The loopback server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "benchmarks.sink", str(members), str(latency.page), str(latency.request)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        try:
            churn(url, 0)
            yield url
        finally:
            process.kill()


def churn(url: str, by: int) -> None:
    """Lets so many people leave the segment and so many others come."""
    httpx.post(f"{url}/churn", json={"by": by}, timeout=600).raise_for_status()


def measure_syncs(
    members: int, *, part: Part = "sync", latency: Latency | None = None, with_script: bool = True
) -> list[Measured]:
    """A first sync and the re-syncs, each beside its floor and the script's one way to do either."""
    with sink(members, latency or Latency()) as url, tempfile.TemporaryDirectory() as folder:
        found = [
            _sync(part, url, Path(folder), members, number, share)
            for number, share in enumerate((None, *CHURN))
        ]
        if not with_script:
            return found
        tell(f"  {members:,} members: the straightforward script")
        script = run("benchmarks.straightforward", [url, str(Path(folder) / "plain.sqlite")]).cost
    # It replaces the whole list each time, so that a re-sync costs it what the first sync does.
    row = Measured(part, "SQLite", "the straightforward script", members, script)
    return [*(replace(each, script=script.seconds) for each in found), row]


def _sync(part: Part, url: str, folder: Path, members: int, number: int, share: float | None) -> Measured:
    what = "first sync" if share is None else f"re-sync, {share * 100:g} % churn"
    tell(f"  {members:,} members: {what}")
    moved = members if share is None else int(members * share)
    if share is not None:
        churn(url, moved)
    ledger = folder / "holdouts.sqlite"
    (folder / "audiences.yaml").write_text(_FILE)
    ran = run("benchmarks.one_sync", [str(_BEGAN + number * _HOUR)], _environment(url, folder))
    expected = (moved, 0) if share is None else (moved, moved)
    if (ran.said["adds"], ran.said["removes"]) != expected:
        raise RuntimeError(f"{what} moved {ran.said}, not {expected}: the figures would mean nothing")
    floors = _floors(url, members, moved, is_first=share is None) if part == "sync" else {}
    return Measured(part, "SQLite", what, members, ran.cost, _megabytes(ledger), floors)


def _floors(url: str, members: int, moved: int, *, is_first: bool) -> dict[str, float]:
    """Both hashes of who is new, the e-mail's of everybody else; the pages, and what is sent of who moved."""
    if is_first:
        hashed = _seconds("hashing", members, 2)
    else:
        hashed = _seconds("hashing", members - moved, 1) + _seconds("hashing", moved, 2)
    return {"hash": hashed, "transfer": _seconds("transfer", url, members, moved if is_first else 2 * moved)}


def _seconds(*words: object) -> float:
    return float(run("benchmarks.floors", [str(word) for word in words]).said["seconds"])


def _megabytes(ledger: Path) -> float:
    """The database and what its log holds beside it."""
    files = (ledger, ledger.with_name(ledger.name + "-wal"))
    return sum(each.stat().st_size for each in files if each.exists()) / 2**20


def _environment(url: str, folder: Path) -> dict[str, str]:
    return {
        "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
        "HOLDOUTS_DATABASE_URL": f"sqlite:///{folder / 'holdouts.sqlite'}",
        "HOLDOUTS_RATE_LIMITS": "off",
        "CUSTOMERIO_APP_KEY": "key",
        "CUSTOMERIO_BASE_URL": url,
        "CRITEO_CLIENT_ID": "id",
        "CRITEO_CLIENT_SECRET": "secret",
        "CRITEO_BASE_URL": url,
    }
