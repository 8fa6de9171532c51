"""Opens the ledger's database, on SQLite or PostgreSQL, at the version this code knows. I/O."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Table, create_engine, event, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from experiments.bulk import copied_aside
from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.schema import VERSION

_BUSY_SECONDS = 30
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "cache_size=-65536",
)
"""`secure_delete` overwrites what is deleted: an erased person must not lie on in a free page."""
_MIGRATION_LOCK = 7_301_202_611
_WORTH_A_COPY = 1_000
"""Rows from which a table aside costs less than it saves."""


def connect(url: str) -> Engine:
    """An engine on the ledger, migrated to `VERSION`; raises Rejected or Retryable with one sentence."""
    engine = _engine(_parse(url))
    try:
        with database_errors(engine):
            _migrate(engine)
    except HoldoutsError:
        engine.dispose()
        raise
    return engine


@contextmanager
def database_errors(engine: Engine) -> Iterator[None]:
    """Turns the driver's failures into sentences that name the database and carry no data."""
    try:
        yield
    except DBAPIError as error:
        raise _sentence(engine, error) from None
    except _driver(engine).Error as error:
        # Rows by the million go past SQLAlchemy (experiments.bulk), and PostgreSQL quotes the row that it refuses.
        raise _sentence(engine, _known_to_sqlalchemy(engine, error)) from None


def _sentence(engine: Engine, error: DBAPIError) -> HoldoutsError:
    where = engine.url.render_as_string(hide_password=True)
    if isinstance(error.orig, sqlite3.DatabaseError) and "not a database" in str(error.orig):
        return Rejected(f"{where} is no SQLite database; check HOLDOUTS_DATABASE_URL")
    if not isinstance(error, OperationalError):
        return Rejected(f"the database {where} refused a statement ({type(error.orig).__name__})")
    return _unavailable(where, error)


def _unavailable(where: str, error: OperationalError) -> HoldoutsError:
    cause = str(error.orig).splitlines()[0].lower()
    if "locked" in cause:
        return Retryable(
            f"the database {where} has been locked by another process for {_BUSY_SECONDS} s; try again when it is done"
        )
    if "full" in cause:
        return Retryable(f"the disk that holds {where} is full; make room and run again, nothing was lost")
    if "unable to open" in cause or "readonly" in cause:
        return Rejected(f"the database {where} cannot be opened for writing; check the path and its rights")
    if isinstance(error.orig, sqlite3.Error):
        # SQLite's own words name tables and columns, never values.
        return Rejected(f"the database {where} refused a statement ({cause})")
    return Retryable(f"the database {where} does not answer ({type(error.orig).__name__})")


def _driver(engine: Engine) -> Any:
    return engine.dialect.loaded_dbapi


def _known_to_sqlalchemy(engine: Engine, error: Exception) -> DBAPIError:
    """The driver's own error as SQLAlchemy sorts it."""
    sorted_in = DBAPIError.instance(None, None, error, _driver(engine).Error, hide_parameters=True)
    assert isinstance(sorted_in, DBAPIError)
    return sorted_in


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Rejected(
            "HOLDOUTS_DATABASE_URL is no database URL; write it like sqlite:///holdouts.sqlite"
        ) from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise Rejected(f"the ledger runs on SQLite or PostgreSQL, not on {parsed.get_backend_name()}")
    return parsed


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url, pool_pre_ping=True)
        except NoSuchModuleError as error:  # pragma: no cover - psycopg is a dependency
            raise Rejected("the PostgreSQL driver psycopg is not installed") from error
    _create_private(url.database)
    return _prepared(create_engine(url, connect_args={"timeout": _BUSY_SECONDS}))


def reading_only(engine: Engine) -> Engine:
    """An engine on the same database that reads it and can write nothing but temporary tables.

    It keeps to one connection, so that these stay until it is disposed of; for one thread at a time. On
    PostgreSQL a transaction that makes or empties one has to say `SET TRANSACTION READ WRITE` first.
    """
    if engine.dialect.name == "postgresql":
        options = {"options": "-c default_transaction_read_only=on"}
        return create_engine(engine.url, poolclass=StaticPool, connect_args=options)
    path = quote(str(engine.url.database))

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_BUSY_SECONDS)

    return _prepared(create_engine(engine.url, poolclass=StaticPool, creator=opened))


def _prepared(engine: Engine) -> Engine:
    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver's own transactions begin too late to be trusted with DDL and reads.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN"
        )

    return engine


def _create_private(database: str | None) -> None:
    if not database or database == ":memory:" or Path(database).exists():
        return
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(database, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise Rejected(f"the database file {database} cannot be created ({error.strerror})") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that will write: it waits for its turn at the start, not in the middle."""
    with (
        database_errors(engine),
        engine.connect().execution_options(writes=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: one consistent view of the ledger."""
    with database_errors(engine), engine.connect() as connection, connection.begin():
        yield connection


def _migrate(engine: Engine) -> None:
    with engine.connect() as connection, connection.begin():
        known = inspect(connection).has_table("alembic_version")
        version = connection.scalar(text("SELECT version_num FROM alembic_version")) if known else None
    if version == VERSION:
        return
    if version is not None and version > VERSION:
        where = engine.url.render_as_string(hide_password=True)
        raise Rejected(
            f"the database {where} is of version {version}, newer than this program ({VERSION}); upgrade the program"
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # SQLite waits for its turn by itself; here two newcomers would make the same table.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def insert_or_update(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], changed: Sequence[str]
) -> None:
    """Inserts rows; where the primary key is there already, takes over the columns in `changed`."""
    if not rows:
        return
    names = list(rows[0])
    with _source(connection, table, names, rows) as source:
        statement = _insert(connection, table, names, source)
        keys = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in changed}
        upsert = statement.on_conflict_do_update(index_elements=keys, set_=values)
        connection.execute(upsert, rows if source is None else None)


def insert_or_ignore(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows; one whose primary key is there already is left as it is."""
    if not rows:
        return
    names = list(rows[0])
    with _source(connection, table, names, rows) as source:
        statement = _insert(connection, table, names, source).on_conflict_do_nothing()
        connection.execute(statement, rows if source is None else None)


def _insert(connection: Connection, table: Table, names: Sequence[str], source: Table | None) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    return statement if source is None else statement.from_select(names, select(source))


@contextmanager
def _source(
    connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Table | None]:
    """Many rows on PostgreSQL lie in a table aside, which COPY fills; elsewhere, and of few, there is none."""
    if connection.dialect.name != "postgresql" or len(rows) < _WORTH_A_COPY:
        yield None
        return
    with copied_aside(connection, table, names, (tuple(row[name] for name in names) for row in rows)) as made:
        yield made
