"""A segment is read whole or not at all, in every kind of workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from sandbox.world import Sandbox, Switches
from sync.customerio import CustomerIO
from sync.limits import Unlimited
from sync.plan import Membership
from sync.segments import read_membership


def _read(
    folder: Path, switches: Switches, segment: str = "refund-risk"
) -> tuple[Membership, frozenset[bytes]]:
    start = datetime(2026, 9, 7, tzinfo=UTC)
    with Sandbox.start(
        profiles=1_500, start=start, orders_path=folder / "shop.sqlite", switches=switches
    ) as box:
        customerio = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
        try:
            return read_membership(customerio, box.segment_ids[segment]), box.members(segment)
        finally:
            customerio.close()


@pytest.mark.parametrize("workspace", ["email_or_id", "id_only"])
def test_the_same_people_are_found_whether_or_not_pages_carry_their_emails(
    tmp_path: Path, workspace: str
) -> None:
    found, _ = _read(tmp_path, Switches(customerio_rps=None, workspace=workspace))  # type: ignore[arg-type]
    usual, members = _read(tmp_path, Switches(customerio_rps=None))
    assert found.units == usual.units
    assert set(found.units) <= members
    assert found.unusable == usual.unusable
    assert found.profiles == found.reported


def test_a_segment_that_is_being_built_is_not_read(tmp_path: Path) -> None:
    found, _ = _read(tmp_path, Switches(customerio_rps=None, building_polls=3))
    assert not found.finished
    assert found.profiles == 0


@pytest.mark.parametrize(
    "switches",
    [
        Switches(customerio_rps=None, last_next="missing"),
        Switches(customerio_rps=None, trailing_empty_page=True),
    ],
)
def test_the_end_of_the_pages_is_seen_however_it_is_said(tmp_path: Path, switches: Switches) -> None:
    found, _ = _read(tmp_path, switches)
    assert found.profiles == found.reported
