"""Reads orders where they are, a chunk at a time: a query that runs in the shop's database, or files. I/O.

Only rows that the query gives travel, through a cursor that stays on the server, and never more than one chunk
is in memory. Docs: docs/orders.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from experiments.audiences import OrderSource
from experiments.errors import Rejected, Retryable

CHUNK = 50_000
"""Rows that are in memory at once."""
_UNREACHABLE = ("unable to open", "cannot open", "could not connect", "connection failed")


def order_frames(source: OrderSource, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
    """The source's rows of [since, until) where its query says so, as frames of at most `CHUNK` rows.

    Raises Rejected or Retryable with a sentence that quotes neither the query nor a row.
    """
    if source.url:
        yield from _query_frames(source.url, source.query or "", since, until)
    for pattern in source.files:
        yield from _file_frames(pattern)


def _query_frames(url: str, query: str, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
    engine = _engine(_resolve(url))
    bounds: dict[str, Any] = {"since": since, "until": until}
    if engine.dialect.name == "sqlite":
        bounds = {name: moment.isoformat() for name, moment in bounds.items()}
    where = engine.url.render_as_string(hide_password=True)
    named = {name: value for name, value in bounds.items() if f":{name}" in query}
    try:
        with engine.connect().execution_options(yield_per=CHUNK, postgresql_readonly=True) as connection:
            found = connection.execute(text(query), named)
            columns = list(found.keys())
            for part in found.partitions(CHUNK):
                yield pd.DataFrame.from_records([tuple(row) for row in part], columns=columns)
    except DBAPIError as error:
        if error.connection_invalidated or any(words in str(error.orig).lower() for words in _UNREACHABLE):
            raise Retryable(f"orders: the database {where} does not answer") from None
        reason = type(error.orig).__name__
        raise Rejected(
            f"orders: the database {where} refuses the query ({reason}); run it there by hand"
        ) from None
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    try:
        place = make_url(url)
        return create_engine(_with_driver(place), connect_args=_connect_args(place))
    except (ArgumentError, SQLAlchemyError, ModuleNotFoundError) as error:
        raise Rejected(
            "orders: the url is no database URL that SQLAlchemy knows a driver for; docs/orders.md names them"
        ) from error


def _with_driver(place: URL) -> URL:
    return place.set(drivername="postgresql+psycopg") if place.drivername == "postgresql" else place


def _connect_args(place: URL) -> dict[str, Any]:
    """A DuckDB file is opened for reading only: whoever opens it to write locks everybody else out."""
    is_file = place.get_backend_name() == "duckdb" and place.database not in (None, "", ":memory:")
    return {"read_only": True} if is_file else {}


def _resolve(url: str) -> str:
    if not url.startswith("env:"):
        return url
    name = url.removeprefix("env:")
    if not os.environ.get(name):
        raise Rejected(
            f"orders: the environment variable {name} is not set; it should hold the orders' database URL"
        )
    return os.environ[name]


def _file_frames(pattern: str) -> Iterator[pd.DataFrame]:
    path = Path(pattern)
    paths = sorted(path.parent.glob(path.name))
    if not paths:
        raise Rejected(f"orders: there is no file {pattern}")
    for each in paths:
        try:
            if each.suffix == ".parquet":
                with pq.ParquetFile(each) as file:
                    yield from (batch.to_pandas() for batch in file.iter_batches(CHUNK))
            else:
                yield from pd.read_csv(each, dtype=str, chunksize=CHUNK, keep_default_na=False)
        except (ValueError, OSError) as error:
            raise Rejected(f"orders: {each} cannot be read as a table ({type(error).__name__})") from None
