"""Loads orders from where they are into the ledger: each once, refunds netted, bad rows counted. I/O."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine, bindparam, create_engine, func, insert, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from experiments.audiences import OrderSource
from experiments.database import insert_or_ignore, insert_or_update, reading, writing
from experiments.digests import DigestSet
from experiments.erasures import erased_people
from experiments.errors import Rejected, Retryable
from experiments.identity import Kind, classify, digest
from experiments.schema import order_loads, orders, refunds

_COLUMNS = ("order_id", "email", "ordered_at", "revenue")
_CHUNK = 50_000
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was left out: where it stands and why, never whose it is."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderLoad:
    """What a load took in and what it left out."""

    accepted: int
    refunds: int
    rejected: Mapping[str, int]
    """Rows left out, by reason."""
    examples: tuple[RejectedRow, ...]
    """The first of them."""


@dataclass(slots=True)
class _Tally:
    accepted: int = 0
    refunds: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[RejectedRow] = field(default_factory=list)

    def reject(self, row: int, reason: str) -> None:
        self.reasons[reason] += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(RejectedRow(row, reason))


def orders_watermark(engine: Engine) -> int | None:
    """Up to when orders are known to be complete, in seconds; None before the first load."""
    with reading(engine) as connection:
        newest: int | None = connection.scalar(select(func.max(order_loads.c.until)))
    return newest


def load_orders(
    engine: Engine, source: OrderSource, currency: str, *, since: datetime, until: datetime, at: datetime
) -> OrderLoad:
    """Takes in the orders of [since, until); repeats are harmless, a changed order replaces itself.

    A row needs order_id, email, ordered_at (UTC where it names no zone) and revenue in the programme's
    currency. A row with negative revenue is a refund of the order whose id it carries. Nothing is
    written where the source fails half-way. Raises Rejected or Retryable.
    """
    tally = _Tally()
    first = 1
    with writing(engine) as connection:
        for frame in _frames(source, since, until):
            _store(connection, frame, first, tally, (currency, since, until, at))
            first += len(frame)
        connection.execute(
            insert(order_loads).values(
                loaded_at=_seconds(at),
                since=_seconds(since),
                until=_seconds(until),
                accepted=tally.accepted,
                rejected=json.dumps(dict(tally.reasons)),
            )
        )
    return OrderLoad(tally.accepted, tally.refunds, dict(tally.reasons), tuple(tally.examples))


def _frames(source: OrderSource, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
    if source.url:
        yield from _query_frames(source.url, source.query or "", since, until)
    for pattern in source.files:
        yield from _file_frames(pattern)


def _query_frames(url: str, query: str, since: datetime, until: datetime) -> Iterator[pd.DataFrame]:
    resolved = _resolve(url)
    try:
        place = make_url(resolved)
        engine = create_engine(place)
    except (ArgumentError, SQLAlchemyError, ModuleNotFoundError) as error:
        raise Rejected("orders: the url is no database URL that SQLAlchemy knows a driver for") from error
    bounds: dict[str, Any] = {"since": since, "until": until}
    if place.get_backend_name() == "sqlite":
        bounds = {name: moment.isoformat() for name, moment in bounds.items()}
    where = place.render_as_string(hide_password=True)
    named = {name: value for name, value in bounds.items() if f":{name}" in query}
    try:
        with engine.connect() as connection:
            found = connection.execution_options(stream_results=True).execute(text(query), named)
            for part in found.partitions(_CHUNK):
                yield pd.DataFrame.from_records(part, columns=list(found.keys()))
    except DBAPIError as error:
        if error.connection_invalidated or "unable to open" in str(error.orig):
            raise Retryable(f"orders: the database {where} does not answer") from None
        reason = type(error.orig).__name__
        raise Rejected(
            f"orders: the database {where} refuses the query ({reason}); run it there by hand"
        ) from None
    finally:
        engine.dispose()


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
                yield pd.read_parquet(each)
            else:
                yield from pd.read_csv(each, dtype=str, chunksize=_CHUNK, keep_default_na=False)
        except (ValueError, OSError) as error:
            raise Rejected(f"orders: {each} cannot be read as a table ({type(error).__name__})") from None


def _store(
    connection: Any,
    frame: pd.DataFrame,
    first: int,
    tally: _Tally,
    load: tuple[str, datetime, datetime, datetime],
) -> None:
    currency, since, until, at = load
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise Rejected(f"orders: the column {missing[0]} is missing; needed are {', '.join(_COLUMNS)}")
    moments = pd.to_datetime(frame["ordered_at"], utc=True, errors="coerce", format="ISO8601")
    amounts = pd.to_numeric(frame["revenue"], errors="coerce")
    currencies = frame["currency"] if "currency" in frame.columns else pd.Series(currency, index=frame.index)
    new: dict[str, dict[str, Any]] = {}
    returned: list[dict[str, Any]] = []
    columns = zip(frame["order_id"], frame["email"], moments, amounts, currencies, strict=True)
    for number, (order_id, email, moment, amount, money) in enumerate(columns, first):
        reason = _reason(order_id, moment, amount, money, currency)
        if reason is None and amount >= 0:
            reason = _unusable(email)
        if reason is not None:
            tally.reject(number, reason)
            continue
        when = int(moment.timestamp())
        if not _seconds(since) <= when < _seconds(until):
            continue
        if amount < 0:
            returned.append({"order_id": str(order_id), "refunded_at": when, "amount": round(-amount * 100)})
        else:
            new[str(order_id)] = {
                "order_id": str(order_id),
                "unit": digest(email),
                "ordered_at": when,
                "revenue": round(amount * 100),
                "loaded_at": _seconds(at),
            }
    erased = erased_people(connection).among(DigestSet.of(each["unit"] for each in new.values()))
    for order_id in [name for name, each in new.items() if len(erased) and each["unit"] in erased]:
        del new[order_id]
        tally.reasons["the person was erased"] += 1
    insert_or_update(connection, orders, list(new.values()), ("unit", "ordered_at", "revenue"))
    insert_or_ignore(connection, refunds, returned)
    _net(connection, {*new, *(each["order_id"] for each in returned)} if returned else set(new))
    tally.accepted += len(new)
    tally.refunds += len(returned)


def _reason(order_id: Any, moment: Any, amount: Any, money: Any, currency: str) -> str | None:
    if order_id is None or str(order_id).strip() in ("", "nan", "None"):
        return "no order_id"
    if moment is pd.NaT or pd.isna(moment):
        return "ordered_at is no date"
    if pd.isna(amount) or amount in (float("inf"), float("-inf")):
        return "revenue is no number"
    if money is not None and not pd.isna(money) and str(money).upper() not in ("", currency):
        return f"currency is not {currency}"
    return None


def _unusable(email: Any) -> str | None:
    if not isinstance(email, str):
        return "no e-mail"
    kind = classify(email)
    if kind is Kind.MISSING:
        return "no e-mail"
    return None if kind is Kind.EMAIL else f"the e-mail is {kind}"


def _net(connection: Any, order_ids: set[str]) -> None:
    if not connection.scalar(select(func.count()).select_from(refunds)):
        return
    total = (
        select(func.coalesce(func.sum(refunds.c.amount), 0))
        .where(refunds.c.order_id == orders.c.order_id)
        .scalar_subquery()
    )
    statement = update(orders).where(orders.c.order_id == bindparam("key")).values(refunded=total)
    if order_ids:
        connection.execute(statement, [{"key": order_id} for order_id in sorted(order_ids)])


def _seconds(moment: datetime) -> int:
    return int(moment.astimezone(UTC).timestamp())
