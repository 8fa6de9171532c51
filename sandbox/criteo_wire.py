"""Criteo's manners on the wire: versions, bearer tokens, scopes, quotas, envelopes and problem objects. I/O."""

import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.limits import MinuteWindow, Quota
from sandbox.market import Market
from sandbox.switches import Switches

VERSIONS = ("2026-01", "2026-07", "2027-01")
DEPRECATED = {"2026-01": "Wed, 27 Jan 2027 00:00:00 GMT"}
"""Versions in their last three months, with the day they go."""

ProblemType = Literal["access-control", "authorization", "availability", "deprecation", "quota", "validation"]
Problem = dict[str, Any]


class CriteoProblemError(Exception):
    """An answer that is an error as a whole."""

    def __init__(self, status: int, kind: ProblemType, code: str, detail: str) -> None:
        super().__init__(code)
        self.status = status
        self.kind: ProblemType = kind
        self.code = code
        self.detail = detail


def invalid(code: str, detail: str, status: int = 400) -> NoReturn:
    """Refuse a request that is malformed."""
    raise CriteoProblemError(status, "validation", code, detail)


def problem(code: str, detail: str, instance: str, kind: ProblemType = "validation") -> Problem:
    """One problem object, which every of Criteo's three error schemas accepts."""
    return {
        "type": kind,
        "code": code,
        "title": detail.partition(".")[0],
        "detail": detail,
        "instance": instance,
        "traceId": secrets.token_hex(16),
    }


def stamp(moment: datetime) -> str:
    """A time as entity attributes carry it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request with its body read, as a handler sees it."""

    market: Market
    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    body: Any

    @property
    def switches(self) -> Switches:
        """The open points' settings."""
        return self.market.switches

    def data(self) -> list[Mapping[str, Any]]:
        """The items of a bulk request."""
        items = self.body.get("data") if isinstance(self.body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            invalid("invalid-request", "The body must be an object with a list of resources in data.")
        return items

    def attributes(self) -> Mapping[str, Any]:
        """The attributes of a single-resource request; an empty mapping where there are none."""
        resource = self.body.get("data") if isinstance(self.body, dict) else None
        if resource is not None and not isinstance(resource, dict):
            invalid("invalid-request", "data must be one resource.")
        attributes = (resource or {}).get("attributes") or {}
        if not isinstance(attributes, dict):
            invalid("invalid-request", "attributes must be an object.")
        return attributes

    def page(self) -> tuple[int, int]:
        """The limit and offset of a search."""
        try:
            limit, offset = int(self.query.get("limit", 50)), int(self.query.get("offset", 0))
        except ValueError:
            invalid("invalid-paging", "limit and offset are integers.")
        if not 0 <= limit <= 100 or offset < 0:
            invalid("invalid-paging", "limit is 0 to 100, offset 0 or more.")
        return limit, offset


@dataclass(frozen=True, slots=True)
class Credentials:
    """The one application that this Criteo knows."""

    client_id: str
    client_secret: str


class Tokens:
    """Issues bearer tokens and knows which still hold; several may at once."""

    def __init__(self, credentials: Credentials, market: Market) -> None:
        self._credentials = credentials
        self._market = market
        self._until: dict[str, float] = {}

    def _now(self) -> float:
        return (
            time.monotonic() if self._market.switches.expiry_clock == "wall" else self._market.clock.epoch()
        )

    async def issue(self, request: Request) -> Response:
        """POST /oauth2/token, form-encoded: a `+` sent raw arrives as a space and does not match."""
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("latin-1")).items()}
        switches = self._market.switches
        if form.get("grant_type") != "client_credentials":
            body = {"error": "unsupported_grant_type", "error_description": "The grant type is not supported"}
            return JSONResponse(body, 400)
        known = Credentials(form.get("client_id", ""), form.get("client_secret", "")) == self._credentials
        if not known:
            reason = (
                "The client authentication failed, the provided client_id doesn't exist "
                "or the client_secret is invalid"
            )
            return JSONResponse(
                {"error": "invalid_client", "error_description": reason}, switches.token_error_status
            )
        token = secrets.token_urlsafe(48)
        self._until[token] = self._now() + switches.token_seconds
        return JSONResponse(
            {
                "access_token": token,
                "token_type": "Bearer",
                "refresh_token": None,
                "expires_in": switches.token_seconds,
            }
        )

    def expire(self) -> None:
        """Let every token run out at once."""
        self._until = dict.fromkeys(self._until, float("-inf"))

    def check(self, header: str | None) -> None:
        """Refuse a bearer that is missing, unknown or past its time."""
        if not header:
            _unauthorised("authorization-token-missing", "The authorization header is missing")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or token not in self._until:
            _unauthorised("authorization-token-invalid", "The authorization header is invalid")
        if self._now() >= self._until[token]:
            _unauthorised("authorization-token-expired", "The authorization token has expired")


