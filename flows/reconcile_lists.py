"""Compares what the ledger says of each list with what Criteo counts, each night, and tells what drifted. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prefect import flow

from flows import announcements
from flows.presentation import show_run
from flows.runs import timed
from flows.session import Session, moment, open_criteo, open_session, seconds
from flows.steps import step
from sync.reconciling import Reconciled, reconcile, record_counts


@step("count lists", retries=2)
def count_lists(session: Session, at: int) -> tuple[Reconciled, ...]:
    """Criteo's count of every list, beside the ledger's."""
    with open_criteo(session) as criteo:
        return reconcile(session.engine, criteo, session.programme, at)


@flow(name="reconcile-lists", flow_run_name=timed("reconcile-lists"), persist_result=False)
def reconcile_lists(now: datetime | None = None) -> dict[str, Any]:
    """Counts every list, keeps the counts, and announces what drifted since the night before.

    Args:
        now: The time of the count; empty means the time of the run.
    """
    at = seconds(moment(now))
    with open_session() as session:
        found = count_lists(session, at)
        record_counts(session.engine, found, at)
    told = [_told(each) for each in found]
    show_run("reconciliation", [_row(each) for each in told], "The ledger's counts beside Criteo's")
    _announce(found)
    drifted = [each for each in told if each["advice"]]
    fallen = [each for each in told if each["match_rate_fell"]]
    return {"lists": told, "drifted": len(drifted), "fallen": len(fallen)}


def reconciliation_text(told: dict[str, Any]) -> str:
    """For a person: a table, then what to look at."""
    from flows.preview import table_text

    lines = [table_text([_row(each) for each in told["lists"]])]
    for each in told["lists"]:
        if each["advice"]:
            lines += [f"{each['name']}: {each['sentence']}", f"  {each['advice']}"]
        if each["match_rate_fell"]:
            usual, now = each["usual_match_rate"], each["match_rate"]
            lines += [
                f"{each['name']}: Criteo recognises {now:.1%} of it where {usual:.1%} were usual",
                "  look at what changed in the e-mails of its segment: a form, an import, a change of encoding",
            ]
    return "\n".join(lines)


def _told(each: Reconciled) -> dict[str, Any]:
    return {
        "name": each.name,
        "list": each.known.id,
        "ledger": each.held.surely,
        "in_doubt": each.held.perhaps,
        "rejected": each.held.invalid,
        "added_lately": each.held.added_lately,
        "removed_lately": each.held.removed_lately,
        "criteo": each.counts.identifiers,
        "matches": each.counts.matches,
        "match_rate": None if each.rate is None else each.rate.share,
        "usual_match_rate": None if each.usual is None else each.usual.share,
        "match_rate_fell": each.has_fallen,
        "verdict": each.found.verdict.value,
        "sentence": each.found.sentence,
        "advice": each.found.advice,
    }


def _row(told: dict[str, Any]) -> dict[str, object]:
    rate, usual = told["match_rate"], told["usual_match_rate"]
    return {
        "list": told["name"],
        "ledger": told["ledger"],
        "Criteo": "–" if told["criteo"] is None else f"{told['criteo']:,}",
        "match": "–" if rate is None else f"{rate:.1%}",
        "usual": "–" if usual is None else f"{usual:.1%}",
        "verdict": told["verdict"],
    }


def _announce(found: Sequence[Reconciled]) -> None:
    for each in found:
        if each.is_new and not each.found.is_good:
            announcements.list_drifted(each.name, each.found.sentence, each.found.advice)
        if each.has_just_fallen and each.rate and each.usual:
            announcements.match_rate_fell(each.name, each.usual.share, each.rate.share, each.rate.identifiers)


if __name__ == "__main__":
    reconcile_lists()
