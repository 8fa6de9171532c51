"""How long people stay in a segment, read from what it is called: `cart-0-4h`, `lapsed-60-120d`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECONDS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_UNIT = r"(h|d|w|hours?|days?|weeks?)"
_DASH = r"\s*(?:-|–|to)\s*"
_STAY = re.compile(rf"(?<![\d.])(\d+)\s*{_UNIT}?{_DASH}(\d+)\s*{_UNIT}(?![a-z0-9])", re.IGNORECASE)
_LENGTH = re.compile(rf"(?<![\d.])(\d+)[\s-]*{_UNIT}(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stay:
    """People are members from `start` to `end` seconds after whatever made them so."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How long anybody is a member."""
        return self.end - self.start

    def __str__(self) -> str:
        unit = "d" if self.start % 86_400 == self.end % 86_400 == 0 else "h"
        return f"{self.start // _SECONDS[unit]}-{self.end // _SECONDS[unit]}{unit}"


def parse_stay(text: str) -> Stay:
    """`0-4h`, `2-7d` or `20h-3d`; raises ValueError with a sentence."""
    match = _STAY.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no stretch of time; write it like 0-4h or 2-7d")
    stay = _stay(match)
    if stay.end <= stay.start:
        raise ValueError(f"{text!r} ends before it begins")
    return stay


def stay_in_name(name: str) -> Stay | None:
    """The stretch of time that a name promises, if it promises one."""
    match = _STAY.search(name)
    if match is None:
        return None
    stay = _stay(match)
    return stay if stay.end > stay.start else None


def stem_of_name(name: str) -> str | None:
    """What stands before the stretch of time: `cart` of `cart-0-4h`; None where there is none."""
    match = _STAY.search(name)
    if match is None or stay_in_name(name) is None:
        return None
    return name[: match.start()].rstrip("-– ")


def journey_of_name(name: str) -> str | None:
    """What a name says besides the stretch of time: `cart-uk` of `cart-0-4h-uk`; None where it has no stretch."""
    match = _STAY.search(name)
    if match is None or stay_in_name(name) is None:
        return None
    return "-".join(
        part for part in (name[: match.start()].strip("-– "), name[match.end() :].strip("-– ")) if part
    )


def is_bounded(name: str) -> bool:
    """Whether a name says any length of time at all: `Ordered in the last 7 days`."""
    return _LENGTH.search(name) is not None


def _stay(match: re.Match[str]) -> Stay:
    low, low_unit, high, high_unit = match.groups()
    return Stay(int(low) * _seconds(low_unit or high_unit), int(high) * _seconds(high_unit))


def _seconds(unit: str) -> int:
    return _SECONDS[unit[0].lower()]
