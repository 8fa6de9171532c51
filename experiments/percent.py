"""Percentages as people write them, kept as exact parts per million. Pure."""

import re
from decimal import Decimal

_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%?\s*$")
LARGEST_HOLDOUT = 500_000


def parse_percent(text: str) -> int:
    """Parts per million of `10%`, `2.5 %` or `10`; raises ValueError with a sentence."""
    match = _PERCENT.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no percentage; write it like 10% or 2.5%")
    ppm = Decimal(match[1]) * 10_000
    if ppm != int(ppm):
        raise ValueError(f"{text!r} is finer than one part in a million")
    return int(ppm)


def parse_holdout(text: str) -> int:
    """The same, for a holdout: between 0% and 50%."""
    ppm = parse_percent(text)
    if ppm > LARGEST_HOLDOUT:
        raise ValueError(f"{text.strip()} is more than a holdout may be; choose between 0% and 50%")
    return ppm


def show_percent(ppm: int) -> str:
    """`10 %`, `2.5 %`: no more digits than needed."""
    return (
        f"{Decimal(ppm) / 10_000:f}".rstrip("0").rstrip(".") + " %" if ppm % 10_000 else f"{ppm // 10_000} %"
    )
