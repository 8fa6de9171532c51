"""A PostgreSQL cluster of the tests' own, gone when they end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def binaries() -> Path | None:
    """Where initdb and pg_ctl are, the newest of them; None where there are none."""
    on_path = shutil.which("initdb")
    found = sorted(
        (place for pattern in _PLACES for place in Path("/").glob(f"{pattern[1:]}/initdb")), key=str
    )
    return Path(on_path).parent if on_path else found[-1].parent if found else None


@contextmanager
def cluster() -> Iterator[str]:
    """Starts a server on a free port of loopback; gives the URL of its databases, up to their name."""
    found = binaries()
    if found is None:
        complain = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        complain("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="holdouts-postgres-"))
    as_owner = _owner(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = ["-D", str(folder / "data")]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [*as_owner, str(found / "pg_ctl"), *data]
    _run([*as_owner, str(found / "initdb"), *data, "-A", "trust", "-U", "postgres", "--no-sync"])
    _run([*control, "-w", "-l", str(folder / "log"), "-o", options, "start"])
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        _run([*control, "-m", "immediate", "stop"])
        shutil.rmtree(folder)


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of an empty database, dropped at the end."""
    name = f"t{uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield f"{server}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _owner(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root, so there the cluster belongs to the user postgres."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
