"""The least that the work can take: hashing alone, the transfer alone, one scan of the tables alone. I/O.

Each is a process of its own that prints the seconds of its loop; the start of the process is not in them.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from importlib import import_module

import httpx
from sqlalchemy import func, select

from experiments.assignment import group_salt
from experiments.database import connect, reading
from experiments.schema import entrants, orders

PAGE, REQUEST = 30_000, 50_000
"""People on a page of Customer.io, identifiers in a request to Criteo."""
_AT_ONCE = 250_000
_LIST = "/2026-07/marketing-solutions/audience-segments/700/contact-list"


def hashing(people: int, hashes: int) -> float:
    """SHA-256 of each e-mail, and with `hashes` 2 also of its salt and unit, over strings that are there already."""
    prefix, seconds = f"{group_salt('everyone')}|".encode(), 0.0
    for first in range(0, people, _AT_ONCE):
        emails = [b"person%d@example.com" % n for n in range(first, min(first + _AT_ONCE, people))]
        seconds += _hash(emails)
        if hashes > 1:
            seconds += _hash([prefix + hashlib.sha256(email).hexdigest().encode() for email in emails])
    return seconds


def _hash(strings: list[bytes]) -> float:
    began = time.perf_counter()
    for string in strings:
        hashlib.sha256(string).digest()
    return time.perf_counter() - began


def transfer(url: str, people: int, identifiers: int) -> float:
    """The pages of a sync and request bodies of its size over one connection, with nothing read or built."""
    bodies = [
        _body(min(REQUEST, identifiers - first)) for first in range(0, min(identifiers, 2 * REQUEST), REQUEST)
    ]
    with httpx.Client(base_url=url, timeout=600) as client:
        began = time.perf_counter()
        for start in range(0, people, PAGE):
            client.get(
                "/v1/segments/7/membership", params={"limit": PAGE, "start": start or ""}
            ).raise_for_status()
        for at, first in enumerate(range(0, identifiers, REQUEST)):
            is_last = first + REQUEST >= identifiers
            body = _body(identifiers - first) if is_last else bodies[at % len(bodies)]
            client.patch(_LIST, content=body).raise_for_status()
        return time.perf_counter() - began


def _body(identifiers: int) -> bytes:
    packed = os.urandom(32 * identifiers)
    names = b'"' + packed.hex(",", -32).encode().replace(b",", b'","') + b'"'
    return b'{"data":{"attributes":{"operation":"add","identifiers":[' + names + b"]}}}"


def scan(url: str) -> float:
    """One read of every entrant and every order, whose sums stay in the database."""
    engine = connect(url)
    began = time.perf_counter()
    with reading(engine) as connection:
        connection.execute(select(func.count(), func.sum(entrants.c.bucket))).one()
        connection.execute(select(func.count(), func.sum(orders.c.revenue))).one()
    seconds = time.perf_counter() - began
    engine.dispose()
    return seconds


def start() -> float:
    """What a sync imports before it does anything."""
    began = time.perf_counter()
    import_module("benchmarks.one_sync")
    return time.perf_counter() - began


def main() -> None:
    """`python -m benchmarks.floors start | hashing PEOPLE HASHES | transfer URL PEOPLE IDENTIFIERS | scan LEDGER`."""
    kind, *words = sys.argv[1:]
    if kind == "start":
        seconds = start()
    elif kind == "hashing":
        seconds = hashing(int(words[0]), int(words[1]))
    elif kind == "transfer":
        seconds = transfer(words[0], int(words[1]), int(words[2]))
    elif kind == "scan":
        seconds = scan(words[0])
    else:
        raise SystemExit(f"no floor is called {kind}")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
