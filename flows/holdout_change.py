"""Changing a holdout: a new percentage or, on purpose, a new draw; each is an entry in the log. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.audiences import Programme
from experiments.database import writing
from experiments.errors import Rejected
from experiments.ledger import UNIVERSAL, Route, change_holdout, read_file_holdouts, rerandomise
from flows.session import moment, open_session, seconds


def set_holdout(
    audience: str, ppm: int, *, reason: str, who: str, route: Route, now: datetime | None
) -> dict[str, Any]:
    """Appends the percentage to the log of holdouts; raises Rejected for an audience that has none."""
    at = seconds(moment(now))
    with open_session() as session:
        check_audience(session.programme, audience)
        with writing(session.engine) as connection:
            read_file_holdouts(connection, session.programme, at)
            change = change_holdout(
                connection,
                audience,
                ppm,
                at=at,
                route=route,
                who=who,
                reason=reason,
                holdout_group=group_of(session.programme, audience),
            )
    return {
        "audience": audience,
        "from_percent": None if change.from_ppm is None else change.from_ppm / 10_000,
        "to_percent": change.to_ppm / 10_000,
        "reason": reason,
        "who": who,
    }


def rerandomise_group(group: str, *, reason: str, who: str, now: datetime | None = None) -> dict[str, Any]:
    """Draws the arms of a holdout group, or of `universal`, anew from the next sync on."""
    at = seconds(moment(now))
    with open_session() as session:
        check_group(session.programme, group)
        with writing(session.engine) as connection:
            read_file_holdouts(connection, session.programme, at)
            made = rerandomise(connection, session.programme, group, at=at, who=who, reason=reason)
    return {
        "group": group,
        "salt_number": made[0].salt_number,
        "audiences": [each.audience for each in made],
        "reason": reason,
        "who": who,
    }


def rerandomise_warning(group: str, reason: str) -> str:
    """What a new draw means, before anybody says yes; raises Rejected for no group or no reason."""
    if len(reason) < 3:
        raise Rejected("give a reason with --reason; it stands in the log for good")
    with open_session() as session:
        check_group(session.programme, group)
        windows = session.programme.groups.get(group, session.programme.includes)
    days = max(each.window for each in windows) / 86_400
    return (
        f"{group}: every person of {', '.join(each.name for each in windows)} is drawn anew at the next sync, and "
        f"most of those held out change arms. What was measured stays as it is and grows no more; the new "
        f"comparison starts from nothing, {days:g} days later, in both arms."
    )


def check_audience(programme: Programme, audience: str) -> None:
    """Raises Rejected, with the names there are, unless the audience can have a holdout."""
    names = [each.name for each in programme.includes]
    if audience not in (*names, UNIVERSAL):
        raise Rejected(
            f"{audience!r} is no include audience; choose one of {', '.join(names)}, or {UNIVERSAL}"
        )


def check_group(programme: Programme, group: str) -> None:
    """Raises Rejected, with the names there are, unless audiences belong to the group."""
    if group not in (*programme.groups, UNIVERSAL):
        known = ", ".join(programme.groups)
        raise Rejected(f"{group!r} is no holdout group; choose one of {known}, or {UNIVERSAL}")


def group_of(programme: Programme, audience: str) -> str:
    """The group whose salt draws the arms of an audience, or `universal` itself."""
    return UNIVERSAL if audience == UNIVERSAL else programme.audience(audience).holdout_group
