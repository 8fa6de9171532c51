"""Nothing is lost at whatever moment the process dies: real syncs are killed at hundreds of random points.

Each sync is a process of its own over real HTTP and a real database. It is killed after a random time, or
at a request of its own that the server holds or has just carried out; connections drop before and after the
server acted, the segments and the holdouts move between the runs. What should stand in the lists is worked
out here, from Customer.io's own pages and the frozen hash written out again.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import httpx
import pytest
from postgres import fresh_database
from sqlalchemy import Engine

from experiments.audience_file import read_programme
from experiments.database import connect, reading, writing
from experiments.ledger import change_holdout, read_file_holdouts
from sandbox.world import Sandbox, Switches
from sync import pushes
from sync.lists import known_lists

START = datetime(2026, 9, 7, tzinfo=UTC)
LOOSE = "bounds: {shrink: 100%, growth: 100000%, removal: 100%, unusable: 100%}"
FILE = """
advertiser: "{advertiser}"
currency: EUR
margin: 45%
universal_holdout: 5%
audiences:
  - {{name: cart-2-7d, segment: {cart}, holdout: 20%, holdout_group: near, priority: 1, exclude: [bought], {loose}}}
  - {{name: browse, segment: {browse}, holdout: 20%, holdout_group: near, priority: 2, exclude: [bought], {loose}}}
  - {{name: lapsed, segment: {lapsed}, holdout: 30%, exclude: [bought], {loose}}}
  - {{name: bought, segment: {bought}, role: exclude, {loose}}}