def _unauthorised(code: str, detail: str) -> NoReturn:
    raise CriteoProblemError(401, "authorization", code, detail)


Handler = Callable[[Call], Response]


class Gate:
    """What every call passes before its handler, in Criteo's order: quota, version, token, scope, body."""

    def __init__(self, market: Market, tokens: Tokens) -> None:
        self._market = market
        self._tokens = tokens
        self._calls = MinuteWindow(market.switches.criteo_per_minute)
        self._reports = MinuteWindow(market.switches.criteo_reports_per_minute)

    def __call__(
        self, handler: Handler, scope: str | None = None, *, reporting: bool = False
    ) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a handler that needs `scope`."""

        async def endpoint(request: Request) -> Response:
            quota = (self._reports if reporting else self._calls).take()
            try:
                self._admit(request, scope, quota)
                call = Call(
                    self._market,
                    request.url.path,
                    request.path_params,
                    request.query_params,
                    await _body(request),
                )
                with self._market.lock:
                    response = handler(call)
            except CriteoProblemError as error:
                response = self._refusal(error, request.url.path)
            _decorate(response, request.path_params["version"], quota)
            return response

        return endpoint

    def _admit(self, request: Request, scope: str | None, quota: Quota | None) -> None:
        switches, version = self._market.switches, request.path_params["version"]
        if version in switches.decommissioned:
            raise CriteoProblemError(
                410, "deprecation", "version-decommissioned", f"Version {version} is gone."
            )
        if version not in VERSIONS:
            raise CriteoProblemError(404, "availability", "not-found", "There is nothing at this address.")
        if quota is not None and not quota.allowed:
            raise CriteoProblemError(429, "quota", "quota-exceeded", "Too many calls in this minute.")
        self._tokens.check(request.headers.get("authorization"))
        if scope is not None and (scope not in switches.scopes or not switches.consent):
            raise CriteoProblemError(
                403, "access-control", "insufficient-permissions", f"The application does not hold {scope}."
            )

    def _refusal(self, error: CriteoProblemError, path: str) -> Response:
        if error.status == 429 and self._market.switches.quota_body != "envelope":
            empty = self._market.switches.quota_body == "empty"
            return Response(status_code=429) if empty else JSONResponse({}, 429)
        body = {"errors": [problem(error.code, error.detail, path, error.kind)], "warnings": []}
        return JSONResponse(body, error.status)


async def _body(request: Request) -> Any:
    if request.method in ("GET", "DELETE"):
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        invalid("unsupported-media-type", "The body must be application/json.", 415)
    try:
        return json.loads(await request.body())
    except ValueError:
        invalid("invalid-json", "The body is not JSON.")


def _decorate(response: Response, version: str, quota: Quota | None) -> None:
    if quota is not None:
        response.headers["x-ratelimit-limit"] = str(quota.limit)
        response.headers["x-ratelimit-remaining"] = str(quota.remaining)
        response.headers["x-ratelimit-reset"] = str(quota.reset)
    if version in DEPRECATED:
        response.headers["Deprecation"] = "true"
        response.headers["Sunset"] = DEPRECATED[version]


def envelope(
    data: Any,
    errors: list[Problem],
    warnings: list[Problem] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Response:
    """The body that every entity endpoint answers with."""
    body = {"data": data, "errors": errors, "warnings": warnings or []}
    return JSONResponse(body if meta is None else {**body, "meta": meta})
