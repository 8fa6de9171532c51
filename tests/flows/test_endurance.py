"""Hourly syncs for a long time, with churn, faults and new percentages: nothing grows, drifts or leaks.

A simulated week of four audiences with the other tests; `make soak` lives through a year of forty.
"""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

import pytest
import yaml
from postgres import fresh_database
from sqlalchemy import Engine, func, select

from experiments.database import connect, reading
from experiments.schema import metadata, syncs
from sandbox.faults import Kind
from sandbox.world import Sandbox, Switches
from sync import pushes
from sync.lists import known_lists

pytestmark = pytest.mark.timeout(900)

START = datetime(2026, 1, 1, tzinfo=UTC)
FREE = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
SEGMENTS = ("browse-no-cart", "lapsed", "cart-2-7d", "vip", "cart-4-24h")
EXCLUDED = "recent-purchasers"
LOOSE = {"shrink": "100%", "removal": "100%", "unusable": "100%", "disagreement": "100%"}
PERCENTAGES = (50_000, 100_000, 200_000, 300_000)
KINDS: tuple[Kind, ...] = ("drop-before", "drop-after", "status", "truncated-json", "cut-body", "html")


@dataclass(frozen=True)
class Length:
    """How long, how many audiences, how large a shop."""

    days: int
    audiences: int
    profiles: int


WEEK, YEAR = Length(7, 4, 400), Length(365, 40, 2_000)
"""In a smaller shop a segment is empty for an hour of the year, which the fuse refuses as it should."""


@dataclass
class Life:
    """What was lived through."""

    box: Sandbox
    ledger: Engine
    process: subprocess.Popen[str]
    ppm: dict[str, int]
    chance: random.Random = field(default_factory=lambda: random.Random(9))
    syncs: int = 0
    resident: list[int] = field(default_factory=list)
    """Bytes that the syncing process holds at the end of each day."""
    errors: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    """What a look at the lists found, with its day."""
    rows: list[dict[str, int]] = field(default_factory=list)
    """Rows of every table, day by day of the quiet time at the end."""

    def sync(self, now: datetime, **change: Any) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"now": now.isoformat(), **change}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.syncs += 1
        if "rss" in answer:
            self.resident.append(answer["rss"])
        if answer["error"]:
            self.errors.append(answer["error"])

    def break_something(self) -> None:
        """A request of one of the vendors fails, in one of the ways requests fail, now and then for good."""
        server = self.chance.choice(("customerio", "criteo"))
        times = 9 if self.chance.random() < 0.1 else 1
        skip, kind = self.chance.randrange(12), self.chance.choice(KINDS)
        self.box.faults.add(server, ".", kind=kind, times=times, skip=skip)

    def look(self, day: int) -> None:
        """Nobody held out stands in a list, and the ledger knows what stands there."""
        books = self.box.books()
        for name, ppm in self.ppm.items():
            leaked = sum(held_out(name, ppm, unit) for unit in books.now_on(name))
            if leaked:
                self.wrong.append(f"day {day}: {leaked} held out in {name}")
        with reading(self.ledger) as connection:
            for each in known_lists(connection):
                held = pushes.holding(connection, each.id)
                if frozenset(held.surely) != books.now_on(each.name) or len(held.perhaps):
                    self.wrong.append(f"day {day}: ledger and Criteo differ in {each.name}")

    def count_rows(self) -> None:
        with reading(self.ledger) as connection:
            counts = {
                table.name: connection.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
            }
        self.rows.append(counts)


def held_out(audience: str, ppm: int, unit: bytes) -> bool:
    """The frozen rule, written out again; each audience is a group of its own."""
    text = f"holdout:v1:{audience}:s0|{unit.hex()}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) < ppm * 2**32 // 1_000_000


