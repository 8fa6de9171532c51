"""What each report said about one experiment, week by week, and when its holdout changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from analysis.estimators.gates import NO_STATEMENT_BELOW
from analysis.report.wording import holdout_text
from analysis.verdict import State

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """One report's estimate with its interval; a report that could say nothing has `estimate` None."""

    at: datetime
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """A holdout percentage that changed."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class History:
    """Everything that the picture of one experiment shows."""

    started: datetime
    lift: tuple[Reading, ...]
    returns: tuple[Reading, ...]
    changes: tuple[Change, ...]


def one_a_day(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The last report of each date, oldest first; a report written twice in a day replaces itself."""
    return tuple({day_of(each): each for each in documents}.values())


def day_of(told: Document) -> date:
    """The date of a report, in UTC."""
    return moment_of(told).date()


def moment_of(told: Document) -> datetime:
    """When a report was made."""
    return datetime.fromisoformat(told["measured_at"])


def named(told: Document, name: str) -> Document | None:
    """One experiment of a report; None where the report does not have it."""
    return next((each for each in told["experiments"] if each["name"] == name), None)


def says_lift(experiment: Document) -> bool:
    """Whether numbers of the comparison may be said at all."""
    return experiment["verdict"]["state"] not in {State.INVALID, State.NOT_ENOUGH_DATA}


def says_money(experiment: Document) -> bool:
    """Whether money that the ads added may be said."""
    enough: bool = experiment["since_entry"]["control_conversions"] >= NO_STATEMENT_BELOW
    return says_lift(experiment) and experiment["money"] is not None and enough


def says_return(experiment: Document) -> bool:
    """Whether a return may be said: money, and a spend to divide by."""
    return says_money(experiment) and experiment["money"]["iroas"]["estimate"] is not None


def history(name: str, documents: Sequence[Document]) -> History:
    """The readings of one experiment in these reports, oldest first; the last report must have it."""
    found = [(moment_of(told), named(told, name)) for told in documents]
    seen = [(at, each) for at, each in found if each is not None]
    last = seen[-1][1]
    opened = [datetime.fromisoformat(phase["opened_at"]) for phase in last["phases"]]
    return History(
        started=min([*opened, seen[0][0]]),
        lift=tuple(_reading(at, each["conversions"], says_lift(each)) for at, each in seen),
        returns=tuple(
            _reading(at, each["money"]["iroas"], says_return(each))
            for at, each in seen
            if each["money"] is not None
        ),
        changes=changes(last),
    )


def changes(experiment: Document) -> tuple[Change, ...]:
    """Where a phase has another percentage than the phase before it of the same audience."""
    key = "universal_percent" if experiment["kind"] == "programme" else "holdout_percent"
    before: dict[str, float] = {}
    found: dict[tuple[datetime, str], None] = {}
    for phase in sorted(experiment["phases"], key=lambda each: (each["opened_at"], each["audience"])):
        now, then = phase[key], before.get(phase["audience"])
        if then is not None and then != now:
            found[datetime.fromisoformat(phase["opened_at"]), f"{then:g} → {holdout_text(now)}"] = None
        before[phase["audience"]] = now
    return tuple(Change(at, words) for at, words in found)


def _reading(at: datetime, estimate: Document, is_said: bool) -> Reading:
    if not is_said or estimate["estimate"] is None:
        return Reading(at, None, None, None)
    low, high = estimate["interval"]
    return Reading(at, estimate["estimate"], low, high)
