"""The limits that all runs share, on a real Prefect server."""

import time
from contextlib import closing
from pathlib import Path

import pytest
from prefect_server import PrefectServer

from experiments.errors import Rejected
from experiments.settings import Settings
from flows.shared_limits import create_limits, main
from sync.limits import SHARED_RATES, SharedLimit, limiter

pytestmark = pytest.mark.server


def test_the_limits_are_made_once_and_mended_where_somebody_changed_them(
    in_process: PrefectServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 0
    assert capsys.readouterr().out.split() == list(SHARED_RATES)
    known = in_process.get("/v2/concurrency_limits/criteo")
    assert (known["limit"], known["slot_decay_per_second"]) == (8, 4)
    create_limits(Settings.read())
    assert in_process.get("/v2/concurrency_limits/criteo")["id"] == known["id"]


def test_a_brand_has_limits_of_its_own_and_those_of_its_criteo_application(
    in_process: PrefectServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    entry = "brands: [{name: acme, audiences: a.yaml, criteo_app: agency}]"
    (tmp_path / "brands.yaml").write_text(entry)
    monkeypatch.setenv("HOLDOUTS_BRANDS", str(tmp_path / "brands.yaml"))
    monkeypatch.setenv("HOLDOUTS_BRAND", "acme")
    assert main() == 0
    made = capsys.readouterr().out.split()
    assert made == ["acme-customerio", "acme-customerio-track", "agency-criteo", "agency-criteo-reports"]
    assert in_process.get("/v2/concurrency_limits/acme-customerio")["limit"] == 1


def test_where_no_server_is_named_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert main() == Rejected.exit_status
    assert "PREFECT_API_URL is not set" in capsys.readouterr().err


def test_processes_together_keep_the_pace(in_process: PrefectServer) -> None:
    create_limits(Settings.read())
    first, second = (limiter("customerio", must_share=True) for _ in range(2))
    assert isinstance(first, SharedLimit)
    with closing(first), closing(second):
        first.acquire()
        began = time.monotonic()
        for each in (second, first) * 4:
            each.acquire()
    assert time.monotonic() - began >= 8 / SHARED_RATES["customerio"].per_second * 0.9
