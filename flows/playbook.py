"""The playbook over the programme as it is: the snapshot, what is found in it, and how it is told. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from experiments.playbook.checklist import Item, checklist
from experiments.playbook.checks import findings as found_in
from experiments.playbook.clock import overrun, waits
from experiments.playbook.facts import Snapshot
from experiments.playbook.finding import Finding
from experiments.playbook.sharing import Shared, shared_lists
from experiments.playbook.timing import Basis, Window, basis, windows
from experiments.playbook_log import last_check
from flows.playbook_ledger import read_ledger
from flows.playbook_vendors import with_criteo, with_customerio
from flows.session import Session, open_criteo, open_customerio


@dataclass(frozen=True, slots=True)
class Told:
    """One look at the programme with the consultant's eye."""

    at: int
    findings: tuple[Finding, ...]
    checklist: tuple[Item, ...]
    windows: tuple[Window, ...]
    basis: Basis
    """What the windows are reckoned with."""
    waits: tuple[tuple[int, int, int], ...]
    """Per stretch between two syncs: start, end, and when whoever entered in it can be advertised to."""
    overrun: float
    """Seconds for which people are advertised to after they left."""
    shared: tuple[Shared, ...]
    """Pairs of audiences with people in common."""


def read_snapshot(session: Session, now: int, *, ask_vendors: bool = True) -> Snapshot:
    """All facts of the moment; without the vendors, what only they know is unknown."""
    snapshot = read_ledger(session.engine, session.programme, now)
    if not ask_vendors:
        return snapshot
    with ExitStack() as stack:
        snapshot = with_customerio(snapshot, stack.enter_context(open_customerio(session)))
        return with_criteo(snapshot, stack.enter_context(open_criteo(session)), session.engine)


def consult(snapshot: Snapshot) -> Told:
    """Every check, the checklist, and the table of windows."""
    found = found_in(snapshot)
    return Told(
        at=snapshot.now,
        findings=found,
        checklist=checklist(snapshot, found),
        windows=windows(snapshot),
        basis=basis(snapshot),
        waits=tuple(waits(snapshot.rhythm)),
        overrun=overrun(snapshot.rhythm),
        shared=shared_lists(snapshot),
    )


def document(told: Told, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """For machines and the report; `first_seen` is carried over from the check before."""
    at = _iso(told.at)
    seen = {_key(each): each["first_seen"] for each in (before or {}).get("findings", ())}
    rows = [each.document() for each in told.findings]
    return {
        "checked_at": at,
        "findings": [{**row, "first_seen": seen.get(_key(row), at)} for row in rows],
        "checklist": [each.document() for each in told.checklist],
        "windows": [
            {
                "audience": each.audience,
                "from_hours": each.stay.start / 3_600,
                "to_hours": each.stay.end / 3_600,
                "reached": each.reached,
                "covered": each.covered,
            }
            for each in told.windows
        ],
        "basis": {
            "words": str(told.basis),
            "interval_hours": told.basis.interval / 3_600,
            "interval_is_measured": told.basis.is_seen,
            "push_seconds": told.basis.push,
            "push_is_measured": told.basis.push is not None,
        },
        "waits": [[start, end, live] for start, end, live in told.waits],
        "overrun_hours": told.overrun / 3_600,
        "overlaps": [each.document() for each in told.shared],
    }


def findings(session: Session, until: int | None = None) -> list[dict[str, Any]]:
    """What the newest nightly check found, for the report; nothing where none has run."""
    told = last_check(session.engine, until)
    found: list[dict[str, Any]] = [] if told is None else told["findings"]
    return found


def new_and_severe(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Open findings of high severity that the check before did not have."""
    known = {_key(each) for each in (before or {}).get("findings", ()) if _is_severe(each)}
    return [each for each in now["findings"] if _is_severe(each) and _key(each) not in known]


def _key(found: Mapping[str, Any]) -> tuple[str | None, ...]:
    return found["code"], found["audience"], found["subject"]


def _is_severe(found: Mapping[str, Any]) -> bool:
    return found["severity"] == "high" and found["accepted"] is None


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
