"""A Customer.io with one huge segment and a Criteo that counts, as fast as a loopback server can be. I/O.

Run as `python -m benchmarks.sink MEMBERS [PAGE_DELAY REQUEST_DELAY]`; prints its port. `POST /churn` moves the
segment on: `{"by": n}` lets n people leave and n others come.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Sink:
    """The segment is the people numbered from `first` on; `held` counts what Criteo was given."""

    members: int
    page_delay: float
    request_delay: float
    first: int = 0
    held: int = 0
    requests: int = 0
    pages: dict[tuple[int, int, int], bytes] = field(default_factory=dict)

    async def token(self, _: Request) -> Response:
        """OAuth."""
        return JSONResponse(
            {"access_token": "t", "token_type": "Bearer", "refresh_token": None, "expires_in": 900}
        )

    async def segment(self, _: Request) -> Response:
        """State of the one segment."""
        return JSONResponse(
            {
                "segment": {
                    "id": 7,
                    "name": "everyone",
                    "state": "finished",
                    "progress": None,
                    "type": "dynamic",
                }
            }
        )

    async def count(self, _: Request) -> Response:
        """The source's own count."""
        return JSONResponse({"segment_id": 7, "count": self.members})

    async def membership(self, request: Request) -> Response:
        """One page."""
        await asyncio.sleep(self.page_delay)
        limit, start = int(request.query_params["limit"]), int(request.query_params.get("start") or 0)
        return Response(self._page(start, limit), media_type="application/json")

    def _page(self, start: int, limit: int) -> bytes:
        key = (self.first, start, limit)
        if key not in self.pages:
            until = min(start + limit, self.members)
            numbers = range(self.first + start, self.first + until)
            items = ",".join(
                f'{{"email":"person{n}@example.com","id":"{n}","cio_id":"d9c1{n:08x}"}}' for n in numbers
            )
            ids = ",".join(f'"{n}"' for n in numbers)
            following = str(until) if until < self.members else ""
            page = f'{{"segment_id":7,"ids":[{ids}],"identifiers":[{items}],"next":"{following}"}}'
            self.pages[key] = page.encode()
        return self.pages[key]

    async def search(self, _: Request) -> Response:
        """No list yet."""
        return JSONResponse(
            {"data": [], "meta": {"totalItems": 0, "limit": 100, "offset": 0}, "errors": [], "warnings": []}
        )

    async def create(self, request: Request) -> Response:
        """A list."""
        asked = (await request.json())["data"][0]["attributes"]
        made = {**asked, "type": "ContactList", "contactList": {"isReadOnly": False}}
        self.requests += 1
        return JSONResponse(
            {
                "data": [{"id": str(700 + self.requests), "type": "AudienceSegment", "attributes": made}],
                "errors": [],
            }
        )

    async def amend(self, request: Request) -> Response:
        """Counts identifiers by their commas."""
        body = await request.body()
        await asyncio.sleep(self.request_delay)
        count = body[body.index(b"[") : body.rindex(b"]")].count(b",") + 1
        self.requests += 1
        self.held += count if b'"add"' in body[:200] else -count
        attributes = {
            "contactListId": 700,
            "operation": "add",
            "requestDate": "2026-11-24T10:00:50.0000000+00:00",
            "identifierType": "email",
            "nbValidIdentifiers": count,
            "nbInvalidIdentifiers": 0,
            "sampleInvalidIdentifiers": [],
        }
        return JSONResponse(
            {"data": {"type": "ContactlistAmendment", "attributes": attributes}, "errors": [], "warnings": []}
        )

    async def statistics(self, _: Request) -> Response:
        """Nothing counted yet."""
        counts = {"numberOfIdentifiers": None, "numberOfMatches": None, "matchRate": None}
        return JSONResponse(
            {
                "data": {"id": "700", "type": "ContactListStatistics", "attributes": counts},
                "errors": [],
                "warnings": [],
            }
        )

    async def churn(self, request: Request) -> Response:
        """Moves the segment on, and makes its pages before anybody asks for them."""
        self.pages.clear()
        self.first += int((await request.json())["by"])
        for start in range(0, self.members, 30_000):
            self._page(start, 30_000)
        return JSONResponse({"first": self.first})


def app(sink: Sink) -> Starlette:
    """The routes of both vendors."""
    lists = "/2026-07/marketing-solutions/audience-segments"
    return Starlette(
        routes=[
            Route("/oauth2/token", sink.token, methods=["POST"]),
            Route("/v1/segments/7", sink.segment),
            Route("/v1/segments/7/customer_count", sink.count),
            Route("/v1/segments/7/membership", sink.membership),
            Route(f"{lists}/search", sink.search, methods=["POST"]),
            Route(f"{lists}/create", sink.create, methods=["POST"]),
            Route(lists + "/{id}/contact-list", sink.amend, methods=["PATCH"]),
            Route(lists + "/{id}/contact-list/statistics", sink.statistics),
            Route("/churn", sink.churn, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serves until it is killed."""
    members, *delays = (float(text) for text in sys.argv[1:])
    page_delay, request_delay = (*delays, 0.0, 0.0)[:2]
    listening = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    config = uvicorn.Config(
        app(Sink(int(members), page_delay, request_delay)), log_level="error", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
