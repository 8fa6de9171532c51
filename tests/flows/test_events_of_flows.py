"""Each event fires from the flow that finds its cause, on a real Prefect server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stamina
from notices import wait_for
from prefect_server import PrefectServer
from sqlalchemy import update

from analysis.history import newest_measurement, record_measurement
from experiments.database import writing
from experiments.errors import Leaked, Retryable
from experiments.schema import syncs
from flows.load_orders import load_orders_flow
from flows.measure_lift import measure_lift
from flows.session import Session, open_session, seconds
from flows.sync_audiences import sync_audiences
from sandbox.world import Sandbox

pytestmark = pytest.mark.server

DAY = timedelta(days=1)


@pytest.fixture
def at(folder: Path, in_process: PrefectServer, box: Sandbox) -> Iterator[datetime]:
    """A shop after its first sync, whose flows appear on the server; gives the sandbox's time."""
    with stamina.set_testing(True, attempts=1):
        now = datetime.fromisoformat("2026-09-14T00:00:00+00:00")
        sync_audiences(now=now)
        yield now


@pytest.fixture
def session(at: datetime) -> Iterator[Session]:
    with open_session() as session:
        yield session


class Events:
    """The events of one kind that are new since now."""

    def __init__(self, server: PrefectServer, event: str) -> None:
        self._server, self._event = server, event
        self._before = {each["id"] for each in self._all()}

    def _all(self) -> list[dict[str, Any]]:
        wanted = {"filter": {"event": {"name": [self._event]}}}
        found: list[dict[str, Any]] = self._server.post("/events/filter", wanted)["events"]
        return found

    def new(self) -> dict[str, dict[str, Any]]:
        """By the resource's name."""
        fresh = [each for each in self._all() if each["id"] not in self._before]
        return {each["resource"]["prefect.resource.name"]: each["payload"] for each in fresh}


def test_a_segment_that_does_not_answer_is_a_stale_source(
    at: datetime, in_process: PrefectServer, box: Sandbox
) -> None:
    events = Events(in_process, "holdouts.source.stale")
    box.faults.add("customerio", f"/segments/{box.segment_ids['lapsed']}/membership", kind="status", times=9)
    with pytest.raises(Retryable):
        sync_audiences(now=at + DAY)
    wait_for(lambda: "lapsed" in events.new())
    assert set(events.new()) == {"lapsed"}
    assert events.new()["lapsed"]["last"] == "2026-09-14 00:00 UTC"
    assert "status 503" in events.new()["lapsed"]["reason"]


def test_orders_that_stopped_coming_are_a_stale_source_of_the_report_and_of_the_load(
    at: datetime, folder: Path, in_process: PrefectServer, box: Sandbox
) -> None:
    load_orders_flow(now=at)
    events = Events(in_process, "holdouts.source.stale")
    measure_lift(now=at + DAY, report_folder=str(folder / "report"))
    measure_lift(now=at + 3 * DAY, report_folder=str(folder / "report"))
    wait_for(lambda: "orders" in events.new())
    assert events.new()["orders"] == {
        "reason": "no orders were loaded since",
        "last": "2026-09-14 00:00 UTC",
    }
    load = Events(in_process, "holdouts.source.stale")
    load_orders_flow(now=at + 60 * DAY, since=(at + 50 * DAY).date())
    load_orders_flow(now=at + 90 * DAY, since=(at + 80 * DAY).date())
    wait_for(lambda: "orders" in load.new())
    assert load.new()["orders"]["reason"].startswith("not one usable order since")


def test_a_verdict_that_is_another_than_in_the_last_report_is_told_once(
    at: datetime, folder: Path, in_process: PrefectServer, session: Session
) -> None:
    load_orders_flow(now=at)
    measure_lift(now=at, report_folder=str(folder / "report"))
    told = newest_measurement(session.engine)
    assert told is not None
    lapsed = next(each for each in told["experiments"] if each["name"] == "lapsed")
    now, lapsed["verdict"]["state"] = lapsed["verdict"]["state"], "profitable"
    later = at + timedelta(hours=1)
    record_measurement(session.engine, told, seconds(later), seconds(at))
    events = Events(in_process, "holdouts.verdict.changed")
    measure_lift(now=at + timedelta(hours=2), report_folder=str(folder / "report"))
    wait_for(lambda: "lapsed" in events.new())
    assert set(events.new()) == {"lapsed"}
    assert (events.new()["lapsed"]["before"], events.new()["lapsed"]["now"]) == ("profitable", now)
    after = Events(in_process, "holdouts.verdict.changed")
    measure_lift(now=at + timedelta(hours=3), report_folder=str(folder / "report"))
    assert after.new() == {}


def test_a_match_rate_below_the_band_of_chance_is_told(
    at: datetime, in_process: PrefectServer, session: Session
) -> None:
    with writing(session.engine) as connection:
        connection.execute(update(syncs).where(syncs.c.audience == "lapsed").values(match_ppm=990_000))
    events = Events(in_process, "holdouts.match-rate.fell")
    sync_audiences(now=at + timedelta(hours=4))
    wait_for(lambda: "lapsed" in events.new())
    assert set(events.new()) == {"lapsed"}
    assert events.new()["lapsed"]["before"] == "99.0%"


def test_a_planner_that_forgets_the_holdout_is_stopped_and_told(
    at: datetime, in_process: PrefectServer, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.advance(24 * 3)
    monkeypatch.setattr("experiments.phases.threshold", lambda _: 0)
    events = Events(in_process, "holdouts.leak.found")
    with pytest.raises(Leaked):
        sync_audiences(now=at + 3 * DAY)
    wait_for(lambda: bool(events.new()))
    (payload,) = events.new().values()
    assert payload["people"] > 0
    assert "nothing was sent" in payload["reason"]
