"""A refresh in a world where Criteo takes changes over at midnight and noon and shows them five hours later.

What the ads reach is read from the sandbox's own books each hour, not from what the product believes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import UNLIMITED

from experiments.database import connect, reading
from experiments.errors import Refused
from experiments.ledger import current_phase, entrants_of
from flows.demo_shop import audiences_yaml
from flows.sync_audiences import sync_audiences
from sandbox.world import Sandbox
from sync.lists import lists_named

BATCHES = replace(UNLIMITED, processing="batch", late_counts=True, match_share=1.0)
AUDIENCE = "lapsed"


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    orders = tmp_path / "shop.sqlite"
    start = datetime(2026, 9, 7, tzinfo=UTC)
    with Sandbox.start(profiles=3_000, start=start, orders_path=orders, switches=BATCHES) as box:
        text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, orders)
        text = text.replace("criteo: {processing: [], delay: 0h}", "criteo: {}")
        (tmp_path / "audiences.yaml").write_text(text)
        environment = {
            "HOLDOUTS_AUDIENCES": str(tmp_path / "audiences.yaml"),
            "HOLDOUTS_DATABASE_URL": f"sqlite:///{tmp_path / 'holdouts.sqlite'}",
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for name in ("PREFECT_API_URL", "CRITEO_API_VERSION"):
            monkeypatch.delenv(name, raising=False)
        box.advance(24)
        yield box


def on_air(box: Sandbox) -> frozenset[bytes]:
    """Whom the audience's ad set reaches at this moment."""
    market = box.market
    names = [each.name for each in market.account.ad_sets]
    mask = market.account.exposed(market.shop.seen_at, box.clock.epoch()).get(names.index(AUDIENCE))
    people = [] if mask is None else np.flatnonzero(mask)
    return frozenset(market.people.units[person] for person in people)


def held_out(folder: Path) -> frozenset[bytes]:
    engine = connect(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with reading(engine) as connection:
        phase = current_phase(connection, AUDIENCE)
        assert phase is not None
        found = frozenset(entrants_of(connection, phase.id, held_out=True))
    engine.dispose()
    return found


def stages(folder: Path) -> list[str]:
    engine = connect(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with reading(engine) as connection:
        found = sorted(each.state for each in lists_named(connection, AUDIENCE))
    engine.dispose()
    return found


def test_the_ads_reach_the_audience_in_every_hour_of_a_refresh_and_nobody_held_out(
    box: Sandbox, tmp_path: Path
) -> None:
    def live(hours: int, *, refresh: str = "") -> Iterator[frozenset[bytes]]:
        for hour in range(hours):
            if hour % 4 == 0:
                with suppress(Refused):
                    sync_audiences.fn(now=box.clock.now(), refresh=refresh if hour == 0 else "")
            yield on_air(box)
            box.advance(1)

    settled = list(live(36))[-1]
    assert len(settled) > 100
    told: list[list[str]] = []
    for hour, reached in enumerate(live(72, refresh=AUDIENCE)):
        assert len(reached) > 0.9 * len(settled), f"hour {hour}: the audience is off the air"
        assert not reached & held_out(tmp_path), f"hour {hour}: somebody held out is reached"
        if not told or told[-1] != stages(tmp_path):
            told.append(stages(tmp_path))
    assert told == [["current", "filled"], ["current", "leaving"], ["current"]]
    books = box.books()
    assert not books.ever_on(AUDIENCE) & held_out(tmp_path)
    assert len(books.now_on(AUDIENCE)) > 100
