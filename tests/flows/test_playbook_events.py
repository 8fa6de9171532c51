"""A severe finding of the nightly check is announced once, and again when it comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from notices import wait_for
from prefect_server import PrefectServer

from flows.check_playbook import check_playbook

pytestmark = pytest.mark.server
CLOCK = "criteo: {processing: [], delay: 0h}"
NIGHT = datetime(2026, 9, 14, 4, 15, tzinfo=UTC)


@pytest.fixture
def announced(folder: Path, in_process: PrefectServer) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        wanted = {"filter": {"event": {"name": ["holdouts.finding.new"]}}, "limit": 50}
        events = in_process.post("/events/filter", wanted)["events"]
        return [each for each in events if each["payload"]["code"] == "timing.unreachable"]

    return read


def edit(folder: Path, before: str, after: str) -> None:
    file = folder / "audiences.yaml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def test_a_severe_finding_is_announced_once_and_again_once_its_acceptance_is_over(
    folder: Path, announced: Callable[[], list[dict[str, Any]]]
) -> None:
    seen = len(announced())
    check_playbook(now=NIGHT)
    edit(folder, CLOCK, "criteo: {}")
    nights = (NIGHT + timedelta(days=at) for at in range(1, 9))
    check_playbook(now=next(nights))
    wait_for(lambda: len(announced()) == seen + 1)
    event = announced()[0]
    assert event["resource"]["prefect.resource.id"] == "holdouts.audience.cart-0-4h"
    assert event["payload"]["sentence"].startswith("of the people in its 4 h, 0% can be advertised to")

    check_playbook(now=next(nights))
    over = next(nights)
    until = date(over.year, over.month, over.day)
    accepted = f"accepted:\n  - {{code: timing.unreachable, reason: e-mail does it, until: {until}}}"
    edit(folder, "accepted:", accepted)
    check_playbook(now=over)
    told = check_playbook(now=next(nights))
    wait_for(lambda: len(announced()) == seen + 2)
    assert len(announced()) == seen + 2
    (found,) = (each for each in told["findings"] if each["code"] == "timing.unreachable")
    assert "accepted until 2026-09-17, which is over (e-mail does it)" in found["what_to_do"]
