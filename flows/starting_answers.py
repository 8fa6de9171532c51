"""What a person may answer while a first audiences.yaml is made, read one answer at a time. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from experiments.errors import Rejected
from experiments.percent import parse_percent
from flows.starter_kit import Found

T = TypeVar("T")
Ask = Callable[[str, str], str]
"""A question and the answer that is offered; gives what the person says."""
NO_SEGMENT, LIST = "-", "?"
TRIES = 3
MOST_LISTED = 60


def answered(ask: Ask, question: str, offered: str, read: Callable[[str], T]) -> T:
    """The answer as `read` understands it; what it refuses with a ValueError is asked again with the reason.

    Raises Rejected when the third answer is no better.
    """
    said, refused = question, 0
    while True:
        answer = ask(said, offered).strip()
        try:
            return read(answer)
        except ListingAsked as listing:
            said = f"{listing}\n{question}"
        except ValueError as error:
            refused += 1
            if refused == TRIES:
                raise Rejected(f"{question.partition(':')[0]}: {error}") from error
            said = f"{error}\n{question}"


class ListingAsked(Exception):
    """The person wants to see the segments first."""


def segment_of(workspace: Mapping[int, Found], taken: Mapping[str, Found]) -> Callable[[str], Found | None]:
    """Reads the number of a segment that no audience has yet; None for `-`."""

    def read(said: str) -> Found | None:
        if said == NO_SEGMENT:
            return None
        if said == LIST:
            raise ListingAsked(listing(workspace))
        found = workspace.get(int(said)) if said.isdecimal() and said.isascii() else None
        if found is None:
            raise ValueError(_unknown(workspace, said))
        owner = next((name for name, each in taken.items() if each.id == found.id), None)
        if owner is not None:
            raise ValueError(f"segment {found.id} ({found.name}) is taken by {owner} already")
        return found

    return read


def advertiser(said: str) -> str:
    """Criteo's number of the advertiser."""
    if not re.fullmatch(r"[0-9]{1,20}", said):
        raise ValueError(f"{said!r} is no advertiser id: it is a number, as Criteo's address bar has it")
    return said


def currency(said: str) -> str:
    """Three letters."""
    if not re.fullmatch(r"[A-Za-z]{3}", said):
        raise ValueError(f"{said!r} is no currency: write its three letters, like EUR")
    return said.upper()


def margin(said: str) -> str:
    """A percentage above nothing; its sign may be left out."""
    text = said if said.endswith("%") else f"{said}%"
    if not 0 < parse_percent(text) <= 1_000_000:
        raise ValueError("the margin must lie above 0% and at most at 100%")
    return "".join(text.split())


def listing(workspace: Mapping[int, Found]) -> str:
    """The segments by number."""
    lines = [f"{each.id:>8}  {each.name}" for each in sorted(workspace.values(), key=lambda each: each.id)]
    left = len(lines) - MOST_LISTED
    return "\n".join([*lines[:MOST_LISTED], *([f"and {left} more"] if left > 0 else [])])


def _unknown(workspace: Mapping[int, Found], said: str) -> str:
    named = next((each for each in workspace.values() if each.name.casefold() == said.casefold()), None)
    if named is not None:
        return f"{said!r} is the name of segment {named.id}: give its number"
    return f"the workspace has no segment {said!r}; give the number that its address ends with, or {LIST} to see them"
