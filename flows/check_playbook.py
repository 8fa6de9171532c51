"""Looks at the programme with a retention consultant's eye each night, and tells what is new. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow

from experiments.playbook.facts import Snapshot
from experiments.playbook_log import last_check, record_check
from flows import announcements
from flows.playbook import consult, document, new_and_severe, read_snapshot
from flows.presentation import show_summary
from flows.runs import timed
from flows.session import Session, moment, open_session, seconds
from flows.steps import step


@step("gather facts", retries=2)
def gather_facts(session: Session, at: int) -> Snapshot:
    """The ledger's, Customer.io's and Criteo's."""
    return read_snapshot(session, at)


@flow(name="check-playbook", flow_run_name=timed("check-playbook"), persist_result=False)
def check_playbook(now: datetime | None = None) -> dict[str, Any]:
    """Runs every check of the playbook, keeps what is found for the report, and announces what is new and severe.

    Args:
        now: The time of the check; empty means the time of the run.
    """
    at = seconds(moment(now))
    with open_session() as session:
        before = last_check(session.engine, at)
        told = document(consult(gather_facts(session, at)), before)
        record_check(session.engine, told, at)
    show_summary("playbook", summary(told), "What a retention consultant would bring up")
    for each in new_and_severe(told, before):
        announcements.finding_new(each)
    return told


def summary(told: dict[str, Any]) -> str:
    """Each finding in a line of markdown, accepted ones marked."""
    rows = [
        f"- **{each['code']}** {each['audience'] or ''} ({'accepted' if each['accepted'] else each['severity']}): "
        f"{each['sentence']}. {each['what_to_do']}"
        for each in told["findings"]
    ]
    return "\n".join(rows) or "Nothing to improve."


if __name__ == "__main__":
    check_playbook()
