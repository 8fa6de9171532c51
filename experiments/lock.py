"""A lock beside the ledger that dies with whoever holds it. I/O."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from experiments.database import database_errors
from experiments.errors import Refused


@contextmanager
def exclusive(engine: Engine, name: str) -> Iterator[None]:
    """Holds the lock of that name, or raises Refused at once where somebody else holds it.

    PostgreSQL: an advisory lock of the session. SQLite: a lock on a file beside the database. The
    operating system or the server releases either when the process dies, however it dies.
    """
    held = _advisory(engine, name) if engine.dialect.name == "postgresql" else _file(engine, name)
    with held:
        yield


@contextmanager
def _advisory(engine: Engine, name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    with database_errors(engine), engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        if not autocommit.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            raise _busy(name)
        try:
            yield
        finally:
            autocommit.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})


@contextmanager
def _file(engine: Engine, name: str) -> Iterator[None]:
    database = engine.url.database
    if not database or database == ":memory:":
        yield
        return
    descriptor = os.open(f"{database}.{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(name) from error
        yield
    finally:
        os.close(descriptor)


def _busy(name: str) -> Refused:
    return Refused(f"another {name} of this ledger is running; nothing was done, run again when it has ended")
