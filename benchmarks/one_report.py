"""The weekly report of a ledger as a whole process, from the audit of the arms to the written page; no server. I/O."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.large_ledger import WATERMARK
from flows.measure_lift import measure_lift


def main() -> None:
    """`python -m benchmarks.one_report FOLDER`; the ledger and the audiences file are named by the environment."""
    done = measure_lift.fn(now=datetime.fromtimestamp(WATERMARK, UTC), report_folder=sys.argv[1])
    print(json.dumps({"bytes": Path(done["page"]).stat().st_size}))


if __name__ == "__main__":
    main()
