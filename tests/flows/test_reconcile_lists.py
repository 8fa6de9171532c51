"""The nightly count as a person, a machine and an automation meet it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from command_line import Run

from flows import announcements
from flows.reconcile_lists import reconcile_lists
from flows.sync_audiences import sync_audiences
from sandbox.world import Sandbox


def spoil(box: Sandbox, name: str) -> None:
    """Somebody takes half of a list off in Criteo's interface."""
    segment = box.market.account.list_named(name)
    assert segment is not None
    assert segment.contacts is not None
    half = sorted(segment.contacts.members)[::2]
    segment.contacts.amend("remove", half, "email")
    segment.contacts.settle(box.clock.epoch(), late_counts=False)


def test_a_drifted_list_fails_the_audit_with_its_cause_and_a_refresh_mends_it(
    holdouts: Run, box: Sandbox
) -> None:
    sync_audiences.fn(now=box.clock.now() - timedelta(days=60))
    fine = holdouts("audit", "reconcile", "--json")
    assert (fine.status, fine.document["drifted"]) == (0, 0), fine.out
    assert {each["verdict"] for each in fine.document["lists"]} == {"agrees"}

    spoil(box, "lapsed")
    found = holdouts("audit", "reconcile")
    assert found.status == 1
    assert "lapsed: Criteo counts" in found.out
    assert 'holdouts sync --refresh "lapsed"' in found.out
    status = holdouts("status")
    assert "too few" in status.out
    assert holdouts("status", "--json").document["audiences"]["lapsed"]["list_check"]["verdict"] == "missing"

    asked = holdouts("sync", "--refresh", "lapsed")
    assert asked.status == 0, asked.err
    assert "the new list took the place of the old one; the old list was emptied and deleted" in asked.out
    mended = holdouts("audit", "reconcile", "--json")
    assert mended.status == 0, mended.out
    assert sum(each["criteo"] != each["ledger"] for each in mended.document["lists"]) == 0


def test_what_drifted_is_announced_once(box: Sandbox, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(
        announcements, "list_drifted", lambda name, sentence, _: told.append((name, sentence))
    )
    at = box.clock.now()
    sync_audiences.fn(now=at)
    reconcile_lists.fn(now=at + timedelta(days=3))
    assert told == []
    spoil(box, "lapsed")
    reconcile_lists.fn(now=at + timedelta(days=4))
    reconcile_lists.fn(now=at + timedelta(days=5))
    assert [name for name, _ in told] == ["lapsed"]


def test_a_refresh_of_nobody_is_wrong_use(holdouts: Run) -> None:
    found = holdouts("sync", "--refresh", "nobody")
    assert found.status == 2
    assert "'nobody' is no audience; choose one of" in found.err
    assert found.out == ""


def test_before_the_first_sync_there_is_nothing_to_compare_or_to_refresh(holdouts: Run) -> None:
    assert holdouts("audit", "reconcile").status == 0
    found = holdouts("sync", "--refresh", "lapsed")
    assert found.status == 2
    assert "run `holdouts sync` first" in found.err


def test_where_criteo_does_not_answer_the_audit_ends_with_status_3(holdouts: Run, box: Sandbox) -> None:
    import stamina

    holdouts("sync")
    box.faults.add("criteo", "/statistics", kind="status", times=99)
    with stamina.set_testing(True, attempts=2):
        assert holdouts("audit", "reconcile").status == 3
