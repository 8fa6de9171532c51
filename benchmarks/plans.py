"""How PostgreSQL and SQLite carry out the product's own statements, caught while its functions run. I/O.

`python -m benchmarks.plans [ENTRANTS [postgresql | sqlite]]` fills a ledger, lives through a day of it and prints, for
each statement, who asked it and the steps of its plan with rows and time, and at last the indexes that nothing read.
"""

from __future__ import annotations

import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import Engine, event, text

from benchmarks.large_ledger import WATERMARK
from benchmarks.ledger_day import DAY, live
from benchmarks.ten_audiences import fill, ledger_of, programme
from experiments.database import connect
from experiments.schema import metadata

_ROOT = Path(__file__).parent.parent
_PRODUCT = tuple(str(_ROOT / name) for name in ("analysis", "experiments", "flows", "sync"))
_PASSED_OVER = ("experiments/bulk.py", "experiments/database.py", "analysis/questions.py")
_TABLES = re.compile(rf"\b({'|'.join(metadata.tables)})\b")
_PLANNED = re.compile(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT)\b", re.IGNORECASE)
_PLAIN_INSERT = re.compile(r"\s*INSERT INTO \S+ \([^)]*\) VALUES", re.IGNORECASE)
_NAMED = re.compile(r"^(SCAN|SEARCH) (\w+)(?:.*?USING (?:COVERING )?(?:INDEX (\w+)|(PRIMARY KEY)))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a plan that reads or joins."""

    depth: int
    kind: str
    table: str = ""
    index: str = ""
    is_bounded: bool = False
    """Whether a condition on the index says where to begin or end."""
    rows: float = 0
    ms: float = 0

    def __str__(self) -> str:
        where = " ".join(each for each in (self.table, self.index and f"by {self.index}") if each)
        whole = " (all of it)" if self.table and not self.is_bounded else ""
        return f"{'  ' * self.depth}{self.kind} {where}{whole}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement as it was asked for the first time."""

    by: str
    """The function of the product that asked it."""
    statement: str
    steps: tuple[Step, ...]
    ms: float = 0


@contextmanager
def statements_of(
    engine: Engine, *, measured: bool = False, without_scans: bool = False
) -> Iterator[list[Asked]]:
    """Every distinct statement on a table of the ledger that is executed inside, with its plan.

    On PostgreSQL each is explained just before it runs, in its own transaction and with its own values: `measured` runs
    it once more for that, and `without_scans` asks for the plan if a scan of a whole table cost the earth.
    """
    found: list[Asked] = []
    catching = _on_postgresql if engine.dialect.name == "postgresql" else _on_sqlite
    with catching(engine, found, measured=measured, without_scans=without_scans):
        yield found


@contextmanager
def _on_postgresql(
    engine: Engine, found: list[Asked], *, measured: bool, without_scans: bool
) -> Iterator[None]:
    seen: set[tuple[str, str]] = set()
    asked = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " if measured else "EXPLAIN (FORMAT JSON) "

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, __: Any, is_many: bool) -> None:
        key = (_asked_by(sys._getframe()), _without_numbers(statement))
        if key in seen or not _PLANNED.match(statement) or not _TABLES.search(statement):
            return
        seen.add(key)
        with cursor.connection.cursor() as beside:
            beside.execute("SAVEPOINT explained")
            if without_scans:
                beside.execute("SET LOCAL enable_seqscan = off")
            beside.execute(asked + statement, parameters[0] if is_many else parameters)
            plan = beside.fetchone()[0][0]
            beside.execute("ROLLBACK TO SAVEPOINT explained")
        found.append(Asked(*key, tuple(_nodes(plan["Plan"])), plan.get("Execution Time", 0)))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", explain)


def _nodes(node: dict[str, Any], depth: int = 0) -> Iterator[Step]:
    index = node.get("Index Name", "")
    table = "" if node["Node Type"] == "ModifyTable" else node.get("Relation Name", "")
    loops = node.get("Actual Loops", 1)
    yield Step(
        depth,
        node["Node Type"],
        table,
        index,
        is_bounded=_is_bounded(node, table, index),
        rows=node.get("Actual Rows", 0) * loops,
        ms=node.get("Actual Total Time", 0) * loops,
    )
    for each in node.get("Plans", ()):
        yield from _nodes(each, depth + 1)


