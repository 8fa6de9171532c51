"""How single values are written in `audiences.yaml`: names, percentages, lengths of time, days. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.percent import parse_holdout, parse_percent
from experiments.stays import Stay, parse_stay

_SECONDS = {"h": 3_600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"^\s*(\d+)\s*([hdw])\s*$")
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")


class Entry(BaseModel):
    """A mapping of the file: a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _duration(value: object) -> int:
    seconds = _delay(value)
    if not seconds:
        raise ValueError(f"{str(value)!r} is no length of time; write it like 14d or 4h")
    return seconds


def _delay(value: object) -> int:
    match = _DURATION.match(str(value))
    if match is None:
        raise ValueError(f"{str(value)!r} is no length of time; write it like 14d or 4h")
    return int(match[1]) * _SECONDS[match[2]]


def _percent_of(parse: Callable[[str], int]) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, str) or "%" not in value:
            raise ValueError(f"{value!r} is no percentage; write it with its sign, like 10%")
        return parse(value)

    return read


def _day(value: object) -> date:
    try:
        if isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        value = str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError(f"{str(value)!r} is no day; write it like 2026-12-31")


def _time(value: object) -> int:
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'{value!r} is no time of day; write it in quotes, like "12:00"')
    return int(match[1]) * 3_600 + int(match[2]) * 60


def _stay(value: object) -> Stay:
    return parse_stay(str(value))


Text = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
HoldoutPpm = Annotated[int, BeforeValidator(_percent_of(parse_holdout))]
Share = Annotated[int, BeforeValidator(_percent_of(parse_percent))]
Duration = Annotated[int, BeforeValidator(_duration)]
Delay = Annotated[int, BeforeValidator(_delay)]
Day = Annotated[date, BeforeValidator(_day)]
TimeOfDay = Annotated[int, BeforeValidator(_time)]
MemberFor = Annotated[Stay, BeforeValidator(_stay)]
