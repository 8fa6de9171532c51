"""Transport: each failure becomes the right error, says whether the service may have acted, and no more."""

import pickle
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from email.utils import formatdate

import httpx
import msgspec
import pytest
from vendor import Vendor, everything_said

from experiments.errors import HoldoutsError, Rejected, Retryable
from sync.limits import Unlimited
from sync.transport import Call, Patience, Service, Throttled

PERSON = "ada@example.com"
DIGEST = "ab" * 32
TOKEN = "t0k3n"
CALL = Call(
    "PATCH",
    "/v1/lists/{list}",
    path={"list": "7"},
    query={"who": PERSON},
    content=DIGEST.encode(),
    subject="list 7",
)

decode = msgspec.json.Decoder(dict[str, int]).decode


class Bearer(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        yield request


def service(vendor: Vendor) -> Service:
    return Service("Vendor", "https://vendor.test", Unlimited(), auth=Bearer(), transport=vendor.transport)


def failure(vendor: Vendor, call: Call = CALL) -> HoldoutsError:
    with pytest.raises(HoldoutsError) as caught:
        service(vendor).call(call, decode)
    return caught.value


def test_an_answer_is_decoded_and_ids_are_filled_into_the_path() -> None:
    vendor = Vendor(httpx.Response(200, json={"n": 1}))
    assert service(vendor).call(CALL, decode) == {"n": 1}
    assert vendor.requests[0].url.path == "/v1/lists/7"
    assert vendor.requests[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("value", ["../7", "7/contact-list", "7?x=1", "", "7\n", "%2e%2e"])
def test_an_id_that_is_not_one_never_reaches_a_path(value: str) -> None:
    with pytest.raises(Rejected, match="list 7 is not an id"):
        Call("GET", "/v1/lists/{list}", path={"list": value}, subject="list 7")


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "did not accept the request"),
        (401, "credential"),
        (403, "scope"),
        (404, "does not know list 7"),
        (410, "decommissioned"),
        (413, "too large"),
        (415, "content type"),
        (422, "did not accept the request"),
    ],
)
def test_a_4xx_is_ours_to_fix_was_not_acted_on_and_is_not_repeated(status: int, says: str) -> None:
    vendor = Vendor(httpx.Response(status, text=PERSON))
    error = failure(vendor)
    assert isinstance(error, Rejected)
    assert not error.may_have_acted
    assert says in str(error)
    assert str(error).endswith(f"(PATCH /v1/lists/{{list}}, status {status})")
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_means_the_wrong_region_and_is_never_followed(status: int) -> None:
    vendor = Vendor(httpx.Response(status, headers={"location": "https://eu.vendor.test/"}))
    error = failure(vendor)
    assert isinstance(error, Rejected)
    assert "wrong region" in str(error)
    assert "eu.vendor" not in str(error)
    assert [request.url.host for request in vendor.requests] == ["vendor.test"]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 529])
def test_a_5xx_is_repeated_and_may_have_been_acted_on(status: int) -> None:
    vendor = Vendor(httpx.Response(status))
    error = failure(vendor)
    assert isinstance(error, Retryable)
    assert error.may_have_acted
    assert len(vendor.requests) == 6


def test_a_429_is_repeated_and_was_not_acted_on() -> None:
    vendor = Vendor(httpx.Response(429))
    error = failure(vendor)
    assert isinstance(error, Retryable)
    assert not error.may_have_acted
    assert len(vendor.requests) == 6


def test_a_call_that_succeeds_in_the_end_succeeds() -> None:
    vendor = Vendor(
        httpx.Response(503),
        httpx.Response(429),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, json={"n": 2}),
    )
    assert service(vendor).call(CALL, decode) == {"n": 2}


