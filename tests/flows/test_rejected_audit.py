"""`holdouts audit rejected` names profiles, changes no list, and adds nobody who is held out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from command_line import Run
from sqlalchemy import func, select

from experiments.database import connect, reading
from experiments.digests import DigestSet
from experiments.schema import requests
from sandbox.contact_lists import is_rejected
from sandbox.people import digest
from sandbox.world import Sandbox, Switches
from sync import pushes
from sync.lists import list_named

SHARE = 0.04


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    switches = Switches(customerio_rps=None, criteo_per_minute=None, reject_share=SHARE, samples=1)
    with Sandbox.start(
        profiles=3_000,
        start=datetime(2026, 9, 7, tzinfo=UTC),
        orders_path=tmp_path / "shop.sqlite",
        switches=switches,
    ) as box:
        box.advance(24 * 7)
        yield box


def should_be_named(box: Sandbox, name: str, planned: frozenset[bytes]) -> set[str]:
    """Profiles of the segment whose identifier Criteo rejects, among the people who were to stand in the list."""
    segment = box.workspace.segments[box.segment_ids[name]]
    profiles = [box.workspace.profiles[index] for index in box.workspace.members(segment)]
    usable = [each for each in profiles if each.email and "@" in each.email]
    return {
        each.cio_id
        for each in usable
        if digest(each.email or "") in planned and is_rejected(digest(each.email or "").hex(), SHARE)
    }


def people_planned(folder: Path) -> frozenset[bytes]:
    """Whom the ledger sent for the audience."""
    engine = connect(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with reading(engine) as connection:
        known = list_named(connection, "browse-no-cart")
        assert known is not None
        held = frozenset(pushes.holding(connection, known.id).surely)
    engine.dispose()
    return held


def test_every_profile_that_criteo_rejects_is_named_and_the_list_is_as_it_was(
    holdouts: Run, box: Sandbox, folder: Path
) -> None:
    synced = holdouts("sync")
    assert "browse-no-cart: Criteo rejected " in synced.out
    assert "browse-no-cart: Criteo rejected " in holdouts("status").out
    before = box.books()
    planned = people_planned(folder)
    found = holdouts("audit", "rejected", "browse-no-cart", "--json")
    after = box.books()
    assert found.status == 1
    for name in before.list_names():
        assert before.now_on(name) == after.now_on(name)
        assert before.ever_on(name) == after.ever_on(name)
    document = found.document
    named = {each["profile"] for each in document["profiles"]}
    assert named == should_be_named(box, "browse-no-cart", planned)
    assert document["unfound"] == 0
    assert document["rejected"] == document["rejected_in_syncs"] > 2
    assert document["requests"] > 1
    text = holdouts("audit", "rejected", "browse-no-cart")
    assert "@" not in found.out + text.out + text.err
    assert "0 requests made" in text.out, "what is known is not searched for again"


def test_a_search_that_may_make_few_requests_says_what_is_left(holdouts: Run) -> None:
    holdouts("sync")
    found = holdouts("audit", "rejected", "browse-no-cart", "--requests", "1", "--json")
    assert found.status == 1
    assert found.document["unfound"] > 0
    assert found.document["requests"] == 1


def test_nothing_is_added_before_a_changed_holdout_is_synced(holdouts: Run, box: Sandbox) -> None:
    holdouts("sync")
    holdouts("set", "browse-no-cart", "40%", "--reason", "decide sooner")
    writes = len(box.market.writes)
    found = holdouts("audit", "rejected", "browse-no-cart")
    assert found.status == 1
    assert "run `holdouts sync` first" in found.err
    assert len(box.market.writes) == writes


def test_an_audience_without_a_list_is_told_to_sync_first(holdouts: Run) -> None:
    found = holdouts("audit", "rejected", "lapsed")
    assert found.status == 1
    assert "no list in Criteo yet" in found.err
    assert holdouts("audit", "rejected", "nobody").status == 2


def test_only_people_who_stay_on_the_list_are_added_again(holdouts: Run, box: Sandbox, folder: Path) -> None:
    holdouts("sync")
    on_list = people_planned(folder)
    box.advance(24)
    stays = frozenset(box.members("browse-no-cart")) & on_list
    assert on_list - stays, "somebody has left meanwhile"
    engine = connect(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with reading(engine) as connection:
        newest = connection.scalar(select(func.max(requests.c.id)))
    assert holdouts("audit", "rejected", "browse-no-cart").status == 1
    with reading(engine) as connection:
        sent = connection.scalars(select(requests.c.digests).where(requests.c.id > newest)).all()
    engine.dispose()
    assert sent
    assert frozenset(DigestSet.unpack(b"".join(map(bytes, sent)))) <= stays
