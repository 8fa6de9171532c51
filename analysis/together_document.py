"""All audiences together, as the plain numbers of `report.json`. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.measurement import Measurement
from analysis.plain_numbers import Document, interval
from analysis.together import FALSE_CLAIMS, Shrinkage, read_together


def together(measurements: Sequence[Measurement]) -> Document:
    """Claims among all and shrinkage; the latter is null below five experiments with enough data."""
    found = read_together(measurements)
    return {
        "false_claims": FALSE_CLAIMS,
        "claims": [
            {
                "name": each.name,
                "log_e_value": each.log_e_value,
                "stands": each.stands,
                "interval": None if each.interval is None else interval(each.interval),
            }
            for each in found.claims
        ],
        "shrinkage": None if found.shrinkage is None else _shrinkage(found.shrinkage),
    }


def _shrinkage(found: Shrinkage) -> Document:
    return {
        "mean": found.mean,
        "mean_interval": interval(found.mean_interval),
        "tau": found.tau,
        "drawn": [
            {
                "name": each.name,
                "lift": each.lift,
                "interval": interval(each.interval),
                "drawn": each.drawn,
                "drawn_interval": interval(each.drawn_interval),
                "pull": each.pull,
            }
            for each in found.drawn
        ],
    }
