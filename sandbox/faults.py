"""Injected failures: what goes wrong between a server that works and the client that called it. I/O."""

import asyncio
import re
import threading
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.arrivals import Arrival, Arrivals

Server = Literal["customerio", "criteo"]
Kind = Literal["drop-before", "drop-after", "status", "truncated-json", "cut-body", "html", "hang"]

_HTML = b"<!doctype html><html><body><h1>Sorry</h1><p>We will be back soon.</p></body></html>"


@dataclass(slots=True)
class Fault:
    """One failure, for the next `times` requests whose path matches, after `skip` that pass unharmed."""

    pattern: re.Pattern[str]
    kind: Kind
    times: int
    skip: int
    status: int
    method: str | None
    seconds: float


class Faults:
    """The queue of failures of both servers; tests add, the servers take.

    - `drop-before`: the connection closes and nothing was done.
    - `drop-after`: the request is carried out, then the connection closes without an answer.
    - `status`: an answer of `status` with a line of text, and nothing was done.
    - `truncated-json`: carried out; half of the body, as if it were whole.
    - `cut-body`: carried out; half of the body, then the connection closes.
    - `html`: an HTML page with `status`, and nothing was done.
    - `hang`: no answer until the client gives up, or `seconds` of real time.
    """

    def __init__(self) -> None:
        self._queues: dict[str, list[Fault]] = {"customerio": [], "criteo": []}
        self._lock = threading.Lock()

    def add(
        self,
        server: Server,
        path: str,
        *,
        kind: Kind,
        times: int = 1,
        skip: int = 0,
        status: int = 503,
        method: str | None = None,
        seconds: float = 30.0,
    ) -> None:
        """Let the next `times` requests to a path that matches the regular expression fail."""
        if kind not in get_args(Kind):
            raise ValueError(f"no fault of kind {kind}")
        with self._lock:
            self._queues[server].append(Fault(re.compile(path), kind, times, skip, status, method, seconds))

    def clear(self) -> None:
        """Forget every fault that has not happened."""
        with self._lock:
            for queue in self._queues.values():
                queue.clear()

    def pending(self, server: Server) -> int:
        """How many failures are still to come."""
        with self._lock:
            return sum(fault.times for fault in self._queues[server])

    def take(self, server: str, method: str, path: str) -> Fault | None:
        """The failure that this request meets, if one waits for it."""
        with self._lock:
            queue = self._queues[server]
            for fault in queue:
                if not fault.pattern.search(path) or fault.method not in (None, method):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    queue.remove(fault)
                return fault
        return None


Transports = MutableMapping[tuple[str, int], asyncio.Transport]


class Faulty:
    """An ASGI application with the failures of a queue in front of it.

    `transports` holds the open connections by the client's address, so that one can really be closed.
    """

    def __init__(
        self, app: ASGIApp, server: Server, faults: Faults, transports: Transports, arrivals: Arrivals
    ) -> None:
        self._app = app
        self._server = server
        self._faults = faults
        self._transports = transports
        self._arrivals = arrivals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or fail it."""
        fault = None
        if scope["type"] == "http":
            self._arrivals.note(_arrival(scope))
            fault = self._faults.take(self._server, scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind == "drop-before":
            await self._drop(scope, receive)
        elif fault.kind == "drop-after":
            await self._answer(scope, receive)
            await self._drop(scope, receive)
        elif fault.kind == "hang":
            await self._hang(fault.seconds, scope, receive)
        elif fault.kind in ("truncated-json", "cut-body"):
            await self._halve(fault, scope, receive, send)
        else:
            page = _HTML if fault.kind == "html" else b"upstream issue"
            kind = b"text/html" if fault.kind == "html" else b"text/plain"
            await _reply(send, fault.status, kind, page, len(page))

    async def _halve(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        status, body = await self._answer(scope, receive)
        half = body[: len(body) // 2]
        cut = fault.kind == "cut-body"
        await _reply(send, status, b"application/json", half, len(body) if cut else len(half), more=cut)
        if cut:
            await self._drop(scope, receive, flush=True)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        status, body = 200, b""

        async def keep(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")

        await self._app(scope, receive, keep)
        return status, body

    async def _drop(self, scope: Scope, receive: Receive, *, flush: bool = False) -> None:
        transport = self._transports.get(tuple(scope["client"]))
        if transport is not None:
            (transport.close if flush else transport.abort)()
        await _disconnected(receive)

    async def _hang(self, seconds: float, scope: Scope, receive: Receive) -> None:
        try:
            await asyncio.wait_for(_disconnected(receive), seconds)
        except TimeoutError:
            await self._drop(scope, receive)


def _arrival(scope: Scope) -> Arrival:
    sizes = [int(value) for name, value in scope["headers"] if name == b"content-length"]
    return Arrival(time.monotonic(), scope["method"], scope["path"], sum(sizes))


async def _disconnected(receive: Receive) -> None:
    message: MutableMapping[str, Any] = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


async def _reply(
    send: Send, status: int, kind: bytes, body: bytes, length: int, *, more: bool = False
) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(length).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})
