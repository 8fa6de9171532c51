"""All benchmarks in one run, with the machine and the versions above them. I/O."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from importlib.metadata import version

from benchmarks import analysis_speed, assignment_speed, sync_speed


def main() -> None:
    """`python -m benchmarks [MEMBERS]`, a million by default."""
    members = int(float(sys.argv[1])) if len(sys.argv) > 1 else 1_000_000
    names = ("prefect", "httpx", "sqlalchemy", "numpy", "pandas", "msgspec")
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
    print(", ".join(f"{name} {version(name)}" for name in names))
    print(f"\nSync of one audience of {members:,}, whole process, loopback HTTP, without Prefect")
    sync_speed.report(members)
    print("\nThe same where a page takes 200 ms and a request 500 ms")
    sync_speed.report(members, 0.2, 0.5, straightforward=False)
    print("\nAssignment, one core")
    assignment_speed.report(members)
    print(f"\nAll estimates of ten audiences, {members:,} entrants, {2 * members:,} orders")
    for database in ("sqlite", "postgresql"):
        analysis_speed.report(members, database)


if __name__ == "__main__":
    main()
