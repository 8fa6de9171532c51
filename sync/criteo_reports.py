"""Reads the rows of Criteo's reports, whose envelope, key case and number form vary. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime

from experiments.errors import Retryable
from sync.criteo_values import SpendRow, Transaction

ROWS = 100_000
"""Rows after which Criteo cuts a report off without saying so."""

Row = Mapping[str, object]


def rows(body: object) -> list[Row]:
    """The rows of a bare list, of `Rows` or `rows`, or of `data` with or without `attributes`."""
    match body:
        case None:
            return []
        case {"Rows": inner} | {"rows": inner} | {"data": inner} | {"attributes": inner}:
            return rows(inner)
        case list():
            return [row for item in body for row in _rows_of(item)]
        case _:
            raise Retryable("Criteo's report has none of the shapes that it is known to have")


def spend_rows(body: object, attribution: str) -> list[SpendRow]:
    """The rows of a report by ad set and day."""
    return [
        SpendRow(
            ad_set=_text(row, "adsetid"),
            day=_day(_text(row, "day")),
            cost=_number(row, "advertisercost"),
            attributed_revenue=_number(row, f"revenuegenerated{attribution.lower()}"),
            attributed_orders=round(_number(row, f"sales{attribution.lower()}")),
            displays=round(_number(row, "displays")),
            clicks=round(_number(row, "clicks")),
            currency=_text(row, "currency"),
        )
        for row in _lower(rows(body))
    ]


def transactions(body: object) -> list[Transaction]:
    """The rows of a report of orders."""
    return [
        Transaction(
            id=_text(row, "transactionid"),
            at=_moment(_text(row, "transactiondate")),
            ad_set=_text(row, "adsetname"),
            event=_text(row, "eventtype"),
            amount=_number(row, "amount"),
            currency=_text(row, "currency"),
            is_attributed=_claim(row, "attributedtransaction"),
            is_cross_device=_claim(row, "crossdevicetransaction"),
        )
        for row in _lower(rows(body))
    ]


def _rows_of(item: object) -> list[Row]:
    match item:
        case {"attributes": {"rows": list() | None as inner}} | {
            "attributes": {"Rows": list() | None as inner}
        }:
            return rows(inner)
        case {"attributes": dict() as row}:
            return [row]
        case dict():
            return [item]
        case _:
            raise Retryable("Criteo's report has a row that is none")


def _lower(found: Iterable[Row]) -> Iterable[Row]:
    return ({key.lower(): value for key, value in row.items()} for row in found)


def _text(row: Row, key: str) -> str:
    if key not in row:
        raise Retryable(f"Criteo's report lacks the column {key}")
    value = row[key]
    return "" if value is None else str(value)


def _number(row: Row, key: str) -> float:
    text = _text(row, key)
    try:
        return float(text or 0)
    except ValueError:
        raise Retryable(f"Criteo's report has something in the column {key} that is no number") from None


def _claim(row: Row, key: str) -> bool:
    return str(row.get(key, "")).lower() in ("true", "yes", "1")


def _day(text: str) -> date:
    """2026-11-01, 2026/11/1, or either with a time behind it."""
    try:
        year, month, day = text.replace("T", " ").replace("/", "-").split()[0].split("-")
        return date(int(year), int(month), int(day))
    except (ValueError, IndexError):
        raise Retryable("Criteo's report has a day that is no date") from None


def _moment(text: str) -> datetime:
    """11/04/2020 08:19:07, or ISO 8601; in UTC, which is what we ask for."""
    try:
        return datetime.strptime(text, "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return _iso(text)


def _iso(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Retryable("Criteo's report has a transaction date that is no time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
