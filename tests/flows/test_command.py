"""The command line as a person and a machine meet it: sentences, JSON and the contract's exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Run

from sandbox.world import Sandbox


def test_check_finds_nothing_wrong_with_a_sound_set_up(holdouts: Run) -> None:
    found = holdouts("check")
    assert found.status == 0, found.out
    assert "WRONG" not in found.out
    assert "the first sync makes it" in found.out


def test_plan_changes_nothing_anywhere_and_has_the_contracts_keys(holdouts: Run, box: Sandbox) -> None:
    before = len(box.books().writes)
    found = holdouts("plan", "--json")
    assert found.status == 0
    names = {"name", "hash", "adds", "removes", "held_out", "unusable", "excluded", "claimed", "refusals"}
    assert all(names <= set(each) for each in found.document["audiences"])
    assert len(box.books().writes) == before
    assert holdouts("plan", "--json").document == found.document


def test_sync_applies_the_plan_and_the_next_plan_is_empty(holdouts: Run) -> None:
    planned = holdouts("plan", "--json").document["audiences"]
    assert holdouts("sync").status == 0
    again = holdouts("plan", "--json").document["audiences"]
    assert sum(each["adds"] for each in planned) > 0
    assert all(each["adds"] == each["removes"] == 0 for each in again)


def test_the_whole_weekly_round_runs_without_a_prefect_server(holdouts: Run, folder: Path) -> None:
    for words in (["sync"], ["load-orders"], ["load-spend"]):
        assert holdouts(*words).status == 0, words
    found = holdouts("report", "--json")
    assert found.status == 0, found.err
    assert {each["kind"] for each in found.document["experiments"]} == {"group", "audience", "programme"}
    assert list((folder / "report").glob("*/index.html"))
    listed = found.document["firewall"]["held_out_and_listed"]
    assert set(listed) == set(found.document["suppression"]) > {"cart-0-4h", "lapsed"}
    assert not any(listed.values())
    kinds = [each["kind"] for each in found.document["experiments"]]
    assert [each is None for each in found.document["outlooks"]] == [kind == "programme" for kind in kinds]
    assert holdouts("audit", "arms").status == 0
    status = holdouts("status", "--json").document["audiences"]
    assert status["cart-0-4h"]["holdout_percent"] == 20


def test_a_changed_holdout_is_carried_out_by_the_next_sync(holdouts: Run) -> None:
    holdouts("sync")
    assert holdouts("set", "browse-no-cart", "20%", "--reason", "decide sooner").status == 0
    row = next(
        each for each in holdouts("plan", "--json").document["audiences"] if each["name"] == "browse-no-cart"
    )
    assert row["band"] == row["removes"] > 0
    assert row["adds"] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("set", "nobody", "10", "--reason", "why not"), "'nobody' is no include audience"),
        (("set", "lapsed", "60%", "--reason", "why not"), "more than a holdout may be"),
        (("set", "lapsed", "ten", "--reason", "why not"), "is no percentage"),
        (("set", "lapsed", "10%"), "give a reason"),
        (
            ("lift", "none.csv", "--arm", "a", "--control", "c", "--treatment", "t", "--outcome", "y"),
            "none.csv",
        ),
        (("audit", "arms", "--sql", "cobol"), "no SQL for 'cobol'"),
    ],
)
def test_wrong_use_ends_with_one_sentence_and_status_2(
    holdouts: Run, words: tuple[str, ...], sentence: str
) -> None:
    found = holdouts(*words)
    assert found.status == 2
    assert sentence in found.err
    assert found.err.count("\n") == 1
    assert found.out == ""


def test_a_missing_argument_is_wrong_use(holdouts: Run) -> None:
    assert holdouts("set").status == 2


def test_a_report_before_any_orders_is_refused_and_says_what_to_do(holdouts: Run) -> None:
    found = holdouts("report")
    assert found.status == 1
    assert "holdouts load-orders" in found.err


@pytest.mark.parametrize(
    ("variable", "value", "status", "sentence"),
    [
        ("CUSTOMERIO_APP_KEY", "wrong", 2, "Customer.io"),
        ("CRITEO_CLIENT_SECRET", "wrong", 2, "Criteo"),
        ("CUSTOMERIO_BASE_URL", "http://127.0.0.1:9", 3, "could not be reached"),
        ("CRITEO_API_VERSION", "2025-07", 2, "CRITEO_API_VERSION"),
        ("CUSTOMERIO_BASE_URL", "http://example.com", 2, "https"),
    ],
)
def test_check_says_which_credential_or_address_is_wrong(
    holdouts: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, status: int, sentence: str
) -> None:
    import stamina

    monkeypatch.setenv(variable, value)
    with stamina.set_testing(True, attempts=1):
        found = holdouts("check")
    assert found.status == status, found
    assert sentence in found.out + found.err
    assert "Traceback" not in found.out + found.err


def test_an_unknown_segment_is_named(holdouts: Run, folder: Path) -> None:
    path = folder / "audiences.yaml"
    path.write_text(path.read_text().replace("segment: 11", "segment: 4711"))
    found = holdouts("check")
    assert found.status == 2
    assert "4711" in found.out


def test_a_malformed_audiences_file_is_refused_with_its_line(holdouts: Run, folder: Path) -> None:
    path = folder / "audiences.yaml"
    path.write_text(path.read_text().replace("holdout: 10%", "holdout: 70%", 1))
    line = 1 + path.read_text().splitlines().index("    holdout: 70%")
    found = holdouts("plan")
    assert found.status == 2
    assert f"line {line}" in found.err


def test_a_segment_that_is_still_building_is_refused_and_the_others_go_on(
    holdouts: Run, box: Sandbox
) -> None:
    box.rebuild("lapsed", polls=2)
    found = holdouts("plan", "--json")
    assert found.status == 1
    refused = {each["name"]: each["refusals"] for each in found.document["audiences"] if each["refusals"]}
    assert [each["fuse"] for each in refused["lapsed"]] == ["unfinished"]
    assert list(refused) == ["lapsed"]
    assert holdouts("plan").status in {0, 1}


def test_the_installed_command_answers_and_keeps_json_alone_on_standard_output(folder: Path) -> None:
    command = [str(Path(sys.executable).with_name("holdouts")), "plan", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(done.stdout)["audiences"]


def test_every_command_has_help_with_an_example(holdouts: Run) -> None:
    from flows.command import app

    for command in app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        found = holdouts(name, "--help")
        assert found.status == 0
        assert f"holdouts {name}" in found.out
