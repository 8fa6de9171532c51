"""Segments are read once a run, however many audiences rest on them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from programmes import include
from pydantic import SecretStr

from sandbox.world import Sandbox, Switches
from sync.customerio import CustomerIO
from sync.gathering import read_memberships
from sync.limits import Unlimited
from sync.transport import Patience


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox.start(
        profiles=400,
        start=datetime(2026, 9, 7, tzinfo=UTC),
        orders_path=tmp_path / "shop.sqlite",
        switches=Switches(customerio_rps=None),
    ) as box:
        yield box


@pytest.fixture
def customerio(box: Sandbox) -> Iterator[CustomerIO]:
    client = CustomerIO(
        box.customerio_url, SecretStr(box.app_key), Unlimited(), patience=Patience(attempts=1)
    )
    yield client
    client.close()


def test_two_audiences_of_one_segment_ask_for_it_once(box: Sandbox, customerio: CustomerIO) -> None:
    segment = box.segment_ids["vip"]
    one, _ = read_memberships(customerio, [include("one", segment)])
    asked = len(box.arrivals["customerio"])
    both, _ = read_memberships(customerio, [include("one", segment), include("two", segment)])
    assert len(box.arrivals["customerio"]) == 2 * asked
    assert both["one"].units == both["two"].units == one["one"].units
    assert len(both["two"].units)


def test_they_fail_together_and_the_others_are_read(box: Sandbox, customerio: CustomerIO) -> None:
    segment, other = box.segment_ids["vip"], box.segment_ids["refund-risk"]
    box.faults.add("customerio", f"/segments/{segment}$", kind="status", times=1)
    found, failures = read_memberships(
        customerio, [include("one", segment), include("other", other), include("two", segment)]
    )
    assert set(found) == {"other"}
    assert set(failures) == {"one", "two"}


def test_a_segment_that_is_being_built_is_unfinished_for_both(box: Sandbox, customerio: CustomerIO) -> None:
    box.rebuild("vip", 9)
    segment = box.segment_ids["vip"]
    found, _ = read_memberships(customerio, [include("one", segment), include("two", segment)])
    assert not any(each.finished for each in found.values())
