"""Tells Customer.io who is held out, group by group, after the lists were synced. I/O."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from experiments.errors import HoldoutsError, Rejected
from flows.presentation import show_run
from flows.session import Session, open_customerio, open_track
from flows.steps import step
from sync.writing_back import Workspace, WrittenBack, write_back

log = logging.getLogger(__name__)


@step("write back")
def write_back_groups(session: Session, unsettled: Sequence[str]) -> list[HoldoutsError]:
    """Every group of the file that asks for it; gives what went wrong, so that the others are still served.

    A group of which an audience was not read or was refused is left as it is: its segment is in doubt.
    """
    programme = session.programme
    going = [
        group
        for group in programme.write_back
        if not any(audience.name in unsettled for audience in programme.groups[group])
    ]
    if not going:
        return []
    done, failures = [], []
    try:
        with open_customerio(session) as app, open_track(session) as track:
            workspace = Workspace(app, track)
            for group in going:
                try:
                    done.append(write_back(session.engine, workspace, programme, group))
                except HoldoutsError as error:
                    failures.append(error)
    except Rejected as error:
        failures.append(_explained(error, going))
    show_run("write-back", [_row(each) for each in done], "Who is held out, as Customer.io was told")
    for each in done:
        if each.refused:
            log.warning("%s: Customer.io did not take %s", each.group, _reasons(each))
    return failures


def _explained(error: Rejected, groups: Sequence[str]) -> Rejected:
    """A missing credential, with what asks for it."""
    return Rejected(
        f"{error}, and write_back of {', '.join(groups)} in the audiences file needs it; "
        "set it, or take write_back out (the lists were synced)"
    )


def _row(found: WrittenBack) -> dict[str, object]:
    return {
        "group": found.group,
        "where": found.where,
        "held out": found.held_out,
        "marked": found.marked,
        "unmarked": found.unmarked,
        "not taken": _reasons(found),
    }


def _reasons(found: WrittenBack) -> str:
    return ", ".join(f"{count:,} ({reason})" for reason, count in found.refused.items())
