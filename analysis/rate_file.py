"""Reads the dated table of exchange rates. I/O."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from analysis.rates import NO_RATES, RateTable
from experiments.errors import Rejected

_COLUMNS = ("currency", "day", "rate")


def read_rates(path: str | None) -> RateTable:
    """The table of a CSV file with the columns currency, day and rate; raises Rejected with the line.

    Without a file there are no rates.
    """
    if path is None:
        return NO_RATES
    try:
        with Path(path).open(encoding="utf-8", newline="") as lines:
            return RateTable.of(_rows(csv.DictReader(lines), path))
    except FileNotFoundError:
        raise Rejected(f"orders: there is no file of rates {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Rejected(f"orders: the rates in {path} cannot be read ({type(error).__name__})") from error
    except ValueError as error:
        raise Rejected(f"orders: {path}: {error}") from error


def _rows(found: csv.DictReader[str], path: str) -> Iterator[tuple[str, date, float]]:
    missing = [name for name in _COLUMNS if name not in (found.fieldnames or ())]
    if missing:
        raise Rejected(f"orders: {path} lacks the column {missing[0]}; needed are {', '.join(_COLUMNS)}")
    for row in found:
        try:
            yield row["currency"].strip().upper(), date.fromisoformat(row["day"].strip()), float(row["rate"])
        except (ValueError, TypeError, AttributeError):
            raise Rejected(
                f"orders: {path}, line {found.line_num}: write it like USD,2026-11-01,0.92"
            ) from None
