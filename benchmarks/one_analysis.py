"""All estimates, verdicts and gates of every experiment of a ledger, as a whole process. I/O."""

from __future__ import annotations

import json
import sys

from analysis.measurement import measure
from analysis.measuring import gather_all
from benchmarks.large_ledger import WATERMARK, audiences_file
from experiments.audience_file import parse_programme
from experiments.database import connect


def main() -> None:
    """`python -m benchmarks.one_analysis LEDGER`; prints size and mean of each audience's holdout."""
    engine = connect(sys.argv[1])
    found = [measure(facts) for facts in gather_all(engine, parse_programme(audiences_file()), WATERMARK)]
    engine.dispose()
    audiences = [each for each in found if each.experiment.kind == "audience"]
    arms = {
        each.experiment.name: [each.revenue.n_holdout, round(each.revenue.mean_holdout or 0.0, 9)]
        for each in audiences
    }
    print(json.dumps(arms))


if __name__ == "__main__":
    main()