def programme(box: Sandbox, audiences: int) -> dict[str, Any]:
    names = islice(
        ((f"{segment}-{number}", segment) for number, segment in product(range(40), SEGMENTS)), audiences - 1
    )
    includes = [
        {
            "name": name,
            "segment": box.segment_ids[segment],
            "holdout": "10%",
            "exclude": [EXCLUDED],
            "bounds": LOOSE,
        }
        for name, segment in names
    ]
    exclude = {"name": EXCLUDED, "segment": box.segment_ids[EXCLUDED], "role": "exclude", "bounds": LOOSE}
    return {
        "advertiser": box.advertiser_id,
        "currency": "EUR",
        "margin": "45%",
        "audiences": [*includes, exclude],
    }


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((WEEK, "sqlite"), id="a week"),
        pytest.param((WEEK, "postgresql"), id="a week on PostgreSQL", marks=pytest.mark.postgres),
        pytest.param((YEAR, "sqlite"), id="a year", marks=[pytest.mark.soak, pytest.mark.timeout(4 * 3_600)]),
    ],
)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    folder, (length, database) = tmp_path_factory.mktemp("life"), request.param
    with ExitStack() as stack:
        box = stack.enter_context(
            Sandbox.start(
                profiles=length.profiles, start=START, orders_path=folder / "shop.sqlite", switches=FREE
            )
        )
        asked = programme(box, length.audiences)
        (folder / "audiences.yaml").write_text(yaml.safe_dump(asked))
        url = f"sqlite:///{folder / 'holdouts.sqlite'}"
        if database == "postgresql":
            url = stack.enter_context(fresh_database(request.getfixturevalue("postgres_server")))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")},
            "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
            "HOLDOUTS_DATABASE_URL": url,
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
        }
        ledger = connect(url)
        with (folder / "syncs.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("syncing_process.py"))],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            ppm = {each["name"]: 100_000 for each in asked["audiences"] if "holdout" in each}
            lived = Life(box, ledger, process, ppm)
            live(lived, length)
            rest(lived)
            yield lived
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)
            assert process.stdout is not None
            process.stdout.close()
        ledger.dispose()


def live(life: Life, length: Length) -> None:
    """Every hour a sync; in one of twelve something breaks; every month, or in the week once, a new percentage."""
    month = 30 if length.days > 30 else 3
    for day in range(length.days):
        for hour in range(24):
            life.box.advance(1)
            if hour != 23 and life.chance.random() < 1 / 12:
                life.break_something()
            change: dict[str, Any] = {}
            if day % month == month - 1 and hour == 12:
                audience = life.chance.choice(list(life.ppm))
                life.ppm[audience] = life.chance.choice(
                    [each for each in PERCENTAGES if each != life.ppm[audience]]
                )
                change = {"audience": audience, "ppm": life.ppm[audience]}
            life.sync(life.box.clock.now(), weigh=hour == 23, **change)
            life.box.faults.clear()
        life.look(day)


def rest(life: Life) -> None:
    """Fifty days in which nobody moves, a sync every eight hours."""
    now = life.box.clock.now()
    for step in range(1, 151):
        life.sync(now + timedelta(hours=8 * step), weigh=step % 3 == 0)
        if step % 3 == 0:
            life.count_rows()


def test_every_fault_is_got_over(life: Life) -> None:
    assert life.errors
    assert set(life.errors) <= {"Retryable"}
    assert len(life.errors) < life.syncs / 20


def test_nobody_leaks_and_the_ledger_never_drifts_from_criteo(life: Life) -> None:
    assert life.wrong == []


def test_memory_does_not_grow(life: Life) -> None:
    """After the first tenth, in which caches fill: the last quarter holds within 4 MB what the first did."""
    settled = life.resident[len(life.resident) // 10 :]
    quarter = len(settled) // 4
    slope = linear_regression(range(len(settled)), settled).slope
    grown = median(settled[-quarter:]) - median(settled[:quarter])
    assert grown < 4_000_000, f"{grown / 1e6:.1f} MB more, {slope * 24 / 1e6:.3f} MB a day"


def test_the_ledger_grows_with_churn_and_not_with_runs(life: Life) -> None:
    """From the sixth week of rest on, a day of syncs adds not one row to any table."""
    late = life.rows[40:]
    assert len(late) == 10
    assert all(each == late[0] for each in late), (late[0], late[-1])
    assert late[0]["syncs"] < life.rows[30]["syncs"]


def test_what_moved_somebody_is_still_there(life: Life) -> None:
    with reading(life.ledger) as connection:
        first = connection.scalar(select(func.min(syncs.c.synced_at)).where(syncs.c.adds > 0))
    assert first == int((START + timedelta(hours=1)).timestamp())
