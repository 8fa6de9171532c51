"""Measures what the ads added, from assigned entrants, orders and spend, and writes the report. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prefect import flow

from analysis.card_log import last_card
from analysis.document import document
from analysis.history import measurements_before, record_measurement
from analysis.measurement import Measurement, measure
from analysis.measuring import experiments_of, gather_all
from analysis.order_changes import converted_orders, late_orders
from analysis.orders import orders_watermark
from analysis.plain_numbers import Document
from analysis.report.files import write_report
from analysis.verdict_changes import verdict_changes
from experiments.audit import audit_arms
from experiments.database import reading
from experiments.errors import Refused, Rejected
from experiments.ledger import phases_of
from experiments.playbook_log import last_check
from flows import announcements
from flows.facts import operations
from flows.presentation import show_link, show_summary, tracked
from flows.report_facts import firewall_facts, outlooks, suppression_facts
from flows.runs import timed
from flows.session import Session, moment, open_session, seconds
from flows.slice_tasks import slice_tasks
from flows.steps import step

ORDERS_ARE_STALE_AFTER = timedelta(days=2)
"""Orders are loaded daily: so many hours mean that two loads did not come."""


@step("audit arms")
def recompute_arms(session: Session) -> str | None:
    """What is wrong with the recorded arms, in a few words; None where each agrees with its hash."""
    names = [each.name for each in session.programme.includes]
    with reading(session.engine) as connection:
        audits = audit_arms(connection, phases_of(connection, names))
    wrong = sum(each.mismatched for each in audits)
    return f"{wrong:,} of {sum(each.checked for each in audits):,} do not" if wrong else None


def measure_all(session: Session, watermark: int, failed_audit: str | None) -> list[Measurement]:
    """Every experiment's sums, estimates and verdict; the sums are tasks of their own."""
    coming = gather_all(
        session.engine,
        session.programme,
        watermark,
        failed_audit,
        asking=slice_tasks(session),
        slice_size=session.settings.holdouts_slice_size,
    )
    total = len(experiments_of(session.programme))
    return [measure(facts) for facts in tracked("Experiments measured", coming, total)]


@step("write report")
def report(session: Session, told: Document, earlier: Sequence[Document], folder: Path) -> Path:
    """The files of this report, and its numbers into the ledger."""
    try:
        page = write_report(folder, told, earlier)
    except OSError as error:
        raise Rejected(f"the report cannot be written to {folder}: {error.strerror}") from error
    measured_at, watermark = (_epoch(told[key]) for key in ("measured_at", "watermark"))
    record_measurement(session.engine, told, measured_at, watermark)
    return page


@flow(name="measure-lift", flow_run_name=timed("measure-lift"), persist_result=False)
def measure_lift(
    now: datetime | None = None, report_folder: str = "report", report_url: str = ""
) -> dict[str, Any]:
    """Reads the lift of every audience and group and writes `report/<date>/`.

    Args:
        now: The time of the report; empty means the time of the run.
        report_folder: Where the reports stand, one folder a date.
        report_url: Where that folder is served, for the link on the run; empty means the file itself.
    """
    at = moment(now)
    with open_session() as session:
        watermark = orders_watermark(session.engine)
        if watermark is None:
            raise Refused(
                "no orders were ever loaded, so nothing can be measured; run `holdouts load-orders` first"
            )
        until = min(watermark, seconds(at))
        found = measure_all(session, until, recompute_arms(session))
        told = document(session.programme, found, seconds(at), until)
        told["brand"] = session.settings.holdouts_brand
        told["operations"] = operations(session, seconds(at))
        told["report_card"] = last_card(session.engine, seconds(at))
        told["playbook"] = last_check(session.engine, seconds(at))
        told["firewall"] = firewall_facts(session, told["playbook"])
        told["suppression"] = suppression_facts(session, until)
        told["outlooks"] = outlooks(session, found, until)
        earlier = measurements_before(session.engine, seconds(at))
        told["converted"] = converted_orders(session.engine, until)
        told["late"] = _late(session, earlier)
        page = report(session, told, earlier, Path(report_folder))
    show_summary("lift", lift_text(told), "What the ads added")
    show_link("report", _address(page, report_url), f"The report of {at:%Y-%m-%d}")
    _announce(told, earlier[-1] if earlier else None, at)
    return {"page": str(page), "document": told}


def lift_text(told: Document) -> str:
    """Each experiment's verdict in a line of markdown."""
    rows = [
        f"- **{each['name']}**: {each['verdict']['state']}. {each['verdict']['sentence']}"
        for each in told["experiments"]
    ]
    return "\n".join(rows)


def _late(session: Session, earlier: Sequence[Document]) -> Document | None:
    """What changed the last report after it was told."""
    if not earlier:
        return None
    last = earlier[-1]
    return late_orders(session.engine, _epoch(last["measured_at"]), _epoch(last["watermark"]))


def _announce(told: Document, before: Document | None, at: datetime) -> None:
    for each in verdict_changes(before, told):
        announcements.verdict_changed(each.kind, each.name, each.before, each.now, each.sentence)
    loaded = datetime.fromtimestamp(_epoch(told["watermark"]), UTC)
    if at - loaded > ORDERS_ARE_STALE_AFTER:
        announcements.source_stale("source", "orders", "no orders were loaded since", loaded)


def _address(page: Path, served_at: str) -> str:
    if served_at:
        return f"{served_at.rstrip('/')}/{page.parent.name}/{page.name}"
    return page.resolve().as_uri()


def _epoch(iso: str) -> int:
    return seconds(datetime.fromisoformat(iso))


if __name__ == "__main__":
    measure_lift()
