"""A small programme lived through once: a first sync, one with churn, an idle one, a load of orders, two reports. I/O."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
import yaml
from counted_work import Work, counted, watch_rows
from sqlalchemy import Engine

from experiments.database import connect
from flows.load_orders import load_orders_flow
from flows.measure_lift import measure_lift
from flows.session import open_criteo, open_customerio, open_session
from flows.sync_audiences import sync_audiences
from sandbox.workspace import Segment
from sandbox.world import Sandbox, Switches
from sync.applying import apply
from sync.decision import decide
from sync.gathering import gather

START = datetime(2026, 9, 7, tzinfo=UTC)
FREE = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
_TIDY = re.compile(r"[a-z]+\.[a-z]+[0-9]+@example\.com")
EXCLUDED = 50
"""People in the exclude audience, and in no other."""
MOVED = {"treated": 5, "held out": 1}
"""Who leaves each include audience between the first sync and the second, and how many come: 1 % of 600."""
COMERS = 300
"""People who are in no audience at first; those who come are chosen among them."""


@dataclass(frozen=True)
class Size:
    """How many include audiences of how many people."""

    audiences: int
    people: int


@dataclass(frozen=True)
class Story:
    """What each part of it cost."""

    size: Size
    treated: int
    """People on all include lists after the first sync."""
    first: Work
    churn: Work
    idle: Work
    orders: Work
    accepted: int
    """Orders that the load took in."""
    first_report: Work
    second_report: Work


@contextmanager
def shop(folder: Path) -> Iterator[Sandbox]:
    with Sandbox.start(profiles=5_000, start=START, orders_path=folder / "shop.sqlite", switches=FREE) as box:
        yield box


def live(box: Sandbox, ledger_url: str, folder: Path, size: Size) -> Story:
    """Runs the flows themselves, over HTTP and the ledger; their settings are in the environment meanwhile."""
    segments, pool = _fill(box, size)
    _write_file(box, segments, folder)
    ledger = connect(ledger_url)
    watch_rows(ledger)
    report = str(folder / "report")
    with _environment(box, ledger_url, folder), stamina.set_testing(True, attempts=3, cap=True):
        first = _sync(box, ledger, 1)
        treated = _move(box, segments, pool, size)
        churn, idle = _sync(box, ledger, 2), _sync(box, ledger, 3)
        box.advance(24 * 21)
        with counted(box, ledger) as orders:
            accepted = load_orders_flow.fn(now=box.clock.now())["accepted"]
        reports = []
        for _ in range(2):
            with counted(box, ledger) as work:
                measure_lift.fn(now=box.clock.now(), report_folder=report)
            reports.append(work)
            box.advance(1)
    ledger.dispose()
    assert isinstance(accepted, int)
    return Story(size, treated, first, churn, idle, orders, accepted, *reports)


def sync_in_requests_of(chunk: int, box: Sandbox, ledger_url: str, folder: Path) -> Work:
    """A first sync of two audiences of 600 people that sends at most `chunk` identifiers in a request."""
    segments, _ = _fill(box, Size(2, 600))
    _write_file(box, segments, folder)
    ledger = connect(ledger_url)
    watch_rows(ledger)
    at = int(START.timestamp())
    with (
        _environment(box, ledger_url, folder),
        counted(box, ledger) as work,
        open_session() as session,
        open_customerio(session) as customerio,
        open_criteo(session) as criteo,
    ):
        plan = decide(gather(session.engine, customerio, session.programme).facts)
        apply(session.engine, criteo, session.programme, plan, at, chunk=chunk)
    ledger.dispose()
    return work


def arm_of(audience: str, email: str) -> str:
    """`universal`, `held out` or `treated`, by the frozen rule written out again."""
    unit = hashlib.sha256(email.encode()).hexdigest()
    for salt, share, name in (("universal", 20_000, "universal"), (audience, 100_000, "held out")):
        bucket = int(hashlib.sha256(f"holdout:v1:{salt}:s0|{unit}".encode()).hexdigest()[:8], 16)
        if bucket < share * 2**32 // 1_000_000:
            return name
    return "treated"


def _sync(box: Sandbox, ledger: Engine, hour: int) -> Work:
    with counted(box, ledger) as work:
        sync_audiences.fn(now=START + timedelta(hours=hour))
    return work


def _fill(box: Sandbox, size: Size) -> tuple[list[Segment], list[int]]:
    """A manual segment for each audience, the exclude audience's last; and the profiles that may be in one."""
    pool = [
        index
        for index, profile in enumerate(box.workspace.profiles)
        if _TIDY.fullmatch(profile.email or "") and len(box.workspace.by_email[profile.email or ""]) == 1
    ]
    assert len(pool) >= size.people + COMERS + EXCLUDED
    segments = [
        box.workspace.add_segment(f"counted-{n}", "", 0, manual=True) for n in range(size.audiences + 1)
    ]
    for segment in segments[:-1]:
        _put(box, segment, pool[: size.people], inside=True)
    _put(box, segments[-1], pool[-EXCLUDED:], inside=True)
    return segments, pool


def _move(box: Sandbox, segments: list[Segment], pool: list[int], size: Size) -> int:
    """Lets the same number leave and come, in each arm of each audience; gives how many were treated before."""
    emails = [box.workspace.profiles[index].email or "" for index in pool]
    treated = 0
    for number, segment in enumerate(segments[:-1]):
        arms = [arm_of(f"a{number}", email) for email in emails]
        treated += arms[: size.people].count("treated")
        for lower, upper, inside in (
            (0, size.people, False),
            (size.people, size.people + COMERS, True),
        ):
            for arm, count in MOVED.items():
                chosen = [pool[at] for at in range(lower, upper) if arms[at] == arm][:count]
                assert len(chosen) == count
                _put(box, segment, chosen, inside=inside)
    return treated


def _put(box: Sandbox, segment: Segment, profiles: list[int], *, inside: bool) -> None:
    assert segment.manual is not None
    with box.market.lock:
        segment.manual[profiles] = inside


def _write_file(box: Sandbox, segments: list[Segment], folder: Path) -> None:
    includes = [
        {"name": f"a{n}", "segment": segment.id, "holdout": "10%", "exclude": ["out"], "ad_sets": [str(n)]}
        for n, segment in enumerate(segments[:-1])
    ]
    document: dict[str, Any] = {
        "advertiser": box.advertiser_id,
        "currency": "EUR",
        "margin": "45%",
        "universal_holdout": "2%",
        "orders": {
            "url": f"sqlite:///{box.orders_path}",
            "query": "select order_id, email, ordered_at, revenue from orders "
            "where ordered_at >= :since and ordered_at < :until",
        },
        "audiences": [*includes, {"name": "out", "segment": segments[-1].id, "role": "exclude"}],
    }
    (folder / "audiences.yaml").write_text(yaml.safe_dump(document))


@contextmanager
def _environment(box: Sandbox, ledger_url: str, folder: Path) -> Iterator[None]:
    values = {
        "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
        "HOLDOUTS_DATABASE_URL": ledger_url,
        "HOLDOUTS_RATE_LIMITS": "off",
        "CUSTOMERIO_APP_KEY": box.app_key,
        "CUSTOMERIO_BASE_URL": box.customerio_url,
        "CRITEO_CLIENT_ID": box.client_id,
        "CRITEO_CLIENT_SECRET": box.client_secret,
        "CRITEO_BASE_URL": box.criteo_url,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        for name in ("PREFECT_API_URL", "CRITEO_API_VERSION"):
            patch.delenv(name, raising=False)
        yield
