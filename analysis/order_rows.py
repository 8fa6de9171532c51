"""Tells orders, refunds and rows that cannot be used apart, a frame at a time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Any

import pandas as pd

from analysis.rates import NO_RATES, RateTable
from experiments.errors import Rejected
from experiments.identity import Kind, classify, digest

_COLUMNS = ("order_id", "email", "ordered_at", "revenue")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One row that was left out: where it stands and why, never whose it is."""

    row: int
    reason: str


@dataclass(slots=True)
class Tally:
    """What a load took in and left out so far."""

    rows: int = 0
    accepted: int = 0
    refunds: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[RejectedRow] = field(default_factory=list)

    def reject(self, row: int, reason: str) -> None:
        """Counts a row that is left out; the first ones are kept as examples."""
        self.reasons[reason] += 1
        if len(self.examples) < _SHOWN:
            self.examples.append(RejectedRow(row, reason))


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order of a unit, or the refund of one where `unit` is None. Time in seconds, money in cents."""

    order_id: str
    unit: bytes | None = field(repr=False)
    at: int
    cents: int
    currency: str | None = None
    """Where it is not the programme's; the cents are its own then."""
    rate: float | None = None
    """What one unit of it was worth on the day; a refund may have none, for it takes that of its order."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows count: those of [since, until) in this currency, or in one that the table of rates knows."""

    since: datetime
    until: datetime
    currency: str
    rates: RateTable = NO_RATES

    def foreign(self, money: Any) -> str | None:
        """A row's currency, where it is not the programme's."""
        if money is None or pd.isna(money) or str(money).strip().upper() in ("", self.currency):
            return None
        return str(money).strip().upper()

    def no_rate(self, money: str) -> str:
        """Why a row in this currency cannot be used."""
        known = f" and the rates have none for {money} on that day" if self.rates.rates else ""
        return f"currency is not {self.currency}{known}"


def usable_rows(frame: pd.DataFrame, wanted: Wanted, tally: Tally) -> Iterator[OrderRow]:
    """The frame's orders and refunds inside the time asked for; others are tallied or passed over.

    A row needs order_id, email, ordered_at (UTC where it names no zone) and revenue, in the programme's
    currency or, by its column currency, in one that has a rate for the day; a negative revenue is a refund and needs no e-mail. Raises Rejected without a needed column.
    """
    missing = [name for name in _COLUMNS if name not in frame.columns]
    if missing:
        raise Rejected(f"orders: the column {missing[0]} is missing; needed are {', '.join(_COLUMNS)}")
    since, until = wanted.since.timestamp(), wanted.until.timestamp()
    moments = pd.to_datetime(frame["ordered_at"], utc=True, errors="coerce", format="ISO8601")
    amounts = pd.to_numeric(frame["revenue"], errors="coerce")
    given = "currency" in frame.columns
    currencies = map(wanted.foreign, frame["currency"]) if given else repeat(None, len(frame))
    first = tally.rows + 1
    tally.rows += len(frame)
    columns = zip(frame["order_id"], frame["email"], moments, amounts, currencies, strict=True)
    for number, (order_id, email, moment, amount, money) in enumerate(columns, first):
        reason = _reason(order_id, moment, amount)
        rate = None if reason or money is None else wanted.rates.on(money, moment.date())
        if reason is None and money is not None and rate is None and (amount >= 0 or not wanted.rates.rates):
            reason = wanted.no_rate(money)
        if reason is None and amount >= 0:
            reason = _unusable(email)
        if reason is not None:
            tally.reject(number, reason)
        elif since <= (at := int(moment.timestamp())) < until:
            unit = digest(email) if amount >= 0 else None
            yield OrderRow(str(order_id), unit, at, round(abs(amount) * 100), money, rate)


def _reason(order_id: Any, moment: Any, amount: Any) -> str | None:
    if order_id is None or str(order_id).strip() in ("", "nan", "None"):
        return "no order_id"
    if moment is pd.NaT or pd.isna(moment):
        return "ordered_at is no date"
    if pd.isna(amount) or amount in (float("inf"), float("-inf")):
        return "revenue is no number"
    return None


def _unusable(email: Any) -> str | None:
    if not isinstance(email, str):
        return "no e-mail"
    kind = classify(email)
    if kind is Kind.MISSING:
        return "no e-mail"
    return None if kind is Kind.EMAIL else f"the e-mail is {kind}"
