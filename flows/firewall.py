"""The audit of the firewall: who could reach people held out, and the algebra that stops it. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from experiments.errors import Retryable
from flows.session import open_criteo, open_session
from sync.algebra import written
from sync.firewall_audit import Change, FirewallAudit
from sync.firewall_reading import held_out_and_listed, read_firewall


@dataclass(frozen=True, slots=True)
class FirewallCheck:
    """The audit of Criteo's ad sets, and the proof from the ledger's own lists."""

    audit: FirewallAudit
    leaked: dict[str, int]

    @property
    def is_tight(self) -> bool:
        """Whether nobody who is held out can be reached."""
        return not self.audit.findings and not any(self.leaked.values())


def check_firewall() -> FirewallCheck:
    """Reads all audiences and ad sets of the advertiser, and proves pushed ∩ held out = 0; changes nothing."""
    with open_session() as session, open_criteo(session) as criteo:
        audit = read_firewall(session.engine, criteo, session.programme)
        return FirewallCheck(audit, dict(held_out_and_listed(session.engine, session.programme)))


def apply_changes(changes: tuple[Change, ...]) -> FirewallCheck:
    """Writes the changed algebra to Criteo, unless somebody has changed it since, and audits again."""
    with open_session() as session, open_criteo(session) as criteo:
        found = {each.id: each for each in criteo.audiences(session.programme.advertiser)}
        for change in changes:
            now = found.get(change.audience.id)
            if now is None or now.algebra != change.before:
                raise Retryable(
                    f"audience {change.audience.id} was changed by somebody else in the meantime; run the audit again"
                )
            criteo.update_audience(change.audience.id, change.after)
    return check_firewall()


def firewall_document(found: FirewallCheck) -> dict[str, Any]:
    """For machines."""
    return {
        "ad_sets": found.audit.ad_sets,
        "findings": [
            {
                "fault": each.fault.name.lower(),
                "subject": each.subject,
                "lists": list(each.lists),
                "sentence": str(each.fault),
                "advice": each.advice,
            }
            for each in found.audit.findings
        ],
        "changes": [
            {
                "audience": each.audience.id,
                "name": each.audience.name,
                "before": written(each.before),
                "after": written(each.after),
            }
            for each in found.audit.changes
        ],
        "private_groups": list(found.audit.private_groups),
        "held_out_and_listed": found.leaked,
    }


def firewall_text(found: FirewallCheck) -> str:
    """For a person: each finding with what to do, then the proof."""
    audit = found.audit
    lines = [f"{audit.ad_sets} ad sets looked at, {len(audit.findings)} findings"]
    for each in audit.findings:
        lines.append(f"{each.subject}: {each.fault} ({', '.join(each.lists)})")
        lines.append(f"  {each.advice}")
    for change in audit.changes:
        lines.append(f"change of audience {change.audience.id} ({change.audience.name}):")
        lines += [f"  - {written(change.before)}", f"  + {written(change.after)}"]
    if audit.private_groups:
        named = ", ".join(audit.private_groups)
        lines.append(
            f"{named}: push_holdout is off, so nobody can subtract them: the effect is a lower bound"
        )
    leaked = sum(found.leaked.values())
    lines.append(f"pushed and held out: {leaked} people, over {len(found.leaked)} lists")
    return "\n".join(lines)
