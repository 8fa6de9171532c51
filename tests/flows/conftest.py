"""One real Prefect server for all tests of the flows, and a shop to run commands against."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Outcome, Run
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
    PREFECT_LOGGING_TO_API_ENABLED,
    temporary_settings,
)
from prefect_server import PrefectServer

from flows.command import main
from flows.demo_shop import audiences_yaml
from flows.local_server import local_server
from sandbox.world import Sandbox, Switches

UNLIMITED = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    home = tmp_path_factory.mktemp("prefect")
    with local_server(home) as url:
        yield PrefectServer(url, home)


@pytest.fixture
def in_process(server: PrefectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrefectServer]:
    """Flows that this process runs appear on the server, and do not wait out a second for their heartbeat."""
    monkeypatch.setenv("PREFECT_API_URL", server.url)
    here = {
        PREFECT_API_URL: server.url,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,
        PREFECT_LOGGING_TO_API_ENABLED: False,
    }
    with temporary_settings(here):
        yield server


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    orders = tmp_path / "shop.sqlite"
    start = datetime(2026, 9, 7, tzinfo=UTC)
    with Sandbox.start(profiles=3_000, start=start, orders_path=orders, switches=UNLIMITED) as box:
        box.advance(24 * 7)
        yield box


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, box.orders_path)
    (tmp_path / "audiences.yaml").write_text(text)
    environment = {
        "HOLDOUTS_AUDIENCES": str(tmp_path / "audiences.yaml"),
        "HOLDOUTS_DATABASE_URL": f"sqlite:///{tmp_path / 'holdouts.sqlite'}",
        "HOLDOUTS_RATE_LIMITS": "off",
        "CUSTOMERIO_APP_KEY": box.app_key,
        "CUSTOMERIO_BASE_URL": box.customerio_url,
        "CRITEO_CLIENT_ID": box.client_id,
        "CRITEO_CLIENT_SECRET": box.client_secret,
        "CRITEO_BASE_URL": box.criteo_url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in ("PREFECT_API_URL", "CRITEO_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def holdouts(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["holdouts", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run
