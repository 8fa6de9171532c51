"""What `holdouts check` says: first the set-up, then the playbook, or its checklist alone. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flows import checking
from flows.playbook import Told, consult, document, read_snapshot
from flows.playbook_text import checklist_text, findings_text, shared_text, windows_text
from flows.session import moment, open_session, seconds


def consult_now(*, ask_vendors: bool, now: datetime | None = None) -> Told:
    """The playbook over this moment; a set-up that is broken is not asked twice."""
    with open_session() as session:
        return consult(read_snapshot(session, seconds(moment(now)), ask_vendors=ask_vendors))


def consulted_document(set_up: Sequence[checking.Finding], told: Told) -> dict[str, Any]:
    """For machines."""
    return {"set_up": [each.document() for each in set_up], "playbook": document(told)}


def consulted_text(set_up: Sequence[checking.Finding], told: Told, *, page_only: bool) -> str:
    """For a person."""
    if page_only:
        return checklist_text(told.checklist)
    parts = [checking.check_text(list(set_up)), findings_text(told.findings)]
    if told.windows:
        parts.append(windows_text(told))
    if told.shared:
        parts.append(shared_text(told))
    return "\n\n".join(parts)
