"""The bearer token of Criteo: fetched with the client's credentials, renewed early and once on a 401. I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from threading import Lock

import httpx
import msgspec
from pydantic import SecretStr

from experiments.errors import HoldoutsError, Retryable
from sync.transport import MEANINGS, Call, failure

EARLY = 60.0
"""Seconds before its end at which a token is renewed: 840 of the usual 900."""

_CALL = Call("POST", "/oauth2/token")
_REFUSED = (
    "did not accept CRITEO_CLIENT_ID and CRITEO_CLIENT_SECRET: they must be of one application with "
    "client credentials"
)
_MEANINGS = {**MEANINGS, 400: _REFUSED, 401: _REFUSED}


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = 900


_answer = msgspec.json.Decoder(_Answer).decode


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


class CriteoToken(httpx.Auth):
    """Authorises requests of one client; threads that share it fetch one token between them."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = base_url.rstrip("/") + _CALL.url
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = Lock()
        self._token: _Token | None = None

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token; with a new one if the service refuses it.

        Not `auth_flow`, around which httpx wraps a generator of its own: an answer that breaks off while that one reads
        it leaves ours suspended for as long as anybody keeps the error, and the lock with it, for ever.
        """
        token = yield from self._bearer(request)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            token = yield from self._bearer(request, refused=token)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _bearer(
        self, request: httpx.Request, refused: str | None = None
    ) -> Generator[httpx.Request, httpx.Response, str]:
        with self._lock:
            token = self._token
            if token is None or token.value == refused or self._clock() >= token.renew_at:
                response = yield self._ask(request)
                token = self._token = self._read(response)
            return token.value

    def _ask(self, request: httpx.Request) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
        }
        return httpx.Request("POST", self._url, data=form, extensions=dict(request.extensions))

    def _read(self, response: httpx.Response) -> _Token:
        try:
            response.read()
        except httpx.HTTPError as error:
            reason = f"Criteo broke off while it gave a token ({_CALL}, {type(error).__name__})"
            raise Retryable(reason, may_have_acted=False) from None
        if not response.is_success:
            raise _unsent(failure("Criteo", _CALL, response, _MEANINGS))
        try:
            answer = _answer(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # The cause may not be quoted: what failed to decode holds a token.
            raise Retryable(f"Criteo answered without a token ({_CALL})", may_have_acted=False) from None
        lasts = max(answer.expires_in - EARLY, answer.expires_in / 2)
        return _Token(answer.access_token, self._clock() + lasts)


def _unsent(error: HoldoutsError) -> HoldoutsError:
    """The error of a token, before which nothing else was sent."""
    error.may_have_acted = False
    return error
