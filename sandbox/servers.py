"""An ASGI application as a real HTTP server on a free loopback port, in a thread of its own. I/O."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.faults import Transports


def tracking_protocol(transports: Transports) -> type[asyncio.Protocol]:
    """An HTTP protocol that keeps each open connection's transport by the client's address."""

    class Tracking(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            self._peer = tuple(transport.get_extra_info("peername")[:2])
            transports[self._peer] = transport
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            transports.pop(self._peer, None)
            super().connection_lost(exc)

    return Tracking


def _listen() -> socket.socket:
    """A listening socket that says it is TCP: asyncio switches Nagle's delay (40 ms an answer) off only then."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


class LoopbackServer:
    """Serves `app` on 127.0.0.1 from construction until `stop`."""

    def __init__(self, app: ASGIApp, name: str, protocol: type[asyncio.Protocol] = H11Protocol) -> None:
        self._socket = _listen()
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=protocol,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"sandbox-{name}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def leave(self) -> None:
        """Begin to stop, without waiting."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Stop serving and wait for the thread; harmless twice."""
        self.leave()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])

    def __enter__(self) -> Self:
        """Serve for the length of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
