"""A lock beside the ledger that dies with whoever holds it. I/O."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection, Engine, text

from experiments.database import database_errors, reading
from experiments.errors import Refused

_KEY = "hashtextextended(current_schema() || '|' || :name, 0)"
"""An advisory lock is one of its whole database, and two ledgers may be two schemas of one."""
_LOST_AFTER = "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""A machine that vanished says no farewell; PostgreSQL then notices within a minute and a half, not two hours."""


@contextmanager
def exclusive(engine: Engine, name: str) -> Iterator[None]:
    """Holds the lock of that name, or raises Refused at once where somebody else holds it.

    PostgreSQL: an advisory lock of the session. SQLite: a lock on a file beside the database. The
    operating system or the server releases either when the process dies, however it dies.
    """
    with _held(engine, name, shared=False):
        yield


@contextmanager
def together(engine: Engine, name: str) -> Iterator[None]:
    """Holds the lock of that name beside others who hold it so; Refused where somebody holds it alone."""
    with _held(engine, name, shared=True):
        yield


def is_held(engine: Engine, name: str) -> bool:
    """Whether anybody holds the lock of that name now; on PostgreSQL only, where looking does not take it."""
    found = (
        f"SELECT EXISTS (SELECT FROM pg_locks, (SELECT {_KEY} AS key) AS wanted "  # noqa: S608 - a constant
        "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND (classid::bigint << 32) | objid::bigint = wanted.key)"
    )
    with reading(engine) as connection:
        return bool(connection.scalar(text(found), {"name": name}))


def take_turns(connection: Connection, name: str) -> None:
    """Waits until no other transaction has this turn; it ends with the transaction.

    On SQLite whoever writes has the only turn there is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_KEY})"), {"name": name})


def _held(engine: Engine, name: str, *, shared: bool) -> AbstractContextManager[None]:
    return (_advisory if engine.dialect.name == "postgresql" else _file)(engine, name, shared=shared)


@contextmanager
def _advisory(engine: Engine, name: str, *, shared: bool) -> Iterator[None]:
    kind = "_shared" if shared else ""
    with database_errors(engine), engine.connect() as connection:
        autocommit = connection.execution_options(isolation_level="AUTOCOMMIT")
        autocommit.execute(text(_LOST_AFTER))
        if not autocommit.scalar(text(f"SELECT pg_try_advisory_lock{kind}({_KEY})"), {"name": name}):
            raise _busy(name)
        try:
            yield
        finally:
            autocommit.execute(text(f"SELECT pg_advisory_unlock{kind}({_KEY})"), {"name": name})


@contextmanager
def _file(engine: Engine, name: str, *, shared: bool) -> Iterator[None]:
    database = engine.url.database
    if not database or database == ":memory:":
        yield
        return
    descriptor = os.open(f"{database}.{name}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(name) from error
        yield
    finally:
        os.close(descriptor)


def _busy(name: str) -> Refused:
    return Refused(f"another {name} of this ledger is running; nothing was done, run again when it has ended")
