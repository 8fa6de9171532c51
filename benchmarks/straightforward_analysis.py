"""The analysis one would write first: pandas, merge and groupby, for the sums of the same windows alone. I/O.

It is the yardstick of `benchmarks.analysis_speed`: no estimate, no totals since entry, no report.
"""

from __future__ import annotations

import json
import sys

import pandas as pd
from sqlalchemy import select

from benchmarks.large_ledger import DAY, WATERMARK
from experiments.database import connect
from experiments.schema import entrants, orders, phases


def main() -> None:
    """`python -m benchmarks.straightforward_analysis LEDGER`; prints size and mean of each audience's holdout."""
    engine = connect(sys.argv[1])
    with engine.connect() as connection:
        names = {row.id: row.audience for row in connection.execute(select(phases))}
        entered = pd.read_sql(select(entrants), connection)
        net = (orders.c.revenue - orders.c.refunded).label("net")
        bought = pd.read_sql(select(orders.c.unit, orders.c.ordered_at, net), connection)
    arms = {}
    for phase, own in entered.groupby("phase_id"):
        mature = own[(own.entered_at + 14 * DAY <= WATERMARK) & (own.arm < 2)]
        joined = mature.merge(bought, on="unit", how="left")
        inside = (joined.ordered_at >= joined.entered_at) & (joined.ordered_at < joined.entered_at + 14 * DAY)
        y = joined.net.where(inside, 0).groupby(joined.unit).sum() / 100
        table = mature.set_index("unit").join(y.rename("y"))
        sums = table.groupby("arm").y.agg(["size", "sum", lambda v: (v**2).sum(), lambda v: (v**3).sum()])
        n, total = int(sums.loc[1, "size"]), float(sums.loc[1, "sum"])
        arms[names[phase]] = [n, round(total / n, 9)]
    engine.dispose()
    print(json.dumps(arms))


if __name__ == "__main__":
    main()
