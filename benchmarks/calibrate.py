"""How often the product's lift errs, beside Welch, Fieller and a plain confidence sequence. I/O.

`python -m benchmarks.calibrate` writes docs/calibration.md and docs/calibration.svg: seeded, on two
processes, some minutes. `--scale 0.05` is a quick look that writes to a folder of your choice (`--to`).
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.calibration_cases import Case, Found, cases, run
from benchmarks.calibration_figure import draw_figure
from benchmarks.calibration_page import misses, page

SEED = 20_260_701
DOCS = Path(__file__).parents[1] / "docs"


def calibrate(scale: float, workers: int) -> list[Found]:
    """Every case in its order; each has a seed of its own, so that workers change nothing."""
    planned = cases(scale)
    seeds = np.random.SeedSequence(SEED).spawn(len(planned))
    costly_first = sorted(range(len(planned)), key=lambda k: -_cost(planned[k]))
    found: dict[int, Found] = {}
    with ProcessPoolExecutor(workers) as pool:
        waiting = [(k, pool.submit(run, planned[k], seeds[k])) for k in costly_first]
        for k, future in waiting:
            found[k] = future.result()
    return [found[k] for k in range(len(planned))]


def _cost(case: Case) -> float:
    """About how many orders the case draws, and for the hybrid how many intervals it solves."""
    programme = case.programme
    orders = programme.units * float(np.sum(programme.rates))
    return case.experiments * (orders + (5_000.0 if case.kind == "hybrid" else 0.0))


def main() -> None:
    """Simulate, write the page and its figure, and say what missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the experiments of every case")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--to", type=Path, default=DOCS)
    given = parser.parse_args()
    began = time.perf_counter()
    found = calibrate(given.scale, given.workers)
    (given.to / "calibration.md").write_text(page(found, SEED), encoding="utf-8")
    draw_figure(found, given.to / "calibration.svg")
    took = time.perf_counter() - began
    experiments = sum(one.case.experiments for one in found)
    print(f"{len(found)} cases, {experiments:,} programmes, {took:.0f} s; {len(misses(found))} misses")
    print(f"{given.to / 'calibration.md'}")


if __name__ == "__main__":
    main()
