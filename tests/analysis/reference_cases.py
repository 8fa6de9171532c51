"""The numbers to meet: `reference.json`, and the whole reference where ../shared is there. I/O."""

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.estimators.sums import ArmSums, Strata, Stratum

HERE = Path(__file__).parent
SHARED = Path(__file__).parents[2].parent / "shared" / "data"
CASES: dict[str, Any] = json.loads((HERE / "reference.json").read_text())
COMPARISONS: dict[str, Any] = CASES["comparisons"]
SCORES: dict[str, Any] = CASES["score"]

CLOSED_FORM = 1e-9
ROOT = 1e-6


def arm(sums: dict[str, float], conversions: int | None = None) -> ArmSums:
    """One arm of the reference; conversions are Σy where the outcome is 0 or 1."""
    is_binary = sums["sy"] == sums["syy"]
    counted = int(sums["sy"]) if is_binary else 0
    return ArmSums.from_sums(
        int(sums["n"]),
        sums["sy"],
        sums["syy"],
        sums.get("s3", sums["sy"] if is_binary else 0.0),
        conversions=counted if conversions is None else conversions,
        x=sums.get("sx", 0.0),
        xx=sums.get("sxx", 0.0),
        xy=sums.get("sxy", 0.0),
    )


def both(sums: dict[str, Any], control_conversions: int | None = None) -> tuple[ArmSums, ArmSums]:
    """Holdout and treatment of one comparison of the reference."""
    return arm(sums["control"], control_conversions), arm(sums["treatment"], control_conversions)


def single(holdout: ArmSums, treatment: ArmSums) -> Strata:
    """One stratum."""
    return (Stratum(holdout, treatment),)


def strata(control: list[dict[str, float]], treatment: list[dict[str, float]]) -> Strata:
    """Strata from two lists of the reference."""
    pairs = zip(control, treatment, strict=True)
    return tuple(Stratum(arm(c), arm(t), label=str(k)) for k, (c, t) in enumerate(pairs))


def binary(n: int, conversions: int) -> ArmSums:
    """An arm whose outcome is 0 or 1."""
    k = float(conversions)
    return ArmSums.from_sums(n, k, k, k, conversions=conversions)


def close(value: float, tolerance: float = CLOSED_FORM) -> Any:
    """Within `tolerance`, relative, and absolutely nothing."""
    return pytest.approx(value, rel=tolerance, abs=0.0)


def near(value: float) -> Any:
    """A root: within 1e-6 relative."""
    return close(value, ROOT)
