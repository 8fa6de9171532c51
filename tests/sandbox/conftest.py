from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sandbox_openapi import OPENAPI, complaints

from sandbox.world import Sandbox, Switches

START = datetime(2026, 9, 1, tzinfo=UTC)
FREE = {"customerio_rps": None, "criteo_per_minute": None, "criteo_reports_per_minute": None}

Open = Callable[..., Sandbox]


@pytest.fixture(scope="session")
def leaving() -> Iterator[list[Sandbox]]:
    """Sandboxes that were told to stop; their threads are waited for once, at the end."""
    boxes: list[Sandbox] = []
    yield boxes
    for box in boxes:
        box.stop()


@pytest.fixture
def open_box(tmp_path: Path, leaving: list[Sandbox]) -> Iterator[Open]:
    """Starts sandboxes of few people, without rate limits unless a switch says otherwise."""
    opened: list[Sandbox] = []

    def start(*, profiles: int = 400, seed: int = 7, **switches: Any) -> Sandbox:
        box = Sandbox.start(
            profiles=profiles,
            seed=seed,
            start=START,
            orders_path=tmp_path / f"shop-{len(opened)}.sqlite",
            switches=Switches(**{**FREE, **switches}),
        )
        opened.append(box)
        return box

    yield start
    for box in opened:
        box.stop(wait=False)
    leaving += opened


@pytest.fixture
def box(open_box: Open) -> Sandbox:
    return open_box()


class Vendors:
    """Plain httpx clients of a sandbox; each success of Criteo's is held against its OpenAPI where that is there."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def customerio(self, box: Sandbox, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key or box.app_key}"}
        return self._stack.enter_context(httpx.Client(base_url=box.customerio_url, headers=headers))

    def track(self, box: Sandbox) -> httpx.Client:
        pair = (box.track_site_id, box.track_api_key)
        return self._stack.enter_context(httpx.Client(base_url=box.customerio_url, auth=pair))

    def criteo(self, box: Sandbox) -> httpx.Client:
        client = self._stack.enter_context(httpx.Client(base_url=box.criteo_url))
        client.headers["Authorization"] = f"Bearer {token(box, client).json()['access_token']}"
        client.event_hooks["response"] = [_held_against_openapi]
        return client


def token(box: Sandbox, client: httpx.Client, secret: str | None = None) -> httpx.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": box.client_id,
        "client_secret": secret or box.client_secret,
    }
    return client.post("/oauth2/token", data=form)


def _held_against_openapi(response: httpx.Response) -> None:
    if not OPENAPI.exists() or not response.is_success or "csv" in response.headers.get("content-type", ""):
        return
    response.read()
    body = response.json() if response.content else None
    assert complaints(response.request.method, response.request.url.path, response.status_code, body) == []


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    with ExitStack() as stack:
        yield Vendors(stack)
