"""The shop's own SQLite file: orders and refunds as a shop keeps them, written once per advance. I/O."""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sandbox.ledger import Orders, order_id
from sandbox.people import Population, checkout_spelling
from sandbox.shop import DAY

_SCHEMA = """
create table orders (order_id text primary key, email text, ordered_at text, revenue real, currency text);
create index orders_by_time on orders (ordered_at);
create table refunds (order_id text, refunded_at text, amount real);
"""


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(int(epoch), UTC).isoformat()


class ShopDatabase:
    """Appends the ledger's new orders; late ones a day after they happened, refunds five to nine days after."""

    def __init__(
        self, path: Path, people: Population, rng: np.random.Generator, late: float, refunded: float
    ) -> None:
        self.path = path
        self._people = people
        self._rng = rng
        self._late_share = late
        self._refund_share = refunded
        self._read = 0
        self._late: list[tuple[float, tuple[str, str, str, float, str]]] = []
        self._refunds: list[tuple[float, str, float]] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with self._transaction() as database:
            database.executescript(_SCHEMA)

    def write(self, orders: Orders, now: float, *, punctual: bool = False) -> None:
        """Write in one transaction what the shop knows by `now`; `punctual` holds nothing back."""
        rows = self._new_rows(orders, now, punctual)
        rows += [row for due, row in self._late if due <= now]
        self._late = [(due, row) for due, row in self._late if due > now]
        refunds = [(name, _iso(due), amount) for due, name, amount in self._refunds if due <= now]
        self._refunds = [refund for refund in self._refunds if refund[0] > now]
        with self._transaction() as database:
            database.executemany("insert into orders values (?, ?, ?, ?, ?)", rows)
            database.executemany("insert into refunds values (?, ?, ?)", refunds)

    def _new_rows(self, orders: Orders, now: float, punctual: bool) -> list[tuple[str, str, str, float, str]]:
        fresh = slice(self._read, len(orders))
        self._read = len(orders)
        count = len(orders.number[fresh])
        styles = self._rng.integers(0, 100, count).tolist()
        late = self._rng.random(count) < (0.0 if punctual else self._late_share)
        refunded = self._rng.random(count) < self._refund_share
        back_after = self._rng.uniform(5 * DAY, 9 * DAY, count)
        rows = []
        columns = (orders.number, orders.person, orders.at, orders.revenue)
        for row, (number, person, at, revenue) in enumerate(
            zip(*(column[fresh].tolist() for column in columns), strict=True)
        ):
            name = order_id(number)
            email = checkout_spelling(self._people.emails[person], styles[row])
            entry = (name, email, _iso(at), revenue, "EUR")
            if late[row]:
                self._late.append((max(at + DAY, now), entry))
            else:
                rows.append(entry)
            if refunded[row]:
                self._refunds.append((at + back_after[row], name, revenue))
        return rows

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            yield database
