"""Erases one person on request: off every list, out of the ledger, and never back. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from experiments.errors import Rejected
from experiments.identity import Kind, classify, digest
from experiments.lock import exclusive
from flows.session import moment, open_criteo, open_session, seconds
from sync.delivery import Courier
from sync.erasing import erase


def erase_person(email: str, now: datetime | None = None) -> dict[str, Any]:
    """Takes the person off Criteo's lists and forgets them; raises Rejected for what is no e-mail.

    It is no flow: Prefect keeps parameters in clear.
    """
    if classify(email) is not Kind.EMAIL:
        raise Rejected("what was given is no e-mail address, so nobody was erased")
    with (
        open_session() as session,
        exclusive(session.engine, "sync"),
        open_criteo(session) as criteo,
    ):
        courier = Courier(session.engine, criteo, session.programme.advertiser, seconds(moment(now)))
        return {"lists": erase(courier, digest(email))}
