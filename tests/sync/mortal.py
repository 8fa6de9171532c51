"""Forks a process for each sync, so that one can be killed like any process and the next starts at once.

`python mortal.py` imports everything once, then reads lines "SECONDS CHUNK" from standard input; for each
it forks a child that runs one sync as it would be deployed, prints the child's id, and then how it ended.
"""

from __future__ import annotations

import os
import sys
import traceback

from experiments.errors import HoldoutsError
from experiments.lock import exclusive
from flows.session import open_criteo, open_customerio, open_session
from sync.applying import apply
from sync.decision import decide
from sync.gathering import gather

BROKEN = 99


def run_sync(at: int, chunk: int) -> None:
    """One sync of the programme that the environment names."""
    with open_session() as session, exclusive(session.engine, "sync"):
        with open_customerio(session) as customerio:
            gathered = gather(session.engine, customerio, session.programme)
        with open_criteo(session) as criteo:
            apply(session.engine, criteo, session.programme, decide(gathered.facts), at, chunk=chunk)
        for failure in gathered.failures.values():
            raise failure


def _live(at: int, chunk: int) -> int:
    try:
        run_sync(at, chunk)
    except HoldoutsError as error:
        print(type(error).__name__, error, file=sys.stderr)  # noqa: T201 - the test's own log
        return error.exit_status
    return 0


def main() -> None:
    """Serves until standard input ends."""
    for line in sys.stdin:
        at, chunk = (int(word) for word in line.split())
        child = os.fork()
        if child == 0:
            status = BROKEN
            try:
                status = _live(at, chunk)
            finally:
                if status == BROKEN:
                    traceback.print_exc()
                sys.stderr.flush()
                os._exit(status)
        print(child, flush=True)  # noqa: T201 - the parent reads it
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
