"""A process of its own that syncs when it is told to, and says how much memory it holds. I/O.

Each line on standard input is a JSON object: `now`, and perhaps `audience` with `ppm` for a holdout to change
first. Each answer is one line: `error`, the kind of what the sync raised, or null, and `rss` in bytes where it is
asked to `weigh` itself: collecting what is garbage first takes longer than a small sync.
"""

import gc
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import stamina

from experiments.errors import HoldoutsError
from flows.holdout_change import set_holdout
from flows.sync_audiences import sync_audiences


def main() -> None:
    stamina.set_testing(True, attempts=3, cap=True)
    for line in sys.stdin:
        asked = json.loads(line)
        error = None
        try:
            if "audience" in asked:
                set_holdout(
                    asked["audience"],
                    asked["ppm"],
                    reason="the month's",
                    who="ada",
                    route="form",
                    now=_now(asked),
                )
            sync_audiences.fn(now=_now(asked))
        except HoldoutsError as raised:
            error = type(raised).__name__
        answer: dict[str, object] = {"error": error}
        if asked["weigh"]:
            gc.collect()
            answer["rss"] = _resident()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _now(asked: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(asked["now"])


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