def _is_bounded(node: dict[str, Any], table: str, index: str) -> bool:
    """A condition that leaves out an index's first column makes PostgreSQL read all of the index."""
    condition = node.get("Index Cond", node.get("Recheck Cond", ""))
    return any(
        re.search(rf"\b{first}\b", condition) for name, first in _first_columns(table) if index in ("", name)
    )


def _first_columns(table: str) -> Iterator[tuple[str, str]]:
    if table in metadata.tables:
        of = metadata.tables[table]
        yield f"{table}_pkey", next(iter(of.primary_key)).name
        yield from ((str(each.name), next(iter(each.columns)).name) for each in of.indexes)


@contextmanager
def _on_sqlite(engine: Engine, found: list[Asked], **_: bool) -> Iterator[None]:
    """SQLite tells every statement with its values; they are explained when all is over."""
    said: dict[tuple[str, str], str] = {}

    def heard(statement: str) -> None:
        if _PLANNED.match(statement) and not _PLAIN_INSERT.match(statement) and _TABLES.search(statement):
            said.setdefault((_asked_by(sys._getframe()), _without_values(statement)), statement)

    def opened(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(heard)

    engine.dispose()
    event.listen(engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(engine, "connect", opened)
        engine.dispose()
    with engine.connect() as connection:
        for (by, shape), statement in said.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            found.append(Asked(by, shape, tuple(_lines(plan))))


def _lines(plan: Any) -> Iterator[Step]:
    depths = {0: -1}
    for key, parent, _, detail in plan:
        depths[key] = depths.get(parent, -1) + 1
        match = _NAMED.match(detail)
        if match is None:
            yield Step(depths[key], detail)
            continue
        kind, table, index, primary = match.groups()
        known = table if table in metadata.tables else ""
        yield Step(
            depths[key], kind, known or table, index or (primary or "").lower(), is_bounded=kind == "SEARCH"
        )


def _asked_by(frame: FrameType | None) -> str:
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_PRODUCT) and not file.endswith(_PASSED_OVER):
            module = Path(file).relative_to(_ROOT).with_suffix("").as_posix().replace("/", ".")
            name = frame.f_code.co_name
            if not name.startswith("<"):
                return f"{module}.{name}"
        frame = frame.f_back
    return "nobody of the product"


def _without_numbers(statement: str) -> str:
    """The same for statements that differ only in how many values they name."""
    return re.sub(r"(%\(\w+\)s(::\w+)?(, )?)+", "?", statement)


def _without_values(statement: str) -> str:
    return re.sub(
        r"((x'[0-9a-fA-F]*'|'(?:[^']|'')*'|-?\b\d+(?:\.\d+)?\b)(, )?)+", "?", statement, flags=re.IGNORECASE
    )


def unread_indexes(engine: Engine) -> dict[str, int]:
    """Pages of each index of PostgreSQL that was not read since the statistics began."""
    unread = "SELECT indexrelname, pg_relation_size(indexrelid) / 8192 FROM pg_stat_user_indexes WHERE idx_scan = 0"
    with engine.connect() as connection:
        return {str(name): int(pages) for name, pages in connection.execute(text(unread))}


def report(size: int, database: str) -> None:
    """Prints the plans, slowest first."""
    from tests.sync.tiny_criteo import TinyCriteo

    with ledger_of(database) as url, tempfile.TemporaryDirectory() as folder:
        fill(url, size)
        engine = connect(url)
        with statements_of(engine, measured=True) as found:
            live(engine, programme(), TinyCriteo().client(), WATERMARK + DAY, Path(folder), size // 1_000)
        for each in sorted(found, key=lambda one: -one.ms):
            if not any(step.table in ("entrants", "orders") for step in each.steps) and each.ms < 1:
                continue
            print(f"\n{each.by}  {each.ms:,.0f} ms\n  {' '.join(each.statement.split())[:160]}")
            for step in each.steps:
                measured = f"  {step.rows:,.0f} rows, {step.ms:,.0f} ms" if each.ms else ""
                print(f"    {step}{measured}")
        if engine.dialect.name == "postgresql":
            print("\nindexes that nothing read:", unread_indexes(engine))
            with engine.connect() as connection:
                print(connection.scalar(text("SELECT version()")))
        engine.dispose()


def main() -> None:
    """Runs as a command."""
    words = sys.argv[1:]
    report(int(float(words[0])) if words else 1_000_000, words[1] if len(words) > 1 else "postgresql")


if __name__ == "__main__":
    main()
