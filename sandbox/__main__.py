"""`python -m sandbox`: one line of JSON that says where everything is, then serving until told to stop. I/O."""

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from sandbox.control import Control, introduction
from sandbox.servers import LoopbackServer
from sandbox.switches import Switches
from sandbox.world import Sandbox


def main(arguments: list[str] | None = None) -> None:
    """Start a sandbox and its control port, and serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A shop, a Customer.io, a Criteo.")
    parser.add_argument("--profiles", type=int, default=60_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=datetime.fromisoformat, default=datetime(2026, 9, 1, tzinfo=UTC))
    parser.add_argument("--orders", type=Path, default=Path("shop.sqlite"))
    parser.add_argument("--no-rate-limits", action="store_true", help="let clients be as fast as they can")
    asked = parser.parse_args(arguments)
    start = asked.start if asked.start.tzinfo else asked.start.replace(tzinfo=UTC)
    switches = (
        Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
        if asked.no_rate_limits
        else Switches()
    )
    with (
        Sandbox.start(
            profiles=asked.profiles, seed=asked.seed, start=start, orders_path=asked.orders, switches=switches
        ) as box,
        LoopbackServer(Control(box).app(), "control") as control,
    ):
        sys.stdout.write(json.dumps({**introduction(box), "control_url": control.url}) + "\n")
        sys.stdout.flush()
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        stopped.wait()


if __name__ == "__main__":
    main()
