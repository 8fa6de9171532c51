"""A shop sends people as phones and as old hashes, changes its mind, and nobody held out is ever reached."""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Run
from prefect_server import PrefectServer

from flows.sync_audiences import sync_audiences
from sandbox.world import Sandbox, Switches

BOTH = "[md5, {type: madid, attribute: advertising_id}]"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    switches = Switches(customerio_rps=None, criteo_per_minute=None, app_share=0.5)
    with Sandbox.start(
        profiles=2_000,
        start=datetime(2026, 9, 7, tzinfo=UTC),
        orders_path=tmp_path / "shop.sqlite",
        switches=switches,
    ) as box:
        box.advance(24 * 7)
        yield box


def ask_for(folder: Path, identifier: str) -> None:
    path = folder / "audiences.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("identifier:")]
    at = next(at for at, line in enumerate(lines) if line.startswith("currency:"))
    path.write_text("\n".join([*lines[:at], f"identifier: {identifier}", *lines[at:]]) + "\n")


def on(box: Sandbox, name: str) -> set[str]:
    """The identifiers on a list, as Criteo got them."""
    lists = box.market.account.segments.values()
    return next(set(each.contacts.members) for each in lists if each.name == name and each.contacts)


def held_out(box: Sandbox, group: str, percent: int) -> set[bytes]:
    """The contract's rule, written out again."""

    def bucket(salt: str, unit: bytes) -> int:
        return int(hashlib.sha256(f"{salt}|{unit.hex()}".encode()).hexdigest()[:8], 16)

    return {
        unit
        for unit in box.market.people.units
        if bucket(f"holdout:v1:{group}:s0", unit) < percent * 2**32 // 100
        or bucket("holdout:v1:universal:s0", unit) < 2 * 2**32 // 100
    }


def test_people_are_sent_as_what_the_file_says_and_never_who_is_held_out(
    holdouts: Run, box: Sandbox, folder: Path
) -> None:
    ask_for(folder, BOTH)
    assert holdouts("sync").status == 0
    books, kept_out = box.books(), held_out(box, "browse-no-cart", 10)
    assert books.now_on("browse-no-cart")
    assert not books.ever_on("browse-no-cart") & kept_out
    assert kept_out & books.now_on("holdout · browse-no-cart")
    lengths = {len(each) for each in on(box, "browse-no-cart")}
    assert lengths == {32, 36}, "MD5 and phones"
    for words in (["audit", "arms"], ["sync"]):
        assert holdouts(*words).status == 0
    plan = holdouts("plan", "--json").document["audiences"]
    assert {(each["adds"], each["removes"]) for each in plan} == {(0, 0)}


def test_a_list_goes_back_to_sha256_and_no_old_identifier_stays(
    holdouts: Run, box: Sandbox, folder: Path
) -> None:
    ask_for(folder, BOTH)
    assert holdouts("sync").status == 0
    before = box.books().now_on("browse-no-cart")
    ask_for(folder, "sha256")
    assert holdouts("sync").status == 0
    assert {len(each) for each in on(box, "browse-no-cart")} == {64}
    assert before <= box.books().now_on("browse-no-cart"), "a hash made elsewhere has no MD5 and comes now"
    for name in box.books().list_names():
        assert {len(each) for each in on(box, name)} <= {64}, name


def test_an_erased_person_leaves_as_phone_and_as_hash(
    holdouts: Run, box: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_for(folder, BOTH)
    assert holdouts("sync").status == 0
    people = box.market.people
    listed = on(box, "browse-no-cart")
    person = next(person for person, phone in people.devices.items() if phone in listed)
    md5 = hashlib.md5(people.emails[person].encode(), usedforsecurity=False).hexdigest()
    assert md5 in listed
    monkeypatch.setattr(sys, "stdin", io.StringIO(people.emails[person] + "\n"))
    assert holdouts("erase").status == 0
    assert holdouts("sync").status == 0
    assert not {md5, people.devices[person]} & on(box, "browse-no-cart")


def test_the_audit_counts_people_without_the_identifier_that_the_file_asks_for(
    holdouts: Run, folder: Path
) -> None:
    ask_for(folder, "{type: madid, attribute: advertising_id}")
    found = holdouts("audit", "identity", "--json").document["audiences"]
    planned = {each["name"]: each for each in holdouts("plan", "--json").document["audiences"]}
    for each in found:
        assert each["unusable"] == sum(planned[each["name"]]["unusable"].values())
    browsers = next(each for each in found if each["name"] == "browse-no-cart")
    assert 0.3 < browsers["no_identifier"] / (browsers["no_identifier"] + browsers["people"]) < 0.7
    buyers = next(each for each in found if each["name"] == "recent-purchasers")
    assert buyers["no_identifier"] == 0, "whoever is to be excluded is excluded without a phone too"


def test_check_says_how_many_profiles_have_the_attribute(holdouts: Run, folder: Path) -> None:
    ask_for(folder, BOTH)
    found = holdouts("check")
    assert found.status == 0
    assert "profiles looked at have the attribute 'advertising_id'" in found.out
    ask_for(folder, "[sha256, {type: madid, attribute: advertisng_id}]")
    misspelt = holdouts("check").out.splitlines()
    (noted, *_) = [line for line in misspelt if "'advertisng_id'" in line]
    assert noted.startswith("note")
    assert ": 0 of " in noted


@pytest.mark.server
def test_no_email_in_clear_and_no_phone_is_in_prefect_s_database_or_in_what_is_said(
    in_process: PrefectServer, box: Sandbox, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ask_for(folder, "[plain, {type: madid, attribute: advertising_id}]")
    with caplog.at_level("DEBUG"):
        for kind in ("cut-body", "drop-after"):
            box.faults.add("criteo", "/contact-list", kind=kind)  # type: ignore[arg-type]  # a parameter
            sync_audiences()
    phones, emails = set(box.market.people.devices.values()), set(box.market.people.emails)
    assert phones & on(box, "browse-no-cart"), "something was sent"
    files = [each for each in in_process.home.iterdir() if each.name.startswith("prefect.db")]
    said = b"".join(each.read_bytes() for each in files)
    said += "".join(record.getMessage() + repr(record.args) for record in caplog.records).encode()
    assert b"sync-audiences" in said, "the runs are on the server"
    assert not [each for each in (*phones, *emails) if each.encode() in said]
