"""An erased person is on no list, in no blob, never comes back, and leaves the totals as they were."""

from __future__ import annotations

import io
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.identity import Kind, classify, digest
from flows.command import main
from flows.demo_shop import audiences_yaml
from sandbox.world import Sandbox, Switches

UNLIMITED = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)


def _holdouts(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["holdouts", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    start = datetime(2026, 9, 7, tzinfo=UTC)
    with Sandbox.start(
        profiles=2_000, start=start, orders_path=tmp_path / "shop.sqlite", switches=UNLIMITED
    ) as box:
        box.advance(24 * 7)
        text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, box.orders_path)
        (tmp_path / "audiences.yaml").write_text(text)
        for name, value in {
            "HOLDOUTS_AUDIENCES": str(tmp_path / "audiences.yaml"),
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("PREFECT_API_URL", "HOLDOUTS_DATABASE_URL"):
            monkeypatch.delenv(name, raising=False)
        yield box


def _somebody_listed(box: Sandbox) -> str:
    """The e-mail, as the shop has it, of somebody who stands in an include list and has bought before."""
    listed = box.books().now_on("browse-no-cart") | box.books().now_on("lapsed")
    with sqlite3.connect(box.orders_path) as shop:
        emails = [email for (email,) in shop.execute("select email from orders order by order_id")]
    shop.close()
    return next(email for email in emails if classify(email) is Kind.EMAIL and digest(email) in listed)


def test_an_erased_person_is_gone_everywhere_and_does_not_come_back(
    box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (["sync"], ["load-orders"]):
        assert _holdouts(monkeypatch, *words) == 0
    email = _somebody_listed(box)
    unit = digest(email)
    database = tmp_path / "holdouts.sqlite"
    with sqlite3.connect(database) as ledger:
        before = ledger.execute("select arm, count(*) from entrants group by arm").fetchall()
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{email}\n"))
    assert _holdouts(monkeypatch, "erase") == 0
    books = box.books()
    assert all(unit not in books.now_on(name) for name in books.list_names())
    for words in (["sync"], ["load-orders"], ["audit", "arms"]):
        assert _holdouts(monkeypatch, *words) == 0
    books = box.books()
    assert all(unit not in books.now_on(name) for name in books.list_names())
    with sqlite3.connect(database) as ledger:
        assert ledger.execute("select arm, count(*) from entrants group by arm").fetchall() == before
        ledger.execute("pragma wal_checkpoint(truncate)")
    ledger.close()
    assert unit not in database.read_bytes()


def test_what_is_no_email_erases_nobody(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _holdouts(monkeypatch, "erase", "nobody at all") == 2