@pytest.mark.parametrize(
    ("raised", "may_have_acted"),
    [
        (httpx.ConnectError("refused"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (httpx.ReadTimeout("slow"), True),
        (httpx.WriteTimeout("slow"), True),
        (httpx.ReadError("reset"), True),
        (httpx.WriteError("reset"), True),
        (httpx.RemoteProtocolError("disconnected"), True),
        (httpx.DecodingError("gzip"), True),
    ],
)
def test_a_broken_connection_says_whether_the_request_had_left(
    raised: httpx.HTTPError, may_have_acted: bool
) -> None:
    error = failure(Vendor(raised))
    assert isinstance(error, Retryable)
    assert error.may_have_acted is may_have_acted
    assert type(raised).__name__ in str(error)


def test_one_doubtful_attempt_makes_the_whole_call_doubtful() -> None:
    error = failure(Vendor(httpx.ReadTimeout("slow"), httpx.ConnectError("refused"), httpx.Response(400)))
    assert isinstance(error, Rejected)
    assert error.may_have_acted


def test_a_call_that_may_not_be_repeated_is_repeated_only_while_nothing_was_done() -> None:
    create = Call("POST", "/v1/lists", repeatable=False)
    vendor = Vendor(
        httpx.Response(429),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, json={}),
    )
    assert failure(vendor, create).may_have_acted
    assert len(vendor.requests) == 3


@pytest.mark.parametrize("body", [b'{"n": 1', b"<html>busy</html>", b"", b'{"n": "one"}', b'{"\xff": 1}'])
def test_an_answer_that_is_not_the_apis_is_asked_for_again(body: bytes) -> None:
    vendor = Vendor(httpx.Response(200, content=body), httpx.Response(200, json={"n": 3}))
    assert service(vendor).call(CALL, decode) == {"n": 3}
    error = failure(Vendor(httpx.Response(200, content=body)))
    assert isinstance(error, Retryable)
    assert error.may_have_acted


def test_a_status_that_the_caller_reads_itself_is_decoded() -> None:
    call = Call("POST", "/v1/lists", accept=frozenset({400}))
    assert service(Vendor(httpx.Response(400, json={"n": 4}))).call(call, decode) == {"n": 4}
    assert isinstance(failure(Vendor(httpx.Response(400, text="no")), call), Rejected)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        (lambda _: {"retry-after": "7"}, 7, 7),
        (lambda now: {"retry-after": formatdate(now + 300, usegmt=True)}, 200, 301),
        (lambda now: {"x-ratelimit-reset": str(int(now) + 200)}, 100, 201),
        (lambda _: {"x-ratelimit-reset": "1628249355"}, 0, 0),
    ],
    ids=["seconds", "date", "epoch", "past"],
)
def test_the_wait_that_a_service_asks_for_is_known(
    headers: Callable[[float], dict[str, str]], least: float, most: float
) -> None:
    error = failure(Vendor(httpx.Response(429, headers=headers(time.time()))))
    assert isinstance(error, Throttled)
    assert least <= error.seconds <= most


@pytest.mark.parametrize("headers", [{}, {"retry-after": "soon"}, {"retry-after": "-3"}])
def test_a_429_without_a_usable_wait_is_an_ordinary_one(headers: dict[str, str]) -> None:
    assert type(failure(Vendor(httpx.Response(429, headers=headers)))) is Retryable


def test_nothing_that_was_sent_or_answered_is_ever_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.set_level("WARNING", logger="httpx")  # its INFO line quotes the whole address
    bodies = [httpx.Response(status, text=f"{PERSON} {DIGEST}") for status in (400, 401, 403, 404, 500)]
    garbage = httpx.RemoteProtocolError(f"illegal status line: bytearray(b'{PERSON}')")
    header = httpx.LocalProtocolError(f"Illegal header value b'Bearer {TOKEN}\\n'")
    html = httpx.Response(200, text=f"<p>{PERSON} {DIGEST}")
    answers: list[httpx.Response | Exception] = [*bodies, garbage, header, html, httpx.ReadTimeout("slow")]
    for answer in answers:
        said = everything_said(failure(Vendor(answer)), caplog)
        assert not [secret for secret in (PERSON, DIGEST, TOKEN) if secret in said]


def test_a_header_that_cannot_be_sent_is_ours_to_fix() -> None:
    error = failure(Vendor(httpx.LocalProtocolError("Illegal header value")))
    assert isinstance(error, Rejected)
    assert not error.may_have_acted


def test_a_certificate_that_is_not_trusted_is_ours_to_fix_and_not_repeated() -> None:
    refused = httpx.ConnectError("TLS")
    refused.__cause__ = ssl.SSLCertVerificationError("self-signed")
    vendor = Vendor(refused)
    assert isinstance(failure(vendor), Rejected)
    assert len(vendor.requests) == 1


def test_errors_keep_what_they_know_when_prefect_pickles_them() -> None:
    error = pickle.loads(pickle.dumps(Retryable("Vendor failed", may_have_acted=False)))
    assert (str(error), error.may_have_acted, error.exit_status) == ("Vendor failed", False, 3)


def test_printing_a_call_or_a_service_shows_no_content() -> None:
    said = repr(CALL) + str(CALL) + repr(service(Vendor(httpx.Response(200))))
    assert not [secret for secret in (PERSON, DIGEST, TOKEN) if secret in said]


@contextmanager
def listener(behave: str) -> Iterator[str]:
    """A real socket that drops each connection: before reading, or after it has read the request."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    if behave == "half":
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                    elif behave == "silent":
                        connection.recv(65536)
                        time.sleep(0.5)
                    else:
                        connection.recv(65536)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
    thread.join(2)


@pytest.mark.parametrize("behave", ["drop", "half"])
def test_a_real_connection_that_drops_after_the_request_leaves_doubt(behave: str) -> None:
    with listener(behave) as url:
        real = Service("Vendor", url, Unlimited(), patience=Patience(attempts=2))
        with pytest.raises(Retryable, match="did not answer") as caught:
            real.call(CALL, decode)
        real.close()
    assert caught.value.may_have_acted


def test_a_real_port_where_nobody_listens_leaves_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    real = Service("Vendor", f"http://127.0.0.1:{port}", Unlimited(), patience=Patience(attempts=2))
    with pytest.raises(Retryable, match="could not be reached") as caught:
        real.call(CALL, decode)
    real.close()
    assert not caught.value.may_have_acted
