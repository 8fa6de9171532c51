"""A credential is only ever sent to a server whose certificate somebody vouches for: a real server, a real handshake."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from experiments.errors import Rejected
from sync.limits import Unlimited
from sync.transport import Call, Service

TOKEN = "t0k3n"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{"n":1}'


class Bearer(httpx.Auth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {TOKEN}"
        yield request


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "server.pem"
    file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


@pytest.fixture
def heard(certificate: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Where the server listens, and what it was told after a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening, told = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        while True:
            try:
                raw, _ = listening.accept()
            except OSError:
                return
            with raw:
                try:
                    with context.wrap_socket(raw, server_side=True) as secure:
                        told.append(secure.recv(65_536))
                        secure.sendall(ANSWER)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}", told
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)


def ask(url: str) -> dict[str, int]:
    service = Service("Vendor", url, Unlimited(), auth=Bearer())
    try:
        return service.call(Call("GET", "/v1/lists"), msgspec.json.Decoder(dict[str, int]).decode)
    finally:
        service.close()


def test_a_server_that_nobody_vouches_for_is_told_nothing(heard: tuple[str, list[bytes]]) -> None:
    url, told = heard
    with pytest.raises(Rejected, match="its TLS certificate is not trusted") as caught:
        ask(url)
    assert TOKEN not in str(caught.value)
    assert told == []


def test_a_server_whose_issuer_is_trusted_is_told_the_credential(
    heard: tuple[str, list[bytes]], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, told = heard
    trusting = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr("sync.transport.trusted_certificates", lambda: trusting)
    assert ask(url) == {"n": 1}
    assert TOKEN.encode() in told[0]
