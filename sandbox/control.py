"""A third port from which a sandbox in another process is moved, broken, read and stopped. I/O."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.world import Sandbox

MAX_HOURS = 24 * 366


class Control:
    """The addresses under /sandbox/ of one sandbox."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/sandbox", self.introduce, methods=["GET"]),
                Route("/sandbox/advance", self.advance, methods=["POST"]),
                Route("/sandbox/books", self.books, methods=["GET"]),
                Route("/sandbox/faults", self.fault, methods=["POST"]),
            ]
        )

    async def introduce(self, _: Request) -> Response:
        """GET /sandbox: where everything is and with which keys."""
        return JSONResponse(introduction(self._box))

    async def advance(self, request: Request) -> Response:
        """POST /sandbox/advance {"hours": 24}."""
        hours = (await _object(request)).get("hours")
        if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 <= hours <= MAX_HOURS:
            return JSONResponse({"error": f"hours must be a number from 0 to {MAX_HOURS}"}, 400)
        await run_in_threadpool(self._box.advance, hours)
        return JSONResponse({"now": self._box.clock.now().isoformat()})

    async def books(self, _: Request) -> Response:
        """GET /sandbox/books: counts and sums of the truth."""
        books = await run_in_threadpool(self._box.books)
        return JSONResponse(books.summary())

    async def fault(self, request: Request) -> Response:
        """POST /sandbox/faults {"server": "criteo", "path": "/contact-list", "kind": "drop-after", …}."""
        wanted = await _object(request)
        try:
            self._box.faults.add(wanted.pop("server"), wanted.pop("path"), **wanted)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": f"not a fault: {error}"}, 400)
        return JSONResponse({})


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def introduction(box: Sandbox) -> dict[str, Any]:
    """What a client needs to know: addresses, keys, segment ids, ad sets."""
    return {
        "customerio_url": box.customerio_url,
        "criteo_url": box.criteo_url,
        "app_key": box.app_key,
        "track_site_id": box.track_site_id,
        "track_api_key": box.track_api_key,
        "client_id": box.client_id,
        "client_secret": box.client_secret,
        "advertiser_id": box.advertiser_id,
        "segment_ids": box.segment_ids,
        "ad_sets": box.ad_sets,
        "orders_path": str(box.orders_path.resolve()),
        "now": box.clock.now().isoformat(),
    }
