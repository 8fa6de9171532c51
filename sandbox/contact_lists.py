"""A Criteo contact list: set semantics over the identifiers as they were sent, and when a change takes effect. Pure."""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np

from sandbox.people import digest
from sandbox.shop import DAY, HOUR, Mask

_T = TypeVar("_T")
_PLAIN = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_HASHED = re.compile(r"[0-9a-f]{64}|[0-9a-f]{32}", re.IGNORECASE)
_DEVICE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def next_tick(epoch: float) -> float:
    """When a change of `epoch` reaches live campaigns in batches: the next 00:00 or 12:00 UTC, and 5 hours."""
    return (epoch // (DAY / 2) + 1) * (DAY / 2) + 5 * HOUR


@dataclass(frozen=True, slots=True)
class Amendment:
    """What one add or remove did: how many identifiers were valid and which few were not."""

    valid: int
    invalid: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """Identifiers on a list and how many of them Criteo can match."""

    identifiers: int
    matches: int


@dataclass(slots=True)
class ContactList:
    """The members of one list.

    `ever` and the members are the identifiers as received (lower case); a plain e-mail is hashed on receipt,
    as Criteo does. `live` is whom campaigns see, which lags behind the members when changes wait for a batch.
    """

    known_as: Mapping[str, int]
    matchable: Mask
    batched: bool
    reject_share: float = 0.0
    samples: int = 10
    members: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    live: Mask = field(init=False)
    counts: Counts | None = None
    _forms: np.ndarray[tuple[int], np.dtype[np.int16]] = field(init=False)
    _coming: list[tuple[float, Mask]] = field(default_factory=list)
    _counted: list[tuple[float, Counts]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._forms = np.zeros(len(self.matchable), dtype=np.int16)
        self.live = np.zeros(len(self.matchable), dtype=np.bool_)

    def amend(self, operation: Literal["add", "remove"], identifiers: Sequence[str], kind: str) -> Amendment:
        """Add or remove; repeating either changes nothing."""
        valid, bad = _read_emails(identifiers) if kind == "email" else _read_others(identifiers, kind)
        if self.reject_share:
            odd = {text for text in valid if is_rejected(text, self.reject_share)}
            valid, bad = valid - odd, [*bad, *sorted(odd)]
        if operation == "add":
            changed, step = valid - self.members, 1
            self.members |= changed
            self.ever |= changed
        else:
            changed, step = valid & self.members, -1
            self.members -= changed
        self._count_forms(changed, step)
        return Amendment(len(identifiers) - len(bad), len(bad), bad[: self.samples])

    def clear(self) -> None:
        """Remove everybody."""
        self._count_forms(self.members, -1)
        self.members.clear()

    def settle(self, now: float, late_counts: bool) -> None:
        """Date the change just made: effective at once, or when the next batch reaches the campaigns."""
        mask = self._forms > 0
        counts = Counts(len(self.members), int(self._forms[self.matchable].sum()))
        if self.batched:
            _schedule(self._coming, next_tick(now), mask)
        else:
            self.live = mask
        if late_counts:
            _schedule(self._counted, next_tick(now), counts)
        else:
            self.counts = counts

    def catch_up(self, now: float) -> None:
        """Let what is due by `now` take effect."""
        while self._coming and self._coming[0][0] <= now:
            self.live = self._coming.pop(0)[1]
        while self._counted and self._counted[0][0] <= now:
            self.counts = self._counted.pop(0)[1]

    def people(self) -> Mask:
        """Who stands in the list at this moment under any form, processed or not."""
        return self._forms > 0

    def _count_forms(self, identifiers: Iterable[str], step: int) -> None:
        known = self.known_as
        people = [person for text in identifiers if (person := known.get(text)) is not None]
        np.add.at(self._forms, np.array(people, dtype=np.int64), step)


def _schedule(queue: list[tuple[float, _T]], due: float, value: _T) -> None:
    if queue and queue[-1][0] == due:
        queue.pop()
    queue.append((due, value))


def _all_sha256(identifiers: Sequence[str]) -> bool:
    """Whether every identifier is 64 lower-case hex digits: the common case, decided without a loop of ours."""
    if set(map(len, identifiers)) != {64}:
        return False
    text = "".join(identifiers)
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def is_rejected(text: str, share: float) -> bool:
    """Whether Criteo has a reason of its own to call a well-formed identifier invalid; always the same ones."""
    return zlib.crc32(text.encode()) < share * 2**32


def _read_others(identifiers: Sequence[str], kind: str) -> tuple[set[str], list[str]]:
    """Devices are UUIDs, known in lower case; of partners' identifiers only a blank one is wrong."""
    is_right = _DEVICE.fullmatch if kind == "madid" else str.strip
    valid = {text.lower() if kind == "madid" else text for text in identifiers if is_right(text)}
    return valid, [text for text in identifiers if not is_right(text)]


def _read_emails(identifiers: Sequence[str]) -> tuple[set[str], list[str]]:
    if _all_sha256(identifiers):
        return set(identifiers), []
    valid: set[str] = set()
    bad: list[str] = []
    hashed, plain = _HASHED.fullmatch, _PLAIN.fullmatch
    for text in identifiers:
        if hashed(text):
            valid.add(text.lower())
        elif plain(text.strip()):
            valid.add(digest(text).hex())
        else:
            bad.append(text)
    return valid, bad
