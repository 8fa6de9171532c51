"""One sync of one audience as a whole process, without Prefect; prints where its time went. I/O."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from flows.session import open_criteo, open_customerio, open_session
from sync.applying import apply
from sync.decision import decide
from sync.gathering import gather

T = TypeVar("T")


def main() -> None:
    """`python -m benchmarks.one_sync SECONDS`: the time that is written down."""
    at = int(sys.argv[1])
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        done = work()
        spent[name] = round(time.perf_counter() - began, 3)
        return done

    with open_session() as session, open_customerio(session) as customerio, open_criteo(session) as criteo:
        gathered = timed("gather", lambda: gather(session.engine, customerio, session.programme))
        plan = timed("decide", lambda: decide(gathered.facts))
        timed("apply", lambda: apply(session.engine, criteo, session.programme, plan, at))
    adds, removes = (sum(len(getattr(each, name)) for each in plan.lists) for name in ("adds", "removes"))
    print(json.dumps({**spent, "adds": adds, "removes": removes, "refused": len(plan.refused)}))


if __name__ == "__main__":
    main()
