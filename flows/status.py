"""Each audience on one terminal screen. I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flows.facts import operations
from flows.preview import table_text
from flows.session import moment, open_session, seconds
from sync.drift import GOOD


def read_status() -> dict[str, Any]:
    """What the ledger knows of each audience."""
    with open_session() as session:
        return {"audiences": operations(session, seconds(moment(None)))}


def status_text(found: dict[str, Any], now: datetime | None = None) -> str:
    """The same as a table, with open refusals below."""
    moment = now or datetime.now(UTC)
    rows = [_row(name, each, moment) for name, each in found["audiences"].items()]
    lines = [table_text(rows)]
    for name, each in found["audiences"].items():
        lines += [f"{name}: refused: {reason}" for reason in each["refusals"]]
        if each["rejected"]:
            lines.append(f"{name}: Criteo rejected {each['rejected']:,} identifiers of its last sync")
        if each["list_check"] and each["list_check"]["verdict"] not in GOOD:
            lines.append(f"{name}: {each['list_check']['sentence']}; see `holdouts audit reconcile`")
    return "\n".join(lines)


def _row(name: str, each: dict[str, Any], moment: datetime) -> dict[str, Any]:
    last = each["holdout_history"][-1] if each["holdout_history"] else None
    rate = each["match_rate"]
    return {
        "audience": name,
        "role": each["role"],
        "holdout": "–" if last is None else f"{last['percent']:g} %",
        "since": "–" if last is None else f"{last['at'][:10]} by {last['who']}",
        "last sync": "never" if each["last_sync"] is None else _age(each["last_sync"], moment),
        "outcome": each["outcome"] or "–",
        "units": each["units"] or 0,
        "in Criteo": each["identifiers"] or 0,
        "match": "–" if rate is None else f"{rate:.0%}",
        "95 % within": "–" if each["delay_p95"] is None else _length(each["delay_p95"]),
    }


def _length(seconds: int) -> str:
    """From first seen in the segment to Criteo's answer."""
    return (
        f"{seconds} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7_200
        else f"{seconds / 3_600:.0f} h"
    )


def _age(iso: str, moment: datetime) -> str:
    hours = (moment - datetime.fromisoformat(iso)).total_seconds() / 3600
    return f"{hours:.0f} h ago" if hours < 48 else f"{hours / 24:.0f} d ago"
