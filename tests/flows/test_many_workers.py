"""One sync over three workers, one of them killed in the middle: no eleventh request, no leak, and it converges."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from postgres import fresh_database
from sqlalchemy import Engine, func, select
from work_pool import Pool, pool_of, server_on_postgres

from experiments.database import connect, reading
from experiments.lock import is_held
from experiments.schema import handovers, holdout_changes, syncs
from flows.spread import group_lock
from sandbox.world import Sandbox, Switches
from sync import pushes
from sync.lists import known_lists

pytestmark = [pytest.mark.server, pytest.mark.postgres, pytest.mark.timeout(900)]

TEN_A_SECOND = Switches(customerio_rps=10, criteo_per_minute=None, criteo_reports_per_minute=None)
EXCLUDED = ("recent-purchasers", "refund-risk")
HOLDOUT, UNIVERSAL = 0.20, 0.05
LOOSE = {"shrink": "100%", "removal": "100%", "unusable": "100%"}


def programme(box: Sandbox, groups: int) -> dict[str, Any]:
    """Two windows a group, each group with lists and a draw of its own."""
    windows = [
        {
            "name": f"{segment}-{number}",
            "segment": box.segment_ids[segment],
            "holdout": f"{HOLDOUT:.0%}",
            "holdout_group": f"group-{number}",
            "priority": priority,
            "exclude": list(EXCLUDED),
            "bounds": LOOSE,
        }
        for number in range(groups)
        for priority, segment in enumerate(("browse-no-cart", "lapsed"), 1)
    ]
    excludes = [
        {"name": name, "segment": box.segment_ids[name], "role": "exclude", "bounds": LOOSE}
        for name in EXCLUDED
    ]
    return {
        "advertiser": box.advertiser_id,
        "currency": "EUR",
        "margin": "45%",
        "universal_holdout": f"{UNIVERSAL:.0%}",
        "audiences": [*windows, *excludes],
    }


def held_out(salt: str, share: float, unit: bytes) -> bool:
    """The frozen rule, written out again."""
    text = f"holdout:v1:{salt}:s0|{unit.hex()}"
    bucket = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    return bucket < round(share * 1_000_000) * 2**32 // 1_000_000


@dataclass
class Story:
    """A shop, its ledger, and what happened to the runs."""

    pool: Pool
    box: Sandbox
    ledger: Engine
    audiences: dict[str, Any]
    folder: Path
    killed: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def windows(self) -> list[dict[str, Any]]:
        return [each for each in self.audiences["audiences"] if each.get("role") != "exclude"]

    def lists(self) -> dict[str, frozenset[bytes]]:
        """Who should stand in each list now."""
        excluded = frozenset().union(*(self.box.members(name) for name in EXCLUDED))
        wanted: dict[str, frozenset[bytes]] = {name: self.box.members(name) for name in EXCLUDED}
        claimed: dict[str, frozenset[bytes]] = {}
        for window in self.windows:
            group = window["holdout_group"]
            name = next(name for name, number in self.box.segment_ids.items() if number == window["segment"])
            eligible = self.box.members(name) - excluded - claimed.get(group, frozenset())
            claimed[group] = claimed.get(group, frozenset()) | eligible
            universal = {unit for unit in eligible if held_out("universal", UNIVERSAL, unit)}
            own = {unit for unit in eligible - universal if held_out(group, HOLDOUT, unit)}
            wanted[window["name"]] = frozenset(eligible - universal - own)
            for held, units in (("holdout · universal", universal), (f"holdout · {group}", own)):
                wanted[held] = wanted.get(held, frozenset()) | units
        return wanted


def told(story: Story, scenario: str) -> dict[str, Any]:
    return story.runs[scenario]["state"]


@pytest.fixture(
    scope="module", params=[2, pytest.param(8, marks=pytest.mark.soak)], ids=["2 groups", "8 groups"]
)
def story(
    request: pytest.FixtureRequest, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("workers")
    with ExitStack() as stack:
        server = stack.enter_context(server_on_postgres(postgres_server, folder / "prefect"))
        url = stack.enter_context(fresh_database(postgres_server))
        box = stack.enter_context(
            Sandbox.start(
                profiles=2_000,
                start=datetime(2026, 9, 7, tzinfo=UTC),
                orders_path=folder / "shop.sqlite",
                switches=TEN_A_SECOND,
            )
        )
        audiences = programme(box, request.param)
        (folder / "audiences.yaml").write_text(yaml.safe_dump(audiences))
        environment = {
            **server.environment(),
            "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
            "HOLDOUTS_DATABASE_URL": url,
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        ledger = connect(url)
        stack.callback(ledger.dispose)
        pool = stack.enter_context(pool_of(server, environment, 3, folder))
        told = Story(pool, box, ledger, audiences, folder)
        live_through(told)
        yield told


def live_through(story: Story) -> None:
    """A first sync in which a machine dies while its request is under way, a day, and the next sync."""
    pool, box = story.pool, story.box
    box.faults.add("criteo", "contact-list$", kind="hang", method="PATCH", seconds=300)
    run = pool.start("sync-audiences/sync-audiences", by_group=True)
    victim = stuck_run(story)
    story.killed = victim["parameters"]["group"]
    pool.kill_machine_of(victim["id"])
    story.runs["broken"] = pool.wait(run, 300)
    story.runs["victim"] = pool.server.get(f"/flow_runs/{victim['id']}")
    box.advance(24)
    story.runs["next"] = pool.wait(pool.start("sync-audiences/sync-audiences", by_group=True), 300)


def stuck_run(story: Story) -> dict[str, Any]:
    """The one run of a group that goes on when all the others have ended: its request hangs."""
    groups = len({each["holdout_group"] for each in story.windows})
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        runs = story.pool.runs_of("sync-group")
        going = [each for each in runs if each["state"]["type"] == "RUNNING"]
        is_alone = (
            len(runs) == groups and [each["state"]["type"] for each in runs].count("COMPLETED") == groups - 1
        )
        if is_alone and going and not story.box.faults.pending("criteo"):
            assert is_held(story.ledger, group_lock(going[0]["parameters"]["group"]))
            return going[0]
        time.sleep(0.5)
    raise AssertionError([(each["name"], each["state"]) for each in story.pool.runs_of("sync-group")])


def test_three_workers_together_never_send_an_eleventh_request_in_any_second(story: Story) -> None:
    arrivals = story.box.arrivals["customerio"]
    assert len(arrivals) > 2 * len(story.windows)
    assert arrivals.most_within(1.0) <= 10


def test_every_group_was_a_run_of_its_own(story: Story) -> None:
    groups = {each["holdout_group"] for each in story.windows}
    runs = story.pool.runs_of("sync-group")
    assert sorted(each["parameters"]["group"] for each in runs) == sorted([*groups, *groups])
    logs = [each.read_text() for each in story.folder.glob("worker-*.log")]
    assert sum("Beginning" in each for each in logs) == 3


def test_a_killed_machine_ends_the_sync_as_failed_and_names_the_group(story: Story) -> None:
    assert (told(story, "victim")["type"], told(story, "broken")["type"]) == ("CRASHED", "FAILED")
    assert f"Retryable: the run of group {story.killed} ended as Crashed" in told(story, "broken")["message"]


def test_the_lock_died_with_its_holder(story: Story) -> None:
    assert not is_held(story.ledger, group_lock(story.killed))
    assert not is_held(story.ledger, "sync")


def test_the_others_were_served_and_nobody_left_an_exclusion_meanwhile(story: Story) -> None:
    with reading(story.ledger) as connection:
        first = connection.scalar(select(func.min(syncs.c.synced_at)))
        rows = connection.execute(select(syncs.c.audience, syncs.c.outcome).where(syncs.c.synced_at == first))
        outcomes = {row.audience: row.outcome for row in rows}
    served = {each["name"] for each in story.windows if each["holdout_group"] != story.killed}
    assert served <= {name for name, outcome in outcomes.items() if outcome == "applied"}
    assert not {each["name"] for each in story.windows} - served & outcomes.keys() - served


def test_the_next_sync_converges(story: Story) -> None:
    assert told(story, "next")["type"] == "COMPLETED", told(story, "next")["message"]
    books = story.box.books()
    # Whoever has no usable e-mail stands in no list of any group.
    known = frozenset().union(*map(books.now_on, books.list_names()))
    wanted = {name: units & known for name, units in story.lists().items()}
    assert len(known) > 300
    wrong = {
        name: (len(units - books.now_on(name)), len(books.now_on(name) - units))
        for name, units in wanted.items()
        if units != books.now_on(name)
    }
    assert not wrong, "missing and too many, by list"


def test_the_ledger_and_criteo_agree(story: Story) -> None:
    books = story.box.books()
    with reading(story.ledger) as connection:
        for each in known_lists(connection):
            held = pushes.holding(connection, each.id)
            assert frozenset(held.surely) == books.now_on(each.name)
            assert not len(held.perhaps)


def test_nobody_held_out_ever_stood_on_a_list(story: Story) -> None:
    books = story.box.books()
    for window in story.windows:
        ever = books.ever_on(window["name"])
        assert ever
        assert not [unit for unit in ever if held_out("universal", UNIVERSAL, unit)]
        assert not [unit for unit in ever if held_out(window["holdout_group"], HOLDOUT, unit)]


def test_the_run_shows_every_list_of_every_group(story: Story) -> None:
    shown = json.loads(story.pool.server.artifacts(story.runs["next"]["id"])["holdouts-sync"]["data"])
    assert {row["list"] for row in shown} == story.lists().keys()


def test_the_runs_of_one_sync_take_the_percentages_of_the_file_over_once(story: Story) -> None:
    with reading(story.ledger) as connection:
        changed = list(
            connection.scalars(select(holdout_changes.c.audience).order_by(holdout_changes.c.audience))
        )
    assert changed == sorted([*(each["name"] for each in story.windows), "universal"])


def test_nothing_is_left_of_what_the_runs_told_each_other(story: Story) -> None:
    with reading(story.ledger) as connection:
        assert connection.scalar(select(func.count()).select_from(handovers)) == 0
