"""The demo in small: it ends well, and a leak planted behind the product's back makes it fail."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from experiments.assignment import bucket, group_salt, threshold
from flows.demo import Length, run_demo
from sandbox.world import Sandbox

pytestmark = pytest.mark.server
SMALL = Length(profiles=4_000, weeks=2, syncs_a_day=1)


def _plant_a_leak(box: Sandbox) -> None:
    """A colleague adds a held-out person to an include list by hand."""
    books = box.books()
    group = group_salt("lapsed")
    held_out = (
        unit.hex() for unit in box.members("lapsed") if bucket(group, unit.hex()) < threshold(100_000)
    )
    if not books.now_on("lapsed"):
        return
    token = httpx.post(
        f"{box.criteo_url}/oauth2/token",
        data={
            "grant_type": "client_credentials",
            "client_id": box.client_id,
            "client_secret": box.client_secret,
        },
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    root = f"{box.criteo_url}/2026-07/marketing-solutions/audience-segments"
    found = httpx.post(f"{root}/search?limit=100", json={"data": {"attributes": {}}}, headers=headers).json()
    segment = next(each["id"] for each in found["data"] if each["attributes"]["name"] == "lapsed")
    attributes = {"operation": "add", "identifierType": "email", "identifiers": [next(held_out)]}
    body = {"data": {"type": "ContactlistAmendment", "attributes": attributes}}
    httpx.patch(f"{root}/{segment}/contact-list", json=body, headers=headers).raise_for_status()


def test_a_small_demo_ends_well_and_leaves_its_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDOUTS_BRAND", "of-somebody-s-shell")
    folder = tmp_path / "demo"
    assert run_demo(folder, SMALL) == 0
    result = json.loads((folder / "result.json").read_text())
    assert result["leaked"] == 0
    assert {"cart", "browse-no-cart", "lapsed"} <= set(result["true_iroas"])
    history = result["document"]["operations"]["browse-no-cart"]["holdout_history"]
    assert [each["percent"] for each in history] == [10, 20]
    assert list((folder / "report").glob("*/index.html"))
    found = {each["code"] for each in result["document"]["playbook"]["findings"]}
    assert {"offers.conflict", "suppression.vip-discount"} <= found
    page = next((folder / "report").glob("2*/index.html")).read_text()
    assert "What the playbook would change" in page
    said = capsys.readouterr().out
    assert "What the ads added" in said
    assert "by the sandbox's own books" in " ".join(said.split())


def test_a_planted_leak_makes_the_demo_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    assert run_demo(folder, SMALL, meddle=_plant_a_leak) == 1
    assert json.loads((folder / "result.json").read_text())["leaked_by_audience"]["lapsed"] > 0
    assert "the demo has failed" in capsys.readouterr().out
