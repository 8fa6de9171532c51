"""`holdouts status` shows sizes at each step from segment to match, and how long people waited."""

import time
from statistics import median

from command_line import Run

from flows.playbook_ledger import read_ledger
from flows.session import open_session
from flows.status import status_text
from sandbox.world import Sandbox


def test_sizes_and_delays_of_the_last_sync_are_told(holdouts: Run, box: Sandbox) -> None:
    assert holdouts("sync").status == 0
    found = holdouts("status", "--json").document["audiences"]
    cart = found["cart-0-4h"]
    assert cart["members"] >= cart["units"] >= cart["pushed"] >= cart["matches"] > 0
    assert cart["pushed"] == cart["identifiers"]
    assert 0 <= cart["delay_p50"] <= cart["delay_p95"] < 300
    assert found["recent-purchasers"]["delay_p95"] is None, "nobody enters an exclusion"
    assert f"{cart['delay_p95']} s" in status_text({"audiences": {"cart-0-4h": cart}})


def test_long_waits_are_told_in_minutes_and_hours(holdouts: Run) -> None:
    holdouts("sync")
    found = holdouts("status", "--json").document["audiences"]["lapsed"]
    told = {
        wait: status_text({"audiences": {"a": found | {"delay_p95": wait}}}) for wait in (119, 600, 14_400)
    }
    assert ["119 s" in told[119], "10 min" in told[600], "4 h" in told[14_400]] == [True] * 3


def test_the_playbook_reads_how_long_a_push_takes(holdouts: Run, box: Sandbox) -> None:
    holdouts("sync")
    told = holdouts("status", "--json").document["audiences"].values()
    waits = [each["delay_p95"] for each in told if each["delay_p95"] is not None]
    with open_session() as session:
        push = read_ledger(session.engine, session.programme, int(time.time()) + 60).push
    assert waits
    assert push == int(median(waits))
