"""`holdouts status`: what it knows, and how it stands on wide and narrow terminals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer
from command_line import Run
from rich.console import Console

from flows.command import app
from flows.status import read_status
from flows.status_screen import show_status
from flows.terminal import audience_names
from sandbox.world import Sandbox


def change(percent: float, who: str = "anna") -> dict[str, Any]:
    return {"at": "2026-10-05T06:00:00+00:00", "percent": percent, "route": "form", "who": who, "reason": "r"}


def audience(**changes: Any) -> dict[str, Any]:
    found = {
        "role": "include",
        "holdout_percent": 20.0,
        "since": change(20.0),
        "last_sync": "2026-11-24T03:00:00+00:00",
        "age_hours": 3.0,
        "is_late": False,
        "outcome": "applied",
        "units": 4_321,
        "pushed": 3_456,
        "identifiers": 3_450,
        "match_rate": 0.652,
        "refusals": [],
        "rejected": 0,
        "list_check": None,
        "delay_p95": 600,
        "verdict": {"state": "inconclusive", "sentence": "s", "of": "cart"},
    }
    return found | changes


NEVER = {
    "last_sync": None,
    "age_hours": None,
    "is_late": None,
    "outcome": None,
    "units": None,
    "pushed": None,
}
SHOP: dict[str, dict[str, Any]] = {
    "cart-0-4h": audience(),
    "lapsed": audience(age_hours=40.0, is_late=True, verdict={"state": "incremental and profitable", "sentence": "s", "of": "lapsed"}),
    "new-one": audience(**NEVER, identifiers=None, match_rate=None, since=None, holdout_percent=None, verdict=None),
    "recent-purchasers": audience(
        role="exclude",
        outcome="refused",
        is_late=True,
        refusals=["the segment lost 41 % of its members [red]since[/red] the last sync"],
    ),
}  # fmt: skip


def status(**changes: Any) -> dict[str, Any]:
    found = {
        "promise_hours": 9.0,
        "last_report": "2026-11-23T06:00:00+00:00",
        "universal": change(2.0, who="audiences.yaml"),
        "audiences": SHOP,
    }
    return found | changes


def screen(found: dict[str, Any], width: int, **options: Any) -> str:
    written = StringIO()
    show_status(Console(file=written, width=width, highlight=False, **options), found)
    return written.getvalue()


def test_a_wide_terminal_has_a_row_for_each_audience_with_everything_in_it() -> None:
    lines = screen(status(), 140).splitlines()
    (cart,) = (line for line in lines if line.startswith("cart-0-4h"))
    assert re.split(r"  +", cart.strip()) == [
        "cart-0-4h", "20 %", "5 Oct 2026, anna", "● 3 h of 9 h", "10 min", "4,321", "3,456", "3,450", "65%", "Still open",
    ]  # fmt: skip
    (lapsed,) = (line for line in lines if line.startswith("lapsed"))
    assert "▲ 40 h of 9 h" in lapsed
    assert "Pays for itself" in lapsed
    (new,) = (line for line in lines if line.startswith("new-one"))
    assert "○ never" in new
    assert "not measured yet" in new
    (bought,) = (line for line in lines if line.startswith("recent-purchasers"))
    assert "kept out" in bought
    assert "✗ refused 3 h ago" in bought


@pytest.mark.parametrize("width", [40, 60, 80, 100, 119, 120, 140, 200])
def test_at_any_width_nothing_is_lost_and_no_line_is_too_long(width: int) -> None:
    said = screen(status(), width)
    assert max(map(len, said.splitlines())) <= width
    flat = " ".join(said.split())
    for words in (
        "cart-0-4h",
        "20 %",
        "5 Oct 2026",
        "anna",
        "3 h of 9 h",
        "3,456",
        "65%",
        "Still open",
        "4,321",
    ):
        assert words in flat, words
    assert "[red]since[/red]" in flat, "words of others are no markup"
    assert "holdouts approve AUDIENCE --plan HASH" in flat
    assert "2 % are held out of everything since 5 Oct 2026 by audiences.yaml" in flat
    assert "late: lapsed, recent-purchasers" in flat
    assert "report of 23 Nov 2026" in flat


@pytest.mark.parametrize("width", [60, 120, 200])
def test_a_long_name_is_never_cut_short(width: int) -> None:
    name = "people-who-left-a-cart-in-the-christmas-shop-of-the-uk-0-4h"
    assert name in screen(status(audiences={name: audience()}), width)


def test_rejected_identifiers_and_a_list_that_drifted_are_told_below() -> None:
    drifted = {"verdict": "short", "sentence": "Criteo counts 12 people fewer"}
    found = status(audiences={"lapsed": audience(rejected=1_204, list_check=drifted)})
    flat = " ".join(screen(found, 140).split())
    assert "lapsed: Criteo rejected 1,204 identifiers of its last sync" in flat
    assert "lapsed: Criteo counts 12 people fewer; see `holdouts audit reconcile`" in flat


@pytest.mark.parametrize(("seconds", "told"), [(119, "119 s"), (600, "10 min"), (14_400, "4 h"), (None, "–")])
def test_waits_are_told_in_seconds_minutes_and_hours(seconds: int | None, told: str) -> None:
    found = status(audiences={"lapsed": audience(delay_p95=seconds)})
    assert f"95 % within {told}" in " ".join(screen(found, 70).split())


def test_a_ledger_in_which_nothing_ran_says_what_to_do_first() -> None:
    blank = status(audiences={"new-one": SHOP["new-one"]}, universal=None, last_report=None)
    for width in (60, 140):
        flat = " ".join(screen(blank, width).split())
        assert "nothing was synced yet: holdouts sync" in flat
        assert "no universal holdout is in force" in flat
        assert "no report yet" in flat
        assert "approve" not in flat


def test_every_list_in_time_is_said_in_a_sentence_and_colour_only_helps() -> None:
    fine = status(audiences={"cart-0-4h": SHOP["cart-0-4h"]})
    assert "every list is up to date within 9 h" in screen(fine, 140)
    coloured = screen(fine, 140, force_terminal=True, color_system="standard")
    assert "\x1b[32m● 3 h of 9 h" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == screen(fine, 140)


def test_the_ledger_is_told_with_its_age_its_promise_and_the_newest_verdict(
    holdouts: Run, box: Sandbox, folder: Path
) -> None:
    before = holdouts("status", "--json").document
    assert before["audiences"]["lapsed"]["is_late"] is None
    assert before["promise_hours"] == 9
    assert "never" in holdouts("status").out
    for words in (["sync"], ["load-orders"], ["load-spend"], ["report"]):
        assert holdouts(*words).status == 0
    found = holdouts("status", "--json").document
    lapsed = found["audiences"]["lapsed"]
    assert (lapsed["is_late"], lapsed["outcome"], lapsed["holdout_percent"]) == (False, "applied", 10)
    assert lapsed["since"]["who"] == "audiences.yaml"
    assert 0 <= lapsed["age_hours"] < 1
    assert lapsed["pushed"] > 0
    assert found["audiences"]["cart-0-4h"]["verdict"]["of"] == "cart"
    assert lapsed["verdict"]["of"] == "lapsed"
    assert found["audiences"]["vip"]["verdict"] is None
    later = read_status(datetime.fromisoformat(found["at"]) + timedelta(hours=10))
    assert all(each["is_late"] for each in later["audiences"].values())
    assert "applied" not in holdouts("status").out


def test_where_standard_output_is_no_terminal_there_is_no_colour(folder: Path) -> None:
    command = [str(Path(sys.executable).with_name("holdouts")), "status"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "70"}
    )
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 70


def commands(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not hasattr(group, "commands"):
        return [path]
    return [found for name, each in group.commands.items() for found in commands(each, (*path, name))]


EVERY = commands(typer.main.get_command(app))


def test_the_contract_s_commands_are_there() -> None:
    contract = "check plan sync approve load-orders load-spend report status set power lift audit erase demo"
    assert set(contract.split()) <= {path[0] for path in EVERY}


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_help_with_an_example_and_says_how_to_use_it_when_used_wrongly(
    capsys: pytest.CaptureFixture[str], path: tuple[str, ...]
) -> None:
    command = typer.main.get_command(app)
    assert command.main([*path, "--help"], prog_name="holdouts", standalone_mode=False) == 0
    said = capsys.readouterr().out
    assert f"Example: holdouts {' '.join(path)}" in said
    with pytest.raises(SystemExit) as ended:
        command.main([*path, "--no-such-option"], prog_name="holdouts")
    assert ended.value.code == 2
    assert f"Try 'holdouts {' '.join(path)} --help' for help" in capsys.readouterr().err


def test_names_of_audiences_are_completed(folder: Path) -> None:
    assert audience_names("cart") == ["cart-0-4h", "cart-4-24h", "cart-2-7d"]
    assert audience_names("nobody") == []
    command = [str(Path(sys.executable).with_name("holdouts"))]
    asked = {"_HOLDOUTS_COMPLETE": "complete_bash", "COMP_WORDS": "holdouts set br", "COMP_CWORD": "2"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **asked})
    assert done.stdout.split() == ["browse-no-cart"]


def test_without_a_file_there_is_nothing_to_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOLDOUTS_AUDIENCES", str(tmp_path / "none.yaml"))
    assert audience_names("") == []
