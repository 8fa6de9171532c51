"""How a number of the report is said: three digits, thin spaces, never without its interval. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import floor, log10
from typing import Any

THIN = "\u202f"
MINUS = "\u2212"
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A value of the document and the JSON pointer (RFC 6901) at which `report.json` has it."""

    value: Any
    pointer: str = ""

    def __getitem__(self, key: str | int) -> Place:
        return Place(self.value[key], f"{self.pointer}/{_escaped(key)}")

    def each(self) -> tuple[Place, ...]:
        """The items of a list."""
        return tuple(self[at] for at in range(len(self.value)))


@dataclass(frozen=True, slots=True)
class Said:
    """A number as the reader sees it, with the exact value and where `report.json` has it."""

    text: str
    value: float
    pointer: str


Sentence = tuple[str | Said, ...]
"""Words and numbers in order; a template marks up the numbers."""
Way = Callable[[Place], Said]
"""A way of saying a number."""

NOT_ENOUGH: Sentence = ("not enough data",)
WITHHELD: Sentence = ("withheld: a check failed",)
UNKNOWN: Sentence = ("not known",)


def plain(sentence: Sentence) -> str:
    """The sentence as text."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in sentence)


def money(currency: str) -> Way:
    """Currency with three significant digits, millions as “m”."""
    return lambda place: Said(money_text(place.value, currency), place.value, place.pointer)


def money_text(value: float, currency: str) -> str:
    """€12 300, −€4.56, SEK 1.23 m; less than a cent is nothing."""
    rounded = _significant(round(abs(value), 2), 3)
    unit = f"{THIN}m" if rounded >= 1e6 else ""
    scaled = rounded / 1e6 if unit else rounded
    decimals = min(2, max(0, 2 - floor(log10(scaled)))) if scaled else 0
    sign = MINUS if value < 0 and scaled else ""
    return f"{sign}{_SYMBOLS.get(currency, f'{currency}{THIN}')}{_grouped(scaled, decimals)}{unit}"


def signed_percent(place: Place) -> Said:
    """A share as a change: +12.3 %."""
    return Said(percent_text(place.value, signed=True), place.value, place.pointer)


def percent(place: Place) -> Said:
    """A share: 12.3 %."""
    return Said(percent_text(place.value), place.value, place.pointer)


def percent_text(share: float, *, signed: bool = False) -> str:
    """One decimal below a hundred per cent, none above."""
    shown = 100.0 * share
    text = _grouped(shown, 1 if abs(shown) < 99.95 else 0)
    positive = signed and not text.startswith(MINUS) and text.strip("0.") != ""
    return f"{'+' if positive else ''}{text}{THIN}%"


def percent_tick(share: float) -> str:
    """A share at an axis, as short as it goes: +20 %."""
    return f"{100 * share:+.6g}{THIN}%".replace("-", MINUS).replace("+0", "0")


def ratio_tick(value: float) -> str:
    """A return at an axis."""
    return f"{value:.6g}".replace("-", MINUS)


def holdout_text(per_cent: float) -> str:
    """A percentage as it was asked for: 10 %, 2.5 %."""
    return f"{per_cent:g}{THIN}%"


def count(place: Place) -> Said:
    """A count, in full."""
    return Said(count_text(place.value), place.value, place.pointer)


def count_text(number: float) -> str:
    """12 345."""
    return _grouped(number, 0)


def thousandths(place: Place) -> Said:
    """A share as people of a thousand: 3.12."""
    return Said(_grouped(1_000.0 * place.value, 2), place.value, place.pointer)


def hours(place: Place) -> Said:
    """A length of time given in hours, in the unit that says enough: 40 min, 3.5 h, 2.1 days."""
    return Said(hours_text(place.value), place.value, place.pointer)


def hours_text(number: float) -> str:
    """Minutes below an hour, days from two days on."""
    if number < 1:
        return f"{round(60 * number)}{THIN}min"
    if number < 48:
        return f"{_short(number)}{THIN}h"
    return f"{_short(number / 24)} days"


def weeks(place: Place) -> Said:
    """A number of weeks, whole from ten on."""
    number = place.value
    shown = _short(number)
    return Said(f"{shown} week{'' if shown == '1' else 's'}", number, place.pointer)


def ratio(decimals: int) -> Way:
    """Currency back per currency spent."""
    return lambda place: Said(_grouped(place.value, decimals), place.value, place.pointer)


def ratio_decimals(values: list[float], break_even: float) -> int:
    """One decimal, or two where one would put a value on the wrong side of break-even or on it."""
    shown = round(break_even, 1)
    hidden = any(round(value, 1) == shown and value != break_even for value in values)
    return 2 if hidden or any(0 < abs(value) < 0.05 for value in values) else 1


def between(interval: Place, way: Way) -> Sentence:
    """An interval in words; an open side is said to be open."""
    low, high = interval.value
    if low is None and high is None:
        return ("anything: the data set no limit yet",)
    if low is None:
        return ("at most ", way(interval[1]), ", with no lower limit")
    if high is None:
        return ("at least ", way(interval[0]), ", with no upper limit")
    return ("between ", way(interval[0]), " and ", way(interval[1]))


def short_between(interval: Place, way: Way) -> Sentence:
    """An interval in a table's few words; “at least” and “at most” say that the other side is open."""
    low, high = interval.value
    if low is None and high is None:
        return ("no limit yet",)
    if low is None:
        return ("at most ", way(interval[1]))
    if high is None:
        return ("at least ", way(interval[0]))
    return (way(interval[0]), " to ", way(interval[1]))


def estimated(point: Place, interval: Place, way: Way) -> Sentence:
    """A number with its interval; where the number could not be made, that and what the interval allows."""
    if point.value is None:
        return ("not estimable; surely ", *between(interval, way))
    return (way(point), ", surely ", *between(interval, way))


def day_text(at: datetime) -> str:
    """24 November 2026."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def short_day(at: datetime) -> str:
    """24 Nov 2026."""
    return f"{at.day} {_MONTHS[at.month - 1][:3]} {at.year}"


def moment_text(at: datetime) -> str:
    """24 Nov 2026, 06:00 UTC; the document's times are in UTC."""
    return f"{short_day(at)}, {at:%H:%M} UTC"


def age_text(then: datetime, now: datetime) -> str:
    """How long before `now`, in the unit that says enough."""
    hours = (now - then).total_seconds() / 3_600
    if hours < 1:
        return "less than an hour earlier"
    number, unit = (round(hours / 24), "day") if hours >= 48 else (round(hours), "hour")
    return f"{number} {unit}{'s' if number != 1 else ''} earlier"


def _significant(value: float, digits: int) -> float:
    return round(value, digits - 1 - floor(log10(value))) if value else 0.0


def _short(value: float) -> str:
    """One decimal below ten, none above and none that is nothing."""
    return _grouped(value, 1 if value < 9.95 else 0).removesuffix(".0")


def _grouped(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}".replace(",", THIN)
    if text.startswith("-"):
        text = text[1:] if text.strip("-0.") == "" else MINUS + text[1:]
    return text


def _escaped(key: str | int) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
