"""A sandbox in a process of its own says where it is in one line and is moved through its control port."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    orders = tmp_path_factory.mktemp("remote") / "shop.sqlite"
    command = [sys.executable, "-m", "sandbox", "--profiles", "300", "--seed", "3", "--orders", str(orders)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(10) == 0


def test_the_line_has_everything_a_client_needs(remote: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {remote['app_key']}"}
    segments = httpx.get(f"{remote['customerio_url']}/v1/segments", headers=headers).json()["segments"]
    assert {one["name"]: one["id"] for one in segments} == remote["segment_ids"]
    assert httpx.get(f"{remote['control_url']}/sandbox").json() == {
        key: value for key, value in remote.items() if key != "control_url"
    }


def test_the_clock_is_moved_and_the_books_are_read_from_outside(remote: dict[str, Any]) -> None:
    control = remote["control_url"]
    before = httpx.get(f"{control}/sandbox/books").json()
    moved = httpx.post(f"{control}/sandbox/advance", json={"hours": 240}).json()
    after = httpx.get(f"{control}/sandbox/books").json()
    assert moved["now"] == after["at"] == "2026-09-11T00:00:00+00:00"
    assert after["orders"] > before["orders"]
    assert after["caused_orders"] == 0


@pytest.mark.parametrize("body", [{}, {"hours": -1}, {"hours": "1"}, [], {"hours": True}])
def test_a_move_that_makes_no_sense_is_refused(remote: dict[str, Any], body: object) -> None:
    assert httpx.post(f"{remote['control_url']}/sandbox/advance", json=body).status_code == 400


def test_faults_are_set_from_outside(remote: dict[str, Any]) -> None:
    fault = {"server": "customerio", "path": "/v1", "kind": "status", "status": 502}
    assert httpx.post(f"{remote['control_url']}/sandbox/faults", json=fault).status_code == 200
    assert httpx.get(f"{remote['customerio_url']}/v1/segments").status_code == 502
    assert httpx.post(f"{remote['control_url']}/sandbox/faults", json={"server": "x"}).status_code == 400
