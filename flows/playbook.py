"""The playbook over the programme as it is: the snapshot, what is found in it, and how it is told. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from experiments.playbook.checklist import Item, checklist
from experiments.playbook.checks import findings as found_in
from experiments.playbook.clock import overrun, waits
from experiments.playbook.facts import Snapshot
from experiments.playbook.finding import Finding
from experiments.playbook.timing import Window, windows
from experiments.playbook_log import last_check
from flows.playbook_ledger import read_ledger
from flows.playbook_vendors import with_criteo, with_customerio
from flows.preview import table_text
from flows.session import Session, open_criteo, open_customerio


@dataclass(frozen=True, slots=True)
class Told:
    """One look at the programme with the consultant's eye."""

    at: int
    findings: tuple[Finding, ...]
    checklist: tuple[Item, ...]
    windows: tuple[Window, ...]
    waits: tuple[tuple[int, int, int], ...]
    """Per stretch between two syncs: start, end, and when whoever entered in it can be advertised to."""
    overrun: float
    """Seconds for which people are advertised to after they left."""


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
        waits=tuple(waits(snapshot.rhythm)),
        overrun=overrun(snapshot.rhythm),
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
        "waits": [[start, end, live] for start, end, live in told.waits],
        "overrun_hours": told.overrun / 3_600,
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


def findings_text(found: Sequence[Finding]) -> str:
    """One paragraph a finding: what, how bad, what it costs, what to do."""
    return "\n".join(_finding_text(each) for each in found) or "the playbook finds nothing to improve"


def windows_text(found: Sequence[Window]) -> str:
    """The table of windows, with a bar of twenty characters for the share of people reached."""
    rows = [
        {
            "window": each.audience,
            "lasts": f"{each.stay.length / 3_600:g} h",
            "people reached": f"{each.reached:.0%}",
            "of their hours": f"{each.covered:.0%}",
            "": "█" * round(20 * each.reached) + "·" * (20 - round(20 * each.reached)),
        }
        for each in found
    ]
    return table_text(rows) if rows else "no audience says from when to when people are in it"


def checklist_text(page: Sequence[Item]) -> str:
    """The page: a box for each item, and its evidence."""
    boxes = {"done": "[x]", "not done": "[ ]", "unknown": "[?]"}
    wide = max(len(each.title) for each in page)
    return "\n".join(f"{boxes[each.state]} {each.title.ljust(wide)}  {each.evidence}" for each in page)


def _finding_text(found: Finding) -> str:
    who = "" if found.audience is None else f" {found.audience}:"
    cost = "" if found.cost is None else f" ({found.cost})"
    mark = found.severity if found.is_open else "accepted"
    ending = (
        f"  accepted until {found.accepted.until}: {found.accepted.reason}"
        if found.accepted
        else f"  {found.what_to_do}"
    )
    return f"{mark.ljust(8)}  {found.code}{who} {found.sentence}{cost}\n{ending.rjust(len(ending) + 8)}"


def _key(found: Mapping[str, Any]) -> tuple[str | None, ...]:
    return found["code"], found["audience"], found["subject"]


def _is_severe(found: Mapping[str, Any]) -> bool:
    return found["severity"] == "high" and found["accepted"] is None


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
