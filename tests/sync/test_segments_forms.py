"""What people are sent as is read from their profiles, in every kind of workspace."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from experiments.identifiers import SHA256, Form
from sandbox.world import Sandbox, Switches
from sync.customerio import CustomerIO
from sync.limits import Unlimited
from sync.segments import read_membership

PHONE = Form("madid", "advertising_id")


@pytest.mark.parametrize("workspace", ["email_or_id", "id_only"])
def test_phones_are_read_from_the_profiles_of_people_with_an_email(tmp_path: Path, workspace: str) -> None:
    switches = Switches(customerio_rps=None, workspace=workspace, app_share=0.5)  # type: ignore[arg-type]
    start = datetime(2026, 9, 7, tzinfo=UTC)
    with Sandbox.start(
        profiles=1_500, start=start, orders_path=tmp_path / "shop.sqlite", switches=switches
    ) as box:
        customerio = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
        found = read_membership(customerio, box.segment_ids["refund-risk"], (SHA256, PHONE))
        usual = read_membership(customerio, box.segment_ids["refund-risk"])
        customerio.close()
        people = box.market.people
        phones = {people.units[person]: phone for person, phone in people.devices.items()}
    assert found.units == usual.units
    assert not usual.identifiers
    entries = found.identifiers.by_form["madid"]
    read = {unit.tobytes(): text for unit, text in zip(entries.units, entries.texts, strict=True)}
    assert read == {unit: phones[unit] for unit in found.units if unit in phones}
    assert read
