"""Counts what a piece of work asks of the vendors and of the ledger: nothing here depends on the machine. I/O.

Requests come from the sandbox's log, statements from the driver's own cursors, so that bulk rows which pass by
SQLAlchemy are seen too, and written rows from triggers on every table.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Engine, event, text

from experiments.database import reading, writing
from experiments.schema import metadata
from sandbox.world import Sandbox

_VERBS = {
    "select": "read", "with": "read", "insert": "insert", "copy": "insert", "update": "update", "delete": "delete",
}  # fmt: skip
_KINDS = ("INSERT", "UPDATE", "DELETE")
_NAMED = re.compile(r"\b(?:from|join|into|update|copy)\s+([a-z_]+)")


@dataclass
class Work:
    """What was counted, each by its kind, such as `criteo PATCH contact-list` and `read entrants`."""

    requests: Counter[str] = field(default_factory=Counter)
    bytes_sent: int = 0
    statements: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    commits: int = 0


def watch_rows(engine: Engine) -> None:
    """Puts triggers on every table of the ledger that note each row written."""
    on_postgresql = engine.dialect.name == "postgresql"
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE counted_rows (kind TEXT NOT NULL)"))
        if on_postgresql:
            connection.execute(
                text(
                    "CREATE FUNCTION count_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
                    "counted_rows VALUES (lower(TG_OP) || ' ' || TG_TABLE_NAME); RETURN NULL; END $$"
                )
            )
        for table in sorted(metadata.tables):
            for kind in _KINDS:
                does = (
                    "EXECUTE FUNCTION count_row()"
                    if on_postgresql
                    else f"BEGIN INSERT INTO counted_rows VALUES ('{kind.lower()} {table}'); END"
                )
                connection.execute(
                    text(f"CREATE TRIGGER count_{kind}_{table} AFTER {kind} ON {table} FOR EACH ROW {does}")
                )


@contextmanager
def counted(box: Sandbox, ledger: Engine) -> Iterator[Work]:
    """Counts everything inside the block; the work opens engines of its own on the same ledger."""
    work = Work()
    before = {name: len(arrivals) for name, arrivals in box.arrivals.items()}
    with writing(ledger) as connection:
        connection.execute(text("DELETE FROM counted_rows"))

    def open_counted(dialect: Dialect, _record: Any, _arguments: Any, options: dict[str, Any]) -> None:
        if dialect.name == "postgresql":
            options["cursor_factory"] = _postgresql_cursor(note)
        else:
            options["factory"] = _sqlite_connection(note)

    def note(statement: str) -> None:
        kind = kind_of(statement)
        if kind is not None:
            work.statements[kind] += 1

    def commit(_connection: Connection) -> None:
        work.commits += 1

    event.listen(Engine, "do_connect", open_counted)
    event.listen(Engine, "commit", commit)
    try:
        yield work
    finally:
        event.remove(Engine, "do_connect", open_counted)
        event.remove(Engine, "commit", commit)
    for name, arrivals in box.arrivals.items():
        for each in arrivals.newest()[before[name] :]:
            work.requests[f"{name} {each.method} {_resource(each.path)}"] += 1
            work.bytes_sent += each.size
    with reading(ledger) as connection:
        found = connection.execute(text("SELECT kind, count(*) FROM counted_rows GROUP BY kind"))
        work.rows.update({row.kind: row[1] for row in found})


def kind_of(statement: str) -> str | None:
    """What a statement does to which tables; None for one that names no table of the ledger."""
    lowered = statement.lower()
    verb = _VERBS.get(next(iter(re.findall(r"[a-z]+", lowered)), ""))
    tables = [name for name in _NAMED.findall(lowered) if name in metadata.tables]
    if verb is None or not tables:
        return None
    return f"{verb} {' and '.join(sorted(set(tables)))}" if verb == "read" else f"{verb} {tables[0]}"


def _resource(path: str) -> str:
    return [part for part in path.split("/") if part and not part.isdigit()][-1]


def _sqlite_connection(note: Callable[[str], None]) -> type[sqlite3.Connection]:
    class Cursor(sqlite3.Cursor):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            note(sql)
            return super().execute(sql, *values)

        def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
            note(sql)
            return super().executemany(sql, rows)

    class Counted(sqlite3.Connection):
        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

    return Counted


def _postgresql_cursor(note: Callable[[str], None]) -> type[psycopg.Cursor[Any]]:
    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *values: Any, **options: Any) -> Any:
            note(str(query))
            return super().execute(query, *values, **options)

        def executemany(self, query: Any, *values: Any, **options: Any) -> None:
            note(str(query))
            super().executemany(query, *values, **options)

        def copy(self, statement: Any, *values: Any, **options: Any) -> Any:
            note(str(statement))
            return super().copy(statement, *values, **options)

    return Cursor
