"""Customer.io's manners on the wire: keys, the wrong region, ten requests a second, errors, cursors. I/O."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from sandbox.limits import TokenBucket
from sandbox.switches import Switches
from sandbox.workspace import Workspace


class CustomerioError(Exception):
    """An answer other than success; `body` is what the address's envelope makes of it."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def refuse(status: int, detail: str) -> NoReturn:
    """Refuse with the App API's commonest envelope, where the status is a string."""
    raise CustomerioError(status, {"errors": [{"detail": detail, "status": str(status)}]})


@dataclass(frozen=True, slots=True)
class Keys:
    """The workspace's App key and its Track pair."""

    app_key: str
    site_id: str
    track_key: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One admitted request with its body read, as a handler sees it."""

    workspace: Workspace
    request: Request
    body: Any

    @property
    def switches(self) -> Switches:
        """The open points' settings."""
        return self.workspace.market.switches

    def integer(self, name: str, default: int) -> int:
        """A whole number of the query."""
        try:
            value = int(self.request.query_params.get(name, default))
        except ValueError:
            refuse(400, f"{name} must be a whole number")
        if value < 1:
            refuse(400, f"{name} must be positive")
        return value

    def id_type(self) -> str:
        """The identifier type of the query; e-mail is none where people have ids only."""
        kind = self.request.query_params.get("id_type", "id")
        known = {"id", "cio_id"} if self.workspace.by_id_only else {"id", "cio_id", "email"}
        if kind not in known:
            refuse(400, f"{kind} is not an identifier in this workspace")
        return kind

    def offset(self) -> int:
        """Where the cursor of the query points; opaque to clients."""
        start = self.request.query_params.get("start", "")
        if not start:
            return 0
        try:
            return int(base64.urlsafe_b64decode(start).decode().partition(":")[2])
        except ValueError:
            refuse(400, "start is not a cursor")


def cursor(offset: int) -> str:
    """An opaque cursor for an offset."""
    return base64.urlsafe_b64encode(f"0:{offset}".encode()).decode()


Handler = Callable[[Ask], Response]


class Gate:
    """What every request passes before its handler: region, key, rate, body."""

    def __init__(self, workspace: Workspace, keys: Keys) -> None:
        self._workspace = workspace
        self._keys = keys
        self._app = TokenBucket(workspace.market.switches.customerio_rps)
        self._track = TokenBucket(workspace.market.switches.track_rps)

    def app(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of the App API."""

        async def endpoint(request: Request) -> Response:
            if self._workspace.market.switches.wrong_region:
                return RedirectResponse(f"https://api-eu.customer.io{request.url.path}", 301)
            if not self._app.take():
                return self._slow_down()
            try:
                self._check_bearer(request.headers.get("authorization", ""))
                return await self._handle(handler, request)
            except CustomerioError as error:
                if self._workspace.market.switches.customerio_errors == "empty":
                    return Response(status_code=error.status)
                return JSONResponse(error.body, error.status)

        return endpoint

    def track(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint of the Track API, with its own pair of keys."""

        async def endpoint(request: Request) -> Response:
            if not self._track.take():
                return self._slow_down()
            try:
                self._check_pair(request.headers.get("authorization", ""))
                return await self._handle(handler, request)
            except CustomerioError as error:
                return JSONResponse(error.body, error.status)

        return endpoint

    def _check_bearer(self, header: str) -> None:
        if header != f"Bearer {self._keys.app_key}":
            refuse(401, "unauthorized")

    def _check_pair(self, header: str) -> None:
        pair = f"{self._keys.site_id}:{self._keys.track_key}".encode()
        if header != "Basic " + base64.b64encode(pair).decode():
            raise CustomerioError(401, {"meta": {"error": "Unauthorized request"}})

    async def _handle(self, handler: Handler, request: Request) -> Response:
        body = None
        raw = await request.body()
        if raw:
            try:
                body = json.loads(raw)
            except ValueError:
                refuse(400, "Invalid request format")
        with self._workspace.market.lock:
            return handler(Ask(self._workspace, request, body))

    def _slow_down(self) -> Response:
        after = self._workspace.market.switches.customerio_retry_after
        return Response(status_code=429, headers={} if after is None else {"Retry-After": str(after)})
