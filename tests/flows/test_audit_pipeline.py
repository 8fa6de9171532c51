"""The pipeline's own audit from the command line to the report, on a ledger that was written by hand."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Outcome, Run
from redrawn_shop import DAY, FILE, WATERMARK, fill, without_the_first_days
from sqlalchemy import Engine, select

from analysis import outcomes
from analysis.card_log import last_card
from experiments.database import reading
from experiments.schema import pipeline_audits
from flows.command import main
from flows.measure_lift import measure_lift


@pytest.fixture
def audited(
    engine: Engine,
    ledger_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    (tmp_path / "audiences.yaml").write_text(FILE)
    monkeypatch.setenv("HOLDOUTS_AUDIENCES", str(tmp_path / "audiences.yaml"))
    monkeypatch.setenv("HOLDOUTS_DATABASE_URL", ledger_url)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["holdouts", "audit", "pipeline", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), said.out, said.err)

    return run


def test_a_sound_pipeline_ends_well_and_its_card_stands_in_the_report(
    audited: Run, engine: Engine, tmp_path: Path
) -> None:
    fill(engine)
    found = audited("--draws", "20", "--seed", "5", "--effect", "30%", "--json")
    assert (found.status, found.err) == (0, "")
    told = found.document
    assert (told["seed"], told["draws"], told["effect_draws"], told["effect"]) == (5, 20, 10, 0.3)
    assert told["passed"] is True
    assert {each["experiment"] for each in told["rows"]} == {"cart", "wishlist", "programme"}
    now = datetime.now(UTC)
    assert last_card(engine, int(now.timestamp())) == told
    assert last_card(engine, WATERMARK) is None
    measure_lift.fn(now=now, report_folder=str(tmp_path / "report"))
    (page,) = (tmp_path / "report").glob("*/index.html")
    assert json.loads((page.parent / "report.json").read_text())["report_card"] == told
    assert "The pipeline passed its own audit." in page.read_text(encoding="utf-8")


def test_a_pipeline_whose_arms_leak_into_the_outcome_ends_with_status_1_and_is_kept_as_failed(
    audited: Run, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine)
    monkeypatch.setattr(outcomes, "entries", without_the_first_days(outcomes.entries, 2 * DAY))
    found = audited("--draws", "20")
    assert found.status == 1
    assert "The pipeline failed its own audit:\n- cart, conversions: " in found.out
    with reading(engine) as connection:
        assert connection.scalars(select(pipeline_audits.c.passed)).all() == [0]


def test_an_audit_of_nothing_says_what_to_do_and_keeps_nothing(audited: Run, engine: Engine) -> None:
    found = audited()
    assert found.status == 1
    assert "run `holdouts load-orders` first" in found.err
    assert last_card(engine, 2**40) is None


@pytest.mark.parametrize("words", [["--draws", "3"], ["--people", "0"], ["--effect", "lots"]])
def test_wrong_use_ends_with_status_2(audited: Run, words: list[str]) -> None:
    assert audited(*words).status == 2
