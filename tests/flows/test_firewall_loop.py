"""The closed loop of the firewall: what site-tag retargeting does to a holdout, and what the audit does to it.

An ad set of the sandbox follows every visitor by the site tag, held out or not. Its effect is made as
strong as that of the audiences' own ads, so that what it takes from the measured lift can be seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import Run

from experiments.database import connect, reading
from experiments.errors import Refused
from flows.demo_shop import audiences_yaml
from flows.firewall import apply_changes, check_firewall
from flows.load_orders import load_orders_flow
from flows.measure_lift import measure_lift
from flows.sync_audiences import sync_audiences
from sandbox import advertising
from sandbox.world import Books, Sandbox, Switches
from sync import pushes
from sync.lists import known_lists

MS = "/2026-07/marketing-solutions"
START = datetime(2026, 9, 7, tzinfo=UTC)
STRONG = advertising.Effect(4.2e-4, 0.3, 0.004, 7.0)
"""As strong as a cart ad: a real site-tag campaign is no weaker than the lists'."""
PROFILES = 3_000
PUBLIC = ("holdout · cart", "holdout · browse-no-cart", "holdout · lapsed", "holdout · universal")


@contextmanager
def opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A world with the ad set 490, and the product's environment for it; half of everybody is held out."""
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr("sandbox.market.SITE_TAG", replace(advertising.SITE_TAG, effect=STRONG))
    switches = Switches(
        customerio_rps=None,
        criteo_per_minute=None,
        criteo_reports_per_minute=None,
        site_tag_adset=True,
        match_share=1.0,
        ad_effect=12.0,
    )
    orders = folder / "shop.sqlite"
    with Sandbox.start(profiles=PROFILES, start=START, orders_path=orders, switches=switches) as box:
        text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, orders)
        text = text.replace("holdout: 20%", "holdout: 50%").replace("holdout: 10%", "holdout: 50%")
        (folder / "audiences.yaml").write_text(text)
        environment = {
            "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
            "HOLDOUTS_DATABASE_URL": f"sqlite:///{folder / 'holdouts.sqlite'}",
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
        box.advance(24 * 3)
        yield box


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "world"


@pytest.fixture
def box(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with opened(folder, monkeypatch) as box:
        yield box


@contextmanager
def criteo_of(box: Sandbox) -> Iterator[httpx.Client]:
    form = {
        "grant_type": "client_credentials",
        "client_id": box.client_id,
        "client_secret": box.client_secret,
    }
    with httpx.Client(base_url=box.criteo_url) as client:
        token = client.post("/oauth2/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def link_visitors(box: Sandbox) -> None:
    """What a media buyer does when asked to link an audience: everybody who visited, and nobody less."""
    with criteo_of(box) as criteo:

        def create(what: str, **attributes: Any) -> str:
            body = {"data": [{"attributes": {"advertiserId": box.advertiser_id, **attributes}}]}
            return str(criteo.post(f"{MS}/{what}/create", json=body).json()["data"][0]["id"])

        tag = {"visitorsType": "All", "daysSinceLastVisitMin": 0, "daysSinceLastVisitMax": 7}
        visitors = create("audience-segments", name="visitors", retargeting=tag)
        audience = create("audiences", name="site visitors", algebra={"audienceSegmentId": visitors})
        link = {"data": {"id": "490", "type": "AdSetAudience", "attributes": {"audienceId": audience}}}
        assert criteo.put(f"{MS}/ad-sets/490/audience", json=link).is_success


def days(box: Sandbox, folder: Path, count: int) -> frozenset[bytes]:
    """Lives on, with a sync every eight hours of the shop's own time; gives whoever was held out throughout."""
    throughout: frozenset[bytes] | None = None
    for _ in range(3 * count):
        box.advance(8)
        with suppress(Refused):
            sync_audiences.fn(now=box.clock.now())
        held = held_out_now(folder)
        throughout = held if throughout is None else throughout & held
    return throughout or frozenset()


def measured_lift(box: Sandbox, folder: Path) -> float:
    """The lift of revenue since entry, over all holdout groups: Σ treated revenue ÷ what they would have bought."""
    load_orders_flow.fn(now=box.clock.now())
    told = measure_lift.fn(now=box.clock.now(), report_folder=str(folder / "report"))["document"]
    found = [each for each in told["experiments"] if each["money"] and each["kind"] != "programme"]
    treated = sum(
        each["since_entry"]["n_treatment"] * each["since_entry"]["mean_treatment"] for each in found
    )
    without = sum(each["since_entry"]["n_treatment"] * each["since_entry"]["mean_holdout"] for each in found)
    return float(treated / without - 1)


def held_out_now(folder: Path) -> frozenset[bytes]:
    """People who stand in some list of people held out, by the ledger."""
    engine = connect(f"sqlite:///{folder / 'holdouts.sqlite'}")
    with reading(engine) as connection:
        lists = [each.id for each in known_lists(connection) if each.role == "holdout"]
        held = [pushes.holding(connection, each).surely for each in lists]
    engine.dispose()
    return frozenset(unit for each in held for unit in each)


def reached(books: Books) -> frozenset[bytes]:
    return books.ever_exposed["site-visitors"]


def test_the_audit_names_the_ad_set_and_its_fix_keeps_it_off_people_held_out(
    box: Sandbox, folder: Path, holdouts: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    days(box, folder, 1)
    unlinked = holdouts("audit", "firewall", "--json")
    assert unlinked.status == 1
    (finding,) = unlinked.document["findings"]
    assert (finding["fault"], finding["subject"]) == ("no_audience", "ad set 490 (site-visitors)")
    assert unlinked.document["changes"] == []

    link_visitors(box)
    loose = holdouts("audit", "firewall")
    assert loose.status == 1
    assert "ad set 490 (site-visitors): its audience does not subtract people held out" in loose.out
    assert all(name in loose.out for name in PUBLIC)

    monkeypatch.setattr(sys, "stdin", StringIO("n\n"))
    assert holdouts("audit", "firewall", "--fix").status == 1
    assert holdouts("audit", "firewall").status == 1, "whoever says no changes nothing"

    monkeypatch.setattr(sys, "stdin", StringIO("y\n"))
    fixed = holdouts("audit", "firewall", "--fix", "--json")
    assert fixed.status == 0, fixed.out
    assert fixed.document["findings"] == []
    assert set(fixed.document["held_out_and_listed"].values()) == {0}

    everywhere = held_out_now(folder)
    before = reached(box.books())
    box.advance(8)
    assert reached(box.books()) - before
    assert not (reached(box.books()) - before) & everywhere


def test_without_the_firewall_people_held_out_are_reached_and_the_measured_lift_shrinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off: (base + tag + ads) ÷ (base + tag). On: (base + tag + ads) ÷ base, which is larger."""
    lifts, leaks = {}, {}
    for firewall in ("off", "on"):
        folder = tmp_path / firewall
        with opened(folder, monkeypatch) as box:
            days(box, folder, 1)
            link_visitors(box)
            if firewall == "on":
                apply_changes(check_firewall().audit.changes)
            before, held = reached(box.books()), held_out_now(folder)
            held &= days(box, folder, 9)
            since = reached(box.books()) - before if firewall == "on" else reached(box.books())
            leaks[firewall] = len(since & held)
            lifts[firewall] = measured_lift(box, folder)
    assert leaks["off"] > 20
    assert leaks["on"] == 0
    assert 0 < lifts["off"] < 0.8 * lifts["on"], lifts
