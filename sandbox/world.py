"""The sandbox as one object: a shop, a Customer.io and a Criteo on loopback, and a clock that the caller moves. I/O."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from starlette.applications import Starlette

from sandbox.arrivals import Arrivals
from sandbox.books import Books, close_books
from sandbox.clock import Clock
from sandbox.criteo import criteo
from sandbox.criteo_wire import Credentials, Tokens
from sandbox.customerio import customerio
from sandbox.customerio_wire import Keys
from sandbox.faults import Faults, Faulty, Server, Transports
from sandbox.market import Market, Write, open_market, steps
from sandbox.servers import LoopbackServer, tracking_protocol
from sandbox.shop_database import ShopDatabase
from sandbox.switches import Switches
from sandbox.workspace import Workspace

__all__ = ["Books", "Sandbox", "Switches", "Write"]


@dataclass(slots=True, repr=False)
class Sandbox:
    """Two servers and the world behind them; its keys are drawn anew at each start and never printed."""

    customerio_url: str
    criteo_url: str
    app_key: str
    track_site_id: str
    track_api_key: str
    client_id: str
    client_secret: str
    advertiser_id: str
    orders_path: Path
    segment_ids: dict[str, int]
    ad_sets: dict[str, str]
    clock: Clock
    faults: Faults
    arrivals: dict[Server, Arrivals]
    market: Market
    workspace: Workspace
    tokens: Tokens
    _servers: tuple[LoopbackServer, LoopbackServer]
    _database: ShopDatabase

    @classmethod
    def start(
        cls,
        *,
        profiles: int = 60_000,
        seed: int = 7,
        start: datetime,
        orders_path: Path,
        switches: Switches | None = None,
    ) -> Self:
        """Draw the world from `seed`, write the shop's history to `orders_path`, and serve."""
        switches = switches or Switches()
        clock, faults = Clock(start), Faults()
        credentials = Credentials(secrets.token_hex(12), f"{secrets.token_hex(12)}+{secrets.token_hex(6)}")
        keys = Keys(secrets.token_hex(16), secrets.token_hex(10), secrets.token_hex(10))
        advertiser_id = str(10_000 + secrets.randbelow(90_000))
        market = open_market(profiles, seed, clock, switches, advertiser_id)
        database = ShopDatabase(
            orders_path,
            market.people,
            np.random.default_rng([seed, 4]),
            switches.late_orders,
            switches.refund_share,
        )
        database.write(market.ledger.read(), clock.epoch(), punctual=True)
        workspace, tokens = Workspace(market), Tokens(credentials, market)
        arrivals: dict[Server, Arrivals] = {"customerio": Arrivals(), "criteo": Arrivals()}
        first = _serve("customerio", customerio(workspace, keys), faults, arrivals)
        second = _serve("criteo", criteo(market, tokens), faults, arrivals)
        return cls(
            customerio_url=first.url,
            criteo_url=second.url,
            app_key=keys.app_key,
            track_site_id=keys.site_id,
            track_api_key=keys.track_key,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret,
            advertiser_id=advertiser_id,
            orders_path=orders_path,
            segment_ids={segment.name: segment.id for segment in workspace.segments.values()},
            ad_sets={ad_set.name: ad_set.id for ad_set in market.account.ad_sets},
            clock=clock,
            faults=faults,
            arrivals=arrivals,
            market=market,
            workspace=workspace,
            tokens=tokens,
            _servers=(first, second),
            _database=database,
        )

    def advance(self, hours: float) -> None:
        """Live through `hours`, an hour at a step, and write the shop's new orders in one transaction."""
        for seconds in steps(hours):
            with self.market.lock:
                self.market.step(seconds)
        with self.market.lock:
            self._database.write(self.market.ledger.read(), self.clock.epoch())

    def books(self) -> Books:
        """The truth, as it stands now."""
        with self.market.lock:
            return close_books(self.market)

    def members(self, segment_name: str) -> frozenset[bytes]:
        """The units of everybody who is in a Customer.io segment now, known by e-mail there or not."""
        with self.market.lock:
            inside = np.flatnonzero(self.market.members(segment_name))
        return frozenset(self.market.people.units[person] for person in inside)

    def rebuild(self, segment_name: str, polls: int) -> None:
        """Let a Customer.io segment be building again for so many looks at it."""
        with self.market.lock:
            self.workspace.rebuild(self.segment_ids[segment_name], polls)

    def expire_tokens(self) -> None:
        """Let every Criteo token run out now."""
        self.tokens.expire()

    def stop(self, *, wait: bool = True) -> None:
        """Stop both servers, and wait for their threads unless told not to; harmless twice."""
        for server in self._servers:
            server.leave()
        if wait:
            for server in self._servers:
                server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _serve(name: Server, app: Starlette, faults: Faults, arrivals: dict[Server, Arrivals]) -> LoopbackServer:
    transports: Transports = {}
    faulty = Faulty(app, name, faults, transports, arrivals[name])
    return LoopbackServer(faulty, name, tracking_protocol(transports))
