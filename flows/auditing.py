"""Audits that read the ledger and compare it with what must be true. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from experiments.arm_history import Placement, arm_history
from experiments.audit import audit_arms
from experiments.database import reading
from experiments.errors import Rejected
from experiments.identity import resolve
from experiments.ledger import entries_of, phases_of
from experiments.phases import Rule
from flows.preview import table_text
from flows.session import open_session

_BUCKET_SQL = {
    "postgresql": "('x'||substr(encode(sha256(convert_to({salt}||'|'||unit,'UTF8')),'hex'),1,8))::bit(32)::bigint",
    "duckdb": "('0x'||substr(sha256({salt}||'|'||unit),1,8))::UBIGINT",
    "bigquery": "CAST(CONCAT('0x',SUBSTR(TO_HEX(SHA256(CONCAT({salt},'|',unit))),1,8)) AS INT64)",
    "snowflake": "TO_NUMBER(SUBSTR(SHA2({salt}||'|'||unit,256),1,8),'XXXXXXXX')",
}
_THRESHOLD_SQL = {
    "postgresql": "{ppm}::bigint*4294967296/1000000",
    "duckdb": "{ppm}::BIGINT*4294967296//1000000",
    "bigquery": "DIV({ppm}*4294967296,1000000)",
    "snowflake": "FLOOR({ppm}*4294967296/1000000)",
}
_RULES = {Rule.TREATMENT: "treatment", Rule.GROUP: "held out by the group", Rule.UNIVERSAL: "held out of all"}


def check_arms() -> dict[str, Any]:
    """Recomputes every arm of every include audience."""
    with open_session() as session, reading(session.engine) as connection:
        names = [each.name for each in session.programme.includes]
        audits = audit_arms(connection, phases_of(connection, names))
    return {
        "checked": sum(each.checked for each in audits),
        "mismatched": sum(each.mismatched for each in audits),
        "phases": [
            {
                "audience": each.phase.audience,
                "phase": each.phase.number,
                "salt": each.phase.holdout.salt,
                "ppm": each.phase.holdout.ppm,
                "checked": each.checked,
                "mismatched": each.mismatched,
            }
            for each in audits
        ],
    }


def arms_sql(dialect: str) -> str:
    """The arm of each row of a table `units` in a warehouse's own words, on one line.

    Its columns: unit (64 hex characters), salt, ppm, universal_salt, universal_ppm. Whole numbers
    throughout, so that no rounding moves anybody.
    """
    if dialect not in _BUCKET_SQL:
        raise Rejected(f"no SQL for {dialect!r}; choose one of {', '.join(_BUCKET_SQL)}")
    bucket, limit = _BUCKET_SQL[dialect], _THRESHOLD_SQL[dialect]
    universal = f"{bucket.format(salt='universal_salt')} < {limit.format(ppm='universal_ppm')}"
    group = f"{bucket.format(salt='salt')} < {limit.format(ppm='ppm')}"
    return f"SELECT unit, CASE WHEN {universal} THEN 2 WHEN {group} THEN 1 ELSE 0 END AS arm FROM units"  # noqa: S608 - a constant


def unit_history(email: str) -> list[dict[str, Any]]:
    """Each audience's arms of one person over time; raises Rejected, without repeating it, for no e-mail."""
    units = resolve([email]).units
    if not units:
        raise Rejected("that is no e-mail address, and no SHA-256 of one")
    with open_session() as session, reading(session.engine) as connection:
        entered = entries_of(connection, units[0])
        return [
            _row(each)
            for audience in session.programme.includes
            for each in arm_history(phases_of(connection, [audience.name]), units[0], entered)
        ]


def unit_text(found: Sequence[Mapping[str, Any]]) -> str:
    """That as a table."""
    return table_text(found) if found else "no audience was ever synced, so nobody has an arm"


def _row(placement: Placement) -> dict[str, Any]:
    holdout = placement.phase.holdout
    is_universal = placement.rule is Rule.UNIVERSAL
    return {
        "audience": placement.phase.audience,
        "phase": placement.phase.number,
        "from": _iso(placement.phase.opened_at),
        "until": "now" if placement.until is None else _iso(placement.until),
        "arm": "treatment" if placement.rule is Rule.TREATMENT else "holdout",
        "rule": _RULES[placement.rule],
        "salt": holdout.universal_salt if is_universal else holdout.salt,
        "ppm": holdout.universal_ppm if is_universal else holdout.ppm,
        "bucket": placement.universal_bucket if is_universal else placement.bucket,
        "entered": "never" if placement.entered_at is None else _iso(placement.entered_at),
    }


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
