"""What a sync by group refuses before it starts; what it does is told by test_many_workers."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from postgres import fresh_database
from prefect import flow
from prefect_server import PrefectServer
from sqlalchemy import Engine

from experiments.database import connect
from experiments.errors import Leaked, Refused, Rejected, Retryable
from experiments.lock import exclusive
from flows.ending import Ending
from flows.spread import Patience, group_lock, start_groups, watch
from flows.sync_audiences import sync_audiences
from flows.sync_group import sync_group

pytestmark = pytest.mark.server

NOW = datetime(2026, 9, 14, tzinfo=UTC)


@pytest.fixture
def postgres_ledger(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with fresh_database(postgres_server) as url:
        monkeypatch.setenv("HOLDOUTS_DATABASE_URL", url)
        engine = connect(url)
        yield engine
        engine.dispose()


def test_a_ledger_of_one_machine_cannot_be_shared(folder: Path, in_process: PrefectServer) -> None:
    with pytest.raises(Rejected, match="only where the ledger is PostgreSQL"):
        sync_audiences(by_group=True)


@pytest.mark.postgres
def test_outside_of_a_flow_run_no_run_is_started(folder: Path, postgres_ledger: Engine) -> None:
    with pytest.raises(Rejected, match="only by the deployment of sync-audiences"):
        sync_audiences.fn(by_group=True)


@pytest.mark.postgres
def test_an_unknown_group_is_rejected_with_those_that_there_are(
    folder: Path, in_process: PrefectServer, postgres_ledger: Engine
) -> None:
    with pytest.raises(Rejected, match=r"no holdout group 'acme'; it has .*cart"):
        sync_group("acme", NOW)


@pytest.mark.postgres
def test_a_group_that_was_started_by_hand_adds_nobody(
    folder: Path, in_process: PrefectServer, postgres_ledger: Engine
) -> None:
    with pytest.raises(Refused, match=r"nobody said whom .*recent-purchasers.* keeps out"):
        sync_group("cart", NOW)


@pytest.mark.postgres
def test_a_sync_in_one_run_and_a_group_s_run_keep_out_of_each_other_s_way(
    folder: Path, in_process: PrefectServer, postgres_ledger: Engine
) -> None:
    with exclusive(postgres_ledger, "sync"), pytest.raises(Refused, match="another sync of this ledger"):
        sync_group("cart", NOW)
    with exclusive(postgres_ledger, group_lock("cart")), pytest.raises(Refused, match="another sync of cart"):
        sync_group("cart", NOW)


@pytest.mark.postgres
def test_without_shared_limits_no_run_of_several_asks_anybody(
    folder: Path, in_process: PrefectServer, postgres_ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "brands.yaml").write_text("brands: [{name: nobody-made-limits-for, audiences: audiences.yaml}]")
    for name in ("HOLDOUTS_DATABASE_URL", "CUSTOMERIO_APP_KEY", "CRITEO_CLIENT_ID", "CRITEO_CLIENT_SECRET"):
        monkeypatch.setenv(f"NOBODY_MADE_LIMITS_FOR_{name}", os.environ[name])
    monkeypatch.delenv("HOLDOUTS_AUDIENCES")
    monkeypatch.setenv("HOLDOUTS_BRANDS", str(folder / "brands.yaml"))
    monkeypatch.setenv("HOLDOUTS_BRAND", "nobody-made-limits-for")
    monkeypatch.setenv("HOLDOUTS_RATE_LIMITS", "on")
    with pytest.raises(
        Rejected, match=r"no active limit 'nobody-made-limits-for-criteo'.*flows\.shared_limits"
    ):
        sync_audiences(by_group=True)


def test_a_flow_that_nobody_deployed_is_named(in_process: PrefectServer) -> None:
    @flow(name="parent", persist_result=False)
    def parent() -> dict[str, UUID]:
        return start_groups("sync-group/nobody", ["cart"], NOW)

    with pytest.raises(Rejected, match=r"no deployment 'sync-group/nobody'.*without `by_group`"):
        parent()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("state", "name", "reason"),
    [
        ("RUNNING", "Crashed", "its process is gone"),
        ("PENDING", "Crashed", "did not start it"),
        ("SCHEDULED", "Cancelled", "no worker took it"),
    ],
)
def test_a_run_that_nobody_works_at_is_given_up(
    in_process: PrefectServer, postgres_ledger: Engine, state: str, name: str, reason: str
) -> None:
    registered = in_process.post("/flows/", {"name": "part"})["id"]
    run = in_process.post("/flow_runs/", {"flow_id": registered, "state": {"type": state}})["id"]
    ended = watch(postgres_ledger, {"cart": UUID(run)}, Patience(0.5, 0.5, 0.5))
    assert (ended["cart"].name, reason in str(ended["cart"].message)) == (name, True)
    assert in_process.get(f"/flow_runs/{run}")["state"]["name"] == name


@pytest.mark.postgres
def test_a_run_that_holds_its_lock_is_waited_for_however_long(
    in_process: PrefectServer, postgres_ledger: Engine
) -> None:
    registered = in_process.post("/flows/", {"name": "part"})["id"]
    run = in_process.post("/flow_runs/", {"flow_id": registered, "state": {"type": "RUNNING"}})["id"]
    began = datetime.now(UTC)
    with exclusive(postgres_ledger, group_lock("cart")):

        def end() -> None:
            in_process.post(f"/flow_runs/{run}/set_state", {"state": {"type": "COMPLETED"}, "force": True})

        timer = threading.Timer(4, end)
        timer.start()
        ended = watch(postgres_ledger, {"cart": UUID(run)}, Patience(0.5, 0.5, 0.5))
        timer.join()
    assert ended["cart"].name == "Completed"
    assert datetime.now(UTC) - began >= timedelta(seconds=4)


def test_an_ending_survives_its_way_to_another_run() -> None:
    ending = Ending(("cart (plan 1): shrank",), (Retryable("r"), Rejected("j"), Leaked("l")))
    read = Ending.read(ending.document)
    assert (read.refused, [(type(each), str(each)) for each in read.failures]) == (
        ending.refused,
        [(type(each), str(each)) for each in ending.failures],
    )


@pytest.mark.parametrize(
    ("ending", "raised"),
    [
        (Ending(("a",), (Retryable("r"), Leaked("l"))), Leaked),
        (Ending(("a",), (Retryable("r"),)), Refused),
        (Ending((), (Retryable("r"), Rejected("j"))), Retryable),
    ],
)
def test_a_run_ends_as_the_gravest_of_its_parts(ending: Ending, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        ending.conclude("refused: ")
    Ending().conclude("refused: ")
