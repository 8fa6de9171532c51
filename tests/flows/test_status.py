"""`holdouts status` shows sizes at each step from segment to match, and how long people waited."""

import time
from statistics import median

from command_line import Run

from flows.playbook_ledger import read_ledger
from flows.session import open_session
from sandbox.world import Sandbox


def test_sizes_and_delays_of_the_last_sync_are_told(holdouts: Run, box: Sandbox) -> None:
    assert holdouts("sync").status == 0
    found = holdouts("status", "--json").document["audiences"]
    cart = found["cart-0-4h"]
    assert cart["members"] >= cart["units"] >= cart["pushed"] >= cart["matches"] > 0
    assert cart["pushed"] == cart["identifiers"]
    assert 0 <= cart["delay_p50"] <= cart["delay_p95"] < 300
    assert found["recent-purchasers"]["delay_p95"] is None, "nobody enters an exclusion"
    assert f"95 % within {cart['delay_p95']} s" in " ".join(holdouts("status").out.split())


def test_the_playbook_reads_how_long_a_push_takes(holdouts: Run, box: Sandbox) -> None:
    holdouts("sync")
    told = holdouts("status", "--json").document["audiences"].values()
    waits = [each["delay_p95"] for each in told if each["delay_p95"] is not None]
    with open_session() as session:
        push = read_ledger(session.engine, session.programme, int(time.time()) + 60).push
    assert waits
    assert push == int(median(waits))
