"""Rows by the million through the driver itself, within the caller's transaction. I/O.

SQLAlchemy builds an object for every row it reads and a dictionary for every row it writes; at a million
people that alone is most of a sync (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, Select, Table, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.schema import CreateTable, DropTable

from experiments.digests import DigestSet


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Inserts rows of plain values, in the order of `names`."""
    columns = ", ".join(names)
    if connection.dialect.name == "postgresql":
        with (
            _cursor(connection) as cursor,
            cursor.copy(f"COPY {table.fullname} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    places = ", ".join("?" * len(names))
    # The names are those of our own schema; every value is bound.
    _cursor(connection).executemany(f"INSERT INTO {table.fullname} ({columns}) VALUES ({places})", rows)  # noqa: S608


@contextmanager
def copied_aside(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> Iterator[Table]:
    """PostgreSQL only: rows for `table` in a temporary table of these columns, from which they can be merged."""
    columns = (Column(name, table.c[name].type) for name in names)
    aside = Table(f"{table.name}_aside", MetaData(), *columns, schema="pg_temp", prefixes=["TEMPORARY"])
    connection.execute(CreateTable(aside))
    insert_rows(connection, aside, names, rows)
    yield aside
    connection.execute(DropTable(aside))


def read_digests(connection: Connection, units: Select[tuple[bytes]]) -> DigestSet:
    """The one column of 32-byte digests that `units` selects, as a set."""
    if connection.dialect.name == "postgresql":
        chosen = (
            units.subquery()
        )  # one value of PostgreSQL has room for 33 million digests, so none comes twice
        (each,) = chosen.columns
        together = func.string_agg(each, aggregate_order_by(literal(b"", LargeBinary), each))
        packed = connection.scalar(select(together)) or b""
        return DigestSet.unpack(bytes(packed))
    (column,) = units.selected_columns
    compiled = units.order_by(column).compile(connection)
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    found = _cursor(connection).execute(str(compiled), values)
    return DigestSet.unpack_sorted(b"".join(map(itemgetter(0), found)))


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()