"""
SEGMENTS = {
    "cart-2-7d": "cart-2-7d",
    "browse": "browse-no-cart",
    "lapsed": "lapsed",
    "bought": "recent-purchasers",
}
WINDOWS = {"cart-2-7d": "near", "browse": "near", "lapsed": "lapsed"}
FAULTS = ("drop-before", "drop-after", "status", "cut-body", "html")
CHUNK = 40
How = Literal["after a while", "before Criteo acts", "after Criteo acted"]


@dataclass
class Undertaker:
    """Starts syncs and kills them."""

    box: Sandbox
    process: subprocess.Popen[str]
    draw: random.Random
    at: int = 1_800_000_000
    usual: float = 0.3
    """Seconds that a sync takes when it is left alone."""

    def let_live(self) -> int:
        """One sync that nobody kills; its exit status."""
        began = time.monotonic()
        self._start()
        status = self._end()
        self.usual = 0.7 * self.usual + 0.3 * (time.monotonic() - began)
        return status

    def kill(self, how: How) -> int:
        """One sync that is killed, unless it ends before; its exit status, -9 where it was killed."""
        writes = len(self.box.market.writes)
        nth = self.draw.randrange(12)
        if how == "before Criteo acts":
            self.box.faults.add("criteo", "/contact-list$", kind="hang", skip=nth, method="PATCH", seconds=60)
        child = self._start()
        until = time.monotonic() + 4 * self.usual
        if how == "after a while":
            time.sleep(self.draw.random() * 1.1 * self.usual)
        elif how == "after Criteo acted":
            while len(self.box.market.writes) <= writes + nth and time.monotonic() < until and _lives(child):
                time.sleep(0.0005)
        else:
            pending = self.box.faults.pending("criteo")
            while self.box.faults.pending("criteo") == pending and time.monotonic() < until and _lives(child):
                time.sleep(0.0005)
        if _lives(child):
            os.kill(child, signal.SIGKILL)
        return self._end()

    def _start(self) -> int:
        self.at += 3_600
        return int(self._say(f"{self.at} {CHUNK}"))

    def _say(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def _end(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


def _lives(child: int) -> bool:
    """A zombie lives no more, though its number still does."""
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class World:
    """The sandbox, the ledger as another process sees it, and what should be."""

    box: Sandbox
    engine: Engine
    file: Path
    undertaker: Undertaker
    ppm: dict[str, int] = field(
        default_factory=lambda: {
            "cart-2-7d": 200_000,
            "browse": 200_000,
            "lapsed": 300_000,
            "universal": 50_000,
        }
    )

    def change_a_holdout(self, draw: random.Random) -> None:
        """Somebody uses the form, between two runs."""
        name = draw.choice(list(self.ppm))
        ppm = draw.choice([0, 50_000, 200_000, 400_000])
        self.undertaker.at += 60
        with writing(self.engine) as connection:
            read_file_holdouts(connection, read_programme(self.file), self.undertaker.at)
            change_holdout(
                connection, name, ppm, at=self.undertaker.at, route="form", who="ada", reason="a test"
            )
        self.ppm[name] = ppm

    def expected(self) -> dict[str, set[str]]:
        """What every list should hold after a clean sync."""
        bought = self._members("bought")
        held: dict[str, set[str]] = {f"holdout · {name}": set() for name in ("near", "lapsed", "universal")}
        lists, claimed = {"bought": bought}, {"near": set[str](), "lapsed": set[str]()}
        for name, group in WINDOWS.items():
            eligible = self._members(name) - bought - claimed[group]
            claimed[group] |= eligible
            rules = {unit: self._rule(unit, name) for unit in eligible}
            lists[name] = {unit for unit, rule in rules.items() if rule is None}
            for unit, rule in rules.items():
                if rule is not None:
                    held[rule].add(unit)
        return lists | held

    def standing(self) -> dict[str, set[str]]:
        """What stands in each of Criteo's lists, by Criteo's id."""
        with self.box.market.lock:
            segments = self.box.market.account.segments
            return {
                one.id: set(one.contacts.members) for one in segments.values() if one.contacts is not None
            }

    def names(self) -> dict[str, str]:
        """What Criteo calls each list."""
        with self.box.market.lock:
            segments = self.box.market.account.segments
            return {one.id: one.name for one in segments.values() if one.contacts is not None}

    def check_the_ledger(self) -> None:
        """Whatever may have been sent counts as sent, and what counts as sent for sure was."""
        standing = self.standing()
        with reading(self.engine) as connection:
            holdings = {one.id: pushes.holding(connection, one.id) for one in known_lists(connection)}
        for number, members in standing.items():
            if number not in holdings:
                assert not members, "a list that the ledger does not know has people on it"
                continue
            holding = holdings[number]
            assert {unit.hex() for unit in holding.surely} <= members
            assert members <= {unit.hex() for unit in holding.at_most}

    def check_the_lists(self) -> None:
        """After a clean sync each list is exactly what it should be."""
        names, standing = self.names(), self.standing()
        found = {names[number]: members for number, members in standing.items()}
        for name, units in self.expected().items():
            assert found.get(name, set()) == units, name

    def check_nobody_new_is_held_out(self, before: dict[str, set[str]]) -> None:
        """However the sync ended, whom it added to an include list is not held out."""
        names = self.names()
        for number, members in self.standing().items():
            if names[number] in WINDOWS:
                added = members - before.get(number, set())
                assert not [unit for unit in added if self._rule(unit, names[number])]

    def _members(self, name: str) -> set[str]:
        number, start, units = self.box.segment_ids[SEGMENTS[name]], "", set()
        while True:
            page = httpx.get(
                f"{self.box.customerio_url}/v1/segments/{number}/membership",
                params={"limit": 30_000, "start": start},
                headers={"Authorization": f"Bearer {self.box.app_key}"},
            ).json()
            units |= {
                unit for each in page["identifiers"] if (unit := _unit(each["email"] or "")) is not None
            }
            start = page["next"]
            if not start:
                return units

    def _rule(self, unit: str, name: str) -> str | None:
        for group, share in (("universal", self.ppm["universal"]), (WINDOWS[name], self.ppm[name])):
            word = hashlib.sha256(f"holdout:v1:{group}:s0|{unit}".encode()).hexdigest()[:8]
            if int(word, 16) < share * 2**32 // 1_000_000:
                return f"holdout · {group}"
        return None


def _unit(raw: str) -> str | None:
    """The contract's rule for the sandbox's spellings; a SHA-256 made elsewhere stays what it is."""
    text = unicodedata.normalize("NFC", raw).strip().lower()
    if re.fullmatch("[0-9a-f]{64}", text):
        return text
    is_address = re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", text)
    return hashlib.sha256(text.encode()).hexdigest() if is_address else None


@contextmanager
def opened(folder: Path, url: str, seed: int) -> Iterator[World]:
    """A shop with a few hundred members a segment and a process that forks syncs."""
    switches = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
    orders, file = folder / "shop.sqlite", folder / "audiences.yaml"
    with Sandbox.start(profiles=1_500, seed=seed, start=START, orders_path=orders, switches=switches) as box:
        box.advance(24 * 8)
        ids = {name.split("-")[0]: box.segment_ids[segment] for name, segment in SEGMENTS.items()}
        file.write_text(FILE.format(advertiser=box.advertiser_id, loose=LOOSE, **ids))
        environment = {
            **os.environ,
            "HOLDOUTS_AUDIENCES": str(file),
            "HOLDOUTS_DATABASE_URL": url,
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
        }
        command = [sys.executable, str(Path(__file__).with_name("mortal.py"))]
        engine = connect(url)
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            yield World(box, engine, file, Undertaker(box, process, random.Random(seed)))
            assert process.stdin is not None
            process.stdin.close()
        engine.dispose()


def _go_through(world: World, kills: int, seed: int) -> Counter[str]:
    draw, ended = random.Random(seed), Counter[str]()
    assert world.undertaker.let_live() == 0
    world.check_the_lists()
    while ended["killed"] < kills:
        ended["runs"] += 1
        world.box.advance(draw.choice([1, 2, 5]))
        if draw.random() < 0.15:
            world.change_a_holdout(draw)
        if draw.random() < 0.4:
            world.box.faults.add(
                "criteo",
                "/contact-list$",
                kind=draw.choice(FAULTS),  # type: ignore[arg-type]  # each is a kind of fault
                skip=draw.randrange(6),
                method="PATCH",
            )
        before = world.standing()
        how: How = draw.choice(["after a while", "before Criteo acts", "after Criteo acted"])
        status = world.undertaker.kill(how)
        world.box.faults.clear()
        ended["killed" if status == -signal.SIGKILL else "came to its end"] += 1
        ended[how] += status == -signal.SIGKILL
        assert status in (-signal.SIGKILL, 0, 1, 3), status
        world.check_the_ledger()
        world.check_nobody_new_is_held_out(before)
        if draw.random() < 0.2:
            _come_clean(world)
    _come_clean(world)
    return ended


def _come_clean(world: World) -> None:
    """The first clean sync; a database server may notice the death of its client a moment later."""
    for _ in range(40):
        status = world.undertaker.let_live()
        if status != 1:
            break
        time.sleep(0.05)
    assert status == 0
    world.check_the_ledger()
    world.check_the_lists()


@contextmanager
def ledger(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'holdouts.sqlite'}"
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("kind", "kills"), [("sqlite", 150), pytest.param("postgresql", 60, marks=pytest.mark.postgres)]
)
def test_the_first_clean_sync_after_any_death_leaves_the_lists_exactly_right(
    kind: str, kills: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with ledger(kind, request, tmp_path) as url, opened(tmp_path, url, seed=11) as world:
        ended = _go_through(world, kills, seed=5)
    assert (
        min(ended[how] for how in ("after a while", "before Criteo acts", "after Criteo acted")) > kills / 10
    )


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_the_same_for_hundreds_of_deaths_more(
    kind: str, seed: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with ledger(kind, request, tmp_path) as url, opened(tmp_path, url, seed) as world:
        _go_through(world, 500, seed)
