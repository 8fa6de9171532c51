"""The one place where an HTTP status or a broken connection becomes one of our errors. I/O.

A failed call says whether the service may have acted: a refused connection, a 4xx and a 429 mean that
it did not; a time-out after sending, a dropped connection and a 5xx that it may have. Messages name the
service, the method, the path template and the status, never a body, a query, a token or a person.
"""

from __future__ import annotations

import logging
import random
import re
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import TypeVar

import httpx
import msgspec
import stamina

from experiments.errors import HoldoutsError, Rejected, Retryable
from sync.limits import Limiter

T = TypeVar("T")

log = logging.getLogger(__name__)

MEANINGS: Mapping[int, str] = {
    401: "did not accept the credential",
    403: "does not allow this: the credential lacks a scope, or a consent is missing",
    404: "does not know {subject}",
    408: "waited too long for the request",
    410: "has decommissioned this version of its API",
    413: "found the request too large",
    415: "did not accept the content type",
    429: "asks for fewer requests",
}
REDIRECTED = "redirects elsewhere: wrong region or wrong host"
TIMEOUT = httpx.Timeout(60, connect=10)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]+")


@cache
def trusted_certificates() -> ssl.SSLContext:
    """The certificates that are trusted, read once: reading them takes 20 ms, which each client would pay."""
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a call is repeated; `longest` also caps the wait that a service asks for."""

    attempts: int = 6
    seconds: float = 180
    first: float = 0.5
    longest: float = 60


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `subject` is what a 404 is about; statuses in `accept` are decoded like a success.

    A call that is not `repeatable` is tried again only while the service certainly has not acted.
    """

    method: str
    template: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    subject: str = "this address"
    repeatable: bool = True
    accept: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name, value in self.path.items():
            if not _PLAIN_ID.fullmatch(value):
                raise Rejected(f"the {name} id of {self.subject} is not an id", may_have_acted=False)

    @property
    def url(self) -> str:
        """The path with its ids filled in."""
        return self.template.format_map(self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


class Throttled(Retryable):
    """The service said how many seconds to wait."""

    def __init__(self, message: str, *, seconds: float) -> None:
        super().__init__(message, may_have_acted=False)
        self.seconds = seconds


class Service:
    """A remote service: one HTTP client, one limiter, one meaning for each status.

    `meanings` replace the general ones; `reasons` picks machine-readable codes out of an error body;
    `observe` sees each response. TLS is verified and no redirect is ever followed.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        limiter: Limiter,
        *,
        auth: httpx.Auth | None = None,
        meanings: Mapping[int, str] | None = None,
        redirected: str = REDIRECTED,
        reasons: Callable[[bytes], Iterable[str]] = lambda _: (),
        observe: Callable[[httpx.Response], None] = lambda _: None,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._limiter = limiter
        self._meanings = {**MEANINGS, **(meanings or {})}
        self._redirected = redirected
        self._reasons = reasons
        self._observe = observe
        self._patience = patience or Patience()
        self._client = httpx.Client(
            base_url=base_url,
            auth=auth,
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=transport,
            verify=trusted_certificates(),
        )

    def __repr__(self) -> str:
        return f"Service({self.name} at {self._client.base_url.host})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, call: Call, decode: Callable[[bytes], T], *, limiter: Limiter | None = None) -> T:
        """The decoded answer, after repeats where they can help.

        What is raised at the end may have acted if any of the attempts may have.
        """
        acted = False
        for attempt in stamina.retry_context(
            on=partial(_pause, call, self._patience),
            attempts=self._patience.attempts,
            timeout=self._patience.seconds,
            wait_initial=self._patience.first,
            wait_max=self._patience.longest,
        ):
            with attempt:
                try:
                    return self._once(call, decode, limiter or self._limiter)
                except HoldoutsError as error:
                    acted = error.may_have_acted = error.may_have_acted or acted
                    raise
        raise AssertionError("stamina either returns, raises or repeats")

    def _once(self, call: Call, decode: Callable[[bytes], T], limiter: Limiter) -> T:
        limiter.acquire()
        outcome = self._exchange(call)
        if isinstance(outcome, httpx.HTTPError):
            # A protocol error quotes the bytes that it met: a header of ours or a body of theirs.
            quotable = None if isinstance(outcome, httpx.ProtocolError) else outcome
            raise unanswered(self.name, call, outcome) from quotable
        self._observe(outcome)
        if not outcome.is_success and outcome.status_code not in call.accept:
            raise self._failure(call, outcome)
        try:
            return decode(outcome.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if not outcome.is_success:
                raise self._failure(call, outcome) from error
            raise Retryable(
                f"{self.name} answered in a form that is not its API's ({call}, status {outcome.status_code})"
            ) from error

    def _exchange(self, call: Call) -> httpx.Response | httpx.HTTPError:
        headers = {} if call.content is None else {"Content-Type": "application/json"}
        try:
            return self._client.request(
                call.method, call.url, params=call.query or None, content=call.content, headers=headers
            )
        except httpx.HTTPError as error:
            return error

    def _failure(self, call: Call, response: httpx.Response) -> HoldoutsError:
        reasons = () if response.is_redirect else tuple(self._reasons(response.content))
        return failure(self.name, call, response, {**self._meanings, 300: self._redirected}, reasons)


def failure(
    service: str,
    call: Call,
    response: httpx.Response,
    meanings: Mapping[int, str] = MEANINGS,
    reasons: Sequence[str] = (),
) -> HoldoutsError:
    """The error that a status stands for; 300 in `meanings` is said of every redirect."""
    status = response.status_code
    meaning = _meaning(status, meanings).replace("{subject}", call.subject)
    codes = f", {', '.join(reasons)}" if reasons else ""
    message = f"{service} {meaning} ({call}, status {status}{codes})"
    if status == 429:
        seconds = _asked_to_wait(response.headers, time.time())
        if seconds is not None:
            return Throttled(message, seconds=seconds)
        return Retryable(message, may_have_acted=False)
    if status >= 500 or status == 408:
        return Retryable(message)
    return Rejected(message, may_have_acted=False)


def unanswered(service: str, call: Call, error: httpx.HTTPError) -> HoldoutsError:
    """The error for a call that got no complete answer."""
    kind = type(error).__name__
    if isinstance(error, httpx.LocalProtocolError):
        return Rejected(
            f"{service} could not be asked: a credential holds characters that no header may ({call})",
            may_have_acted=False,
        )
    if _is_untrusted(error):
        return Rejected(
            f"{service} could not be asked: its TLS certificate is not trusted ({call})", may_have_acted=False
        )
    if isinstance(error, _NEVER_SENT) or not error.request.url.path.endswith(call.url):
        return Retryable(f"{service} could not be reached ({call}, {kind})", may_have_acted=False)
    return Retryable(f"{service} did not answer ({call}, {kind})")


def _meaning(status: int, meanings: Mapping[int, str]) -> str:
    if status in meanings:
        return meanings[status]
    if status >= 500:
        return "failed"
    return meanings.get(300, REDIRECTED) if 300 <= status < 400 else "did not accept the request"


def _pause(call: Call, patience: Patience, error: Exception) -> bool | float:
    """Whether to repeat the call, and after how many seconds where the service said so."""
    if not isinstance(error, Retryable) or (error.may_have_acted and not call.repeatable):
        return False
    log.info("%s: this may pass, and is tried again while patience lasts", error)
    if not isinstance(error, Throttled):
        return True
    jitter = random.random()  # noqa: S311 - spreads the processes that wait for one reset
    return min(error.seconds + jitter, patience.longest)


def _asked_to_wait(headers: httpx.Headers, now: float) -> float | None:
    """Seconds from `Retry-After` (a number or a date) or `x-ratelimit-reset` (Unix time), if given."""
    for name, at_zero in (("retry-after", 0.0), ("x-ratelimit-reset", now)):
        text = headers.get(name, "")
        if text.isdecimal():
            return max(0.0, float(text) - at_zero)
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - now)
    except ValueError:
        return None


def _is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate that failed verification stands anywhere behind the error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
