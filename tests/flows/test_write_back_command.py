"""Writing back as the data engineer meets it: off by default, a helpful sentence, and the lists first."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Run
from pydantic import SecretStr

from sandbox.world import Sandbox
from sync.customerio import CustomerIO
from sync.limits import Unlimited


@pytest.fixture
def credentials(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMERIO_TRACK_SITE_ID", box.track_site_id)
    monkeypatch.setenv("CUSTOMERIO_TRACK_API_KEY", box.track_api_key)


@pytest.fixture(autouse=True)
def asked_for(folder: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUSTOMERIO_TRACK_SITE_ID", "CUSTOMERIO_TRACK_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUSTOMERIO_TRACK_BASE_URL", box.customerio_url)
    ask_for(folder, "groups:\n  cart: {write_back: attribute}\n  lapsed: {write_back: segment}\n")


def ask_for(folder: Path, groups: str) -> None:
    file = folder / "audiences.yaml"
    file.write_text(file.read_text().partition("\ngroups:")[0] + "\n" + groups)


def marked(box: Sandbox, attribute: str) -> int:
    client = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
    found = len(list(client.people_with(attribute, "yes")))
    client.close()
    return found


def manual_segments(box: Sandbox) -> dict[str, int]:
    client = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
    found = {each.name: client.customer_count(each.id) for each in client.segments() if each.type == "manual"}
    client.close()
    return found


def test_a_sync_tells_customer_io_who_is_held_out_of_each_group_that_asks(
    holdouts: Run, box: Sandbox, credentials: None
) -> None:
    assert holdouts("sync").status == 0
    assert marked(box, "criteo_holdout_cart") > 10
    assert manual_segments(box)["Held out of Criteo ads: lapsed"] > 0
    assert marked(box, "criteo_holdout_lapsed") == 0


def test_without_being_asked_nothing_is_written(
    holdouts: Run, folder: Path, box: Sandbox, credentials: None
) -> None:
    ask_for(folder, "")
    assert holdouts("sync").status == 0
    assert (marked(box, "criteo_holdout_cart"), manual_segments(box)) == (0, {})


def test_a_dry_run_writes_nothing(holdouts: Run, box: Sandbox, credentials: None) -> None:
    assert holdouts("plan").status == 0
    assert (marked(box, "criteo_holdout_cart"), manual_segments(box)) == (0, {})


def test_without_the_credential_the_lists_are_synced_and_the_sentence_says_what_to_do(
    holdouts: Run, box: Sandbox
) -> None:
    found = holdouts("sync")
    assert found.status == 2
    assert "CUSTOMERIO_TRACK_SITE_ID is not set, and write_back of cart, lapsed" in found.err
    assert "(the lists were synced)" in found.err
    assert found.err.count("\n") == 1
    assert box.books().writes
    assert holdouts("check").status == 2
    assert "CUSTOMERIO_TRACK_SITE_ID is not set" in holdouts("check").out


def test_check_says_that_the_track_key_works(holdouts: Run, credentials: None) -> None:
    found = holdouts("check")
    assert found.status == 0, found.out
    assert "Customer.io Track: the key works (us) for write_back of cart, lapsed" in found.out


def test_a_group_that_fails_leaves_the_others_served(
    holdouts: Run, box: Sandbox, credentials: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.faults.add("customerio", "/api/v2/batch", kind="status", status=400, times=50)
    found = holdouts("sync")
    assert found.status == 2
    assert "Track API did not accept the request" in found.err
    assert manual_segments(box)["Held out of Criteo ads: lapsed"] > 0


def test_a_refused_audience_leaves_the_marks_of_its_group(
    holdouts: Run, folder: Path, box: Sandbox, credentials: None
) -> None:
    holdouts("sync")
    before = marked(box, "criteo_holdout_cart")
    file = folder / "audiences.yaml"
    emptied = str(box.segment_ids["vip"])
    text = file.read_text()
    swapped = text.replace(f"segment: {box.segment_ids['cart-2-7d']}", f"segment: {emptied}")
    assert swapped != text
    file.write_text(swapped)
    assert holdouts("sync").status == 1
    assert marked(box, "criteo_holdout_cart") == before
