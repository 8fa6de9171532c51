"""Previewing, planning, drawing anew and auditing holdouts from the command line."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import Run
from sqlalchemy import create_engine, select

from experiments.identity import unit
from experiments.schema import holdout_changes
from flows.load_orders import load_orders_flow
from flows.plan_holdouts import plan_holdouts, power_text
from flows.sync_audiences import sync_audiences
from sandbox.world import Sandbox


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def measured(holdouts: Run) -> None:
    for words in (["sync"], ["load-orders"], ["load-spend"], ["report"]):
        assert holdouts(*words).status == 0, words


def log_of(folder: Path) -> list[Any]:
    engine = create_engine(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with engine.connect() as connection:
        rows = connection.execute(select(holdout_changes).order_by(holdout_changes.c.id)).all()
    engine.dispose()
    return list(rows)


def test_a_preview_says_what_the_next_sync_does_and_changes_nothing(holdouts: Run, folder: Path) -> None:
    holdouts("sync")
    before = log_of(folder)
    found = holdouts("set", "browse-no-cart", "20%", "--preview", "--json").document
    assert log_of(folder) == before
    assert (found["from_percent"], found["to_percent"]) == (10, 20)
    assert found["keeps_earlier_data"] is True
    assert found["weekly"] is None
    holdouts("set", "browse-no-cart", "20%", "--reason", "decide sooner")
    planned = holdouts("plan", "--json").document["audiences"]
    row = next(each for each in planned if each["name"] == "browse-no-cart")
    assert found["moves"]["off"] == row["band"] > 0


def test_a_preview_of_a_smaller_holdout_counts_who_comes_back(holdouts: Run) -> None:
    holdouts("sync")
    found = holdouts("set", "lapsed", "3%", "--preview", "--json").document
    holdouts("set", "lapsed", "3%", "--reason", "decided")
    planned = holdouts("plan", "--json").document["audiences"]
    row = next(each for each in planned if each["name"] == "lapsed")
    assert found["moves"]["back"] == row["adds"] > 0
    assert found["moves"]["off"] == 0


def test_a_preview_after_a_report_says_what_a_week_costs_and_when_it_answers(
    holdouts: Run, box: Sandbox
) -> None:
    holdouts("sync")
    box.advance(24 * 4)
    measured(holdouts)
    box.advance(24)
    holdouts("sync")
    found = holdouts("set", "cart-0-4h", "30%", "--preview")
    assert found.status == 0
    assert "from 20 % to 30 %; nothing is changed yet" in found.out
    for word in ("who moves: ", "a week: ", "the answer: ", "earlier data: they stay in the estimate"):
        assert word in found.out
    assert "other windows of its group hold out another share (cart-4-24h 20 %, cart-2-7d 20 %)" in found.out
    document = holdouts("set", "universal", "5%", "--preview", "--json").document
    assert document["others"] == {}
    assert document["moves"]["off"] > 0
    assert document["measured_at"] is not None


def test_a_preview_for_no_audience_is_wrong_use(holdouts: Run) -> None:
    found = holdouts("set", "nobody", "20%", "--preview")
    assert found.status == 2
    assert "is no include audience" in found.err


def test_power_answers_without_a_ledger(holdouts: Run) -> None:
    words = ("power", "--entrants-per-week", "871914.6", "--conversion", "1%", "--holdout", "10%", "--json")
    found = holdouts(*words).document
    assert found["weeks_needed"] == pytest.approx(1.75, rel=1e-5)
    assert found["detectable"][0]["fixed"] == pytest.approx(0.1, rel=0.03)
    assert found["smallest_holdout"]["fixed"] < found["smallest_holdout"]["always_valid"] < 0.1
    text = holdouts("power", "--entrants-per-week", "20000", "--lift", "20%").out
    assert "a lift of 20% shows after" in text


def test_power_without_a_holdout_or_a_rate_is_wrong_use(holdouts: Run) -> None:
    for words in (("--holdout", "0%"), ("--conversion", "0%"), ("--conversion", "95%")):
        found = holdouts("power", "--entrants-per-week", "1000", *words)
        assert (found.status, found.out) == (2, "")


def test_power_before_any_orders_says_what_to_do(holdouts: Run) -> None:
    holdouts("sync")
    found = holdouts("power")
    assert found.status == 1
    assert "load-orders" in found.err
    assert "--entrants-per-week" in found.err


def test_power_recommends_from_the_audience_s_own_history(holdouts: Run, box: Sandbox) -> None:
    for days in (2, 2, 15):
        sync_audiences.fn(now=box.clock.now())
        box.advance(24 * days)
    load_orders_flow.fn(now=box.clock.now())
    found = plan_holdouts.fn(lift_percent=20, budget=10, now=box.clock.now())
    assert {each["name"] for each in found["experiments"]} | set(found["unknown"]) == {
        "cart",
        "browse-no-cart",
        "lapsed",
    }
    cart = next(each for each in found["experiments"] if each["name"] == "cart")
    assert cart["entrants_per_week"] > 0
    assert cart["audiences"] == ["cart-0-4h", "cart-4-24h", "cart-2-7d"]
    assert 0 <= sum(max(0.0, each["price_a_week"]["estimate"] or 0) for each in found["experiments"]) <= 10
    priced = [each for each in found["experiments"] if each["recommended"]]
    assert all(each["price_a_week"]["by"] == "as if ads added 20%" for each in priced)
    text = power_text(found)
    assert "smallest lift that shows" in text
    assert "for 20% within 13 weeks, hold out" in text


def test_drawing_anew_asks_twice_and_gives_the_whole_group_a_new_salt(
    holdouts: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holdouts("sync")
    answers(monkeypatch, "y", "cart")
    found = holdouts("rerandomise", "cart", "--reason", "a leak in the shop's own mailing", "--json")
    assert found.status == 0
    assert found.document["audiences"] == ["cart-0-4h", "cart-4-24h", "cart-2-7d"]
    assert "drawn anew" in found.err
    rows = [row for row in log_of(folder) if row.salt_number]
    assert {(row.holdout_group, row.salt_number, row.from_ppm == row.to_ppm) for row in rows} == {
        ("cart", 1, True)
    }
    holdouts("sync")
    assert holdouts("audit", "arms").status == 0
    assert holdouts("audit", "firewall", "--json").document["held_out_and_listed"]["cart-2-7d"] == 0


@pytest.mark.parametrize("said", [("n",), ("y", "browse"), ("y", ""), ()])
def test_whoever_does_not_say_yes_twice_draws_nothing(
    holdouts: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...]
) -> None:
    holdouts("status")
    answers(monkeypatch, *said)
    assert holdouts("rerandomise", "cart", "--reason", "a leak").status == 1
    assert not [row for row in log_of(folder) if row.salt_number]


def test_drawing_anew_needs_a_group_and_a_reason(holdouts: Run) -> None:
    assert holdouts("rerandomise", "nobody", "--reason", "a leak").status == 2
    assert holdouts("rerandomise", "cart", "--reason", "x").status == 2
    assert holdouts("rerandomise", "cart").status == 2


def test_a_person_s_arms_are_told_and_the_person_is_not(
    holdouts: Run, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    holdouts("sync")
    holdouts("set", "lapsed", "50%", "--reason", "decide sooner")
    holdouts("sync")
    email = next(
        mail for mail in box.market.people.emails if bytes.fromhex(unit(mail)) in box.members("lapsed")
    )
    answers(monkeypatch, f"  {email.upper()} ")
    found = holdouts("audit", "unit", "--json")
    assert found.status == 0
    rows = [row for row in found.document if row["audience"] == "lapsed"]
    assert [row["phase"] for row in rows] == [1, 2]
    assert all(
        row["arm"] in ("holdout", "treatment") and row["salt"].startswith("holdout:v1:") for row in rows
    )
    assert rows[0]["until"] == rows[1]["from"]
    assert rows[1]["until"] == "now"
    everything = found.out + found.err
    assert email not in everything
    assert unit(email) not in everything
    answers(monkeypatch, email)
    assert "held out by the group" in (text := holdouts("audit", "unit").out) or "treatment" in text


def test_what_is_no_e_mail_is_refused_without_repeating_it(
    holdouts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in ("not an e-mail", ""):
        answers(monkeypatch, line)
        found = holdouts("audit", "unit")
        assert found.status == 2
        assert "no e-mail address" in found.err
        assert "not an e-mail" not in found.err


def test_check_shows_overlaps_and_what_a_difference_in_a_group_does(holdouts: Run) -> None:
    holdouts("sync")
    holdouts("set", "cart-2-7d", "10%", "--reason", "another share")
    found = holdouts("check")
    assert found.status == 0
    assert "holdout group cart: its audiences hold out different shares" in found.out
    assert "people entered both" in found.out
