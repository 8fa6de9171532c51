"""All benchmarks over several sizes, as one Markdown document on standard output; progress goes to standard error. I/O."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.analysis_speed import measure_analysis
from benchmarks.measured import Measured, Part
from benchmarks.page import Machine, page
from benchmarks.process import run, tell
from benchmarks.sync_speed import Latency, measure_syncs

PARTS: tuple[Part, ...] = ("sync", "analysis", "report")
SMALLEST = 2_000
"""Below it an audience may have nobody held out, and 0.1 % churn nobody who moves."""
INTERNET = Latency(page=0.2, request=0.5)
_PACKAGES = ("prefect", "httpx", "sqlalchemy", "psycopg", "numpy", "pandas", "msgspec")

_HOW = """Seconds, CPU seconds and peaks are those of whole processes, whose start takes {:.2f} s and {:.0f} MB; the share of a
PostgreSQL server is in the seconds alone. Growth is the exponent of the seconds from the size above: 1 is linear. Floors
are loops alone, without a process around them: of a sync its hashes and its transfer, of the others one scan of both tables."""


def main() -> None:
    """`python -m benchmarks [SIZE ...]`, 1e5 and 1e6 by default; `--help` names the switches."""
    asked = _arguments()
    sizes = sorted(set(asked.sizes))
    found = [each for size in sizes for each in _measure(size, asked)]
    started = run("benchmarks.floors", ["start"]).cost
    notes = [_HOW.format(started.seconds, started.peak)]
    left_out = [size for size in sizes if size > asked.script_up_to]
    notes += [f"The straightforward scripts were left out at {size:,}, as was asked." for size in left_out]
    sys.stdout.write(page(_machine(), found, notes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "sizes", nargs="*", type=_size, default=[100_000, 1_000_000], help="members and entrants, such as 1e5"
    )
    parser.add_argument("--only", nargs="+", choices=[*PARTS, "latency"], default=PARTS, help="parts to run")
    parser.add_argument(
        "--databases", nargs="+", choices=["sqlite", "postgresql"], default=["sqlite", "postgresql"]
    )
    parser.add_argument(
        "--script-up-to",
        type=float,
        default=float("inf"),
        help="leave the straightforward scripts out above this size: they take a gigabyte a million",
    )
    return parser.parse_args()


def _size(text: str) -> int:
    try:
        size = int(float(text))
    except (ValueError, OverflowError):
        size = 0
    if size < SMALLEST:
        raise argparse.ArgumentTypeError(
            f"{text} is no size; write a number from {SMALLEST:,} on, such as 1e5"
        )
    return size


def _measure(size: int, asked: argparse.Namespace) -> Iterator[Measured]:
    with_script = size <= asked.script_up_to
    if "sync" in asked.only:
        tell(f"sync, {size:,}")
        yield from measure_syncs(size, with_script=with_script)
    if "latency" in asked.only:
        tell(f"sync over a distance, {size:,}")
        yield from measure_syncs(size, part="latency", latency=INTERNET, with_script=False)
    parts: Sequence[Part] = [part for part in PARTS[1:] if part in asked.only]
    for database in asked.databases if parts else ():
        tell(f"{' and '.join(parts)}, {size:,}, {database}")
        yield from measure_analysis(size, database, parts, with_script=with_script)


def _machine() -> Machine:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return Machine(
        hardware=f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
        versions=", ".join([*versions, *(f"{name} {version(name)}" for name in _PACKAGES)]),
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        command=shlex.join([Path(sys.executable).name, "-m", "benchmarks", *sys.argv[1:]]),
    )


if __name__ == "__main__":
    main()
