"""Events that people are told about: a refused sync, a leak, a new verdict, a list that drifted, a stale source. I/O.

They are sent from flow runs only, and carry names, counts and hashes. `flows/automations.yaml` turns
them into notifications.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from prefect.context import FlowRunContext
from prefect.events import emit_event

from experiments.errors import Leaked
from experiments.settings import brand_in_force
from flows.presentation import reasons
from sync.plan import ListPlan

Kind = Literal["audience", "group", "programme", "source"]
Payload = Mapping[str, str | int | float | list[str] | None]


def sync_refused(plan: ListPlan, approval: str | None) -> None:
    """A fuse stopped this plan; `approval` is where a person can let it through."""
    payload: Payload = {
        "plan": plan.hash,
        "fuses": [each.fuse for each in plan.refusals],
        "reason": reasons(plan),
        "members": plan.counts.profiles,
        "adds": len(plan.adds),
        "removes": len(plan.removes),
        "approval": approval or "see the run, or `holdouts plan`",
    }
    _announce("sync.refused", "audience", plan.name, payload)


def leak_found(leak: Leaked) -> None:
    """Somebody held out stands in a list that people are advertised from, or was about to."""
    _announce("leak.found", "audience", leak.audience, {"people": leak.people, "reason": str(leak)})


def verdict_changed(kind: Kind, name: str, before: str, now: str, sentence: str) -> None:
    """An experiment's verdict is another than in the last report."""
    _announce("verdict.changed", kind, name, {"before": before, "now": now, "sentence": sentence})


def match_rate_fell(audience: str, before: float, now: float, identifiers: int) -> None:
    """Criteo recognises fewer of an audience's identifiers than chance explains."""
    shares = {"before": f"{before:.1%}", "now": f"{now:.1%}"}
    _announce("match-rate.fell", "audience", audience, {**shares, "identifiers": identifiers})


def list_drifted(name: str, sentence: str, advice: str) -> None:
    """Criteo counts another number of people on a list than the ledger, which it did not the night before."""
    _announce("list.drifted", "audience", name, {"sentence": sentence, "what_to_do": advice})


def source_stale(kind: Kind, name: str, reason: str, since: datetime | None = None) -> None:
    """A source gave nothing new; `since` is when it last did."""
    last = "unknown" if since is None else f"{since:%Y-%m-%d %H:%M} UTC"
    _announce("source.stale", kind, name, {"reason": reason, "last": last})


def finding_new(found: Mapping[str, Any]) -> None:
    """The playbook's check has a severe finding that the one before did not have."""
    told = {key: found[key] for key in ("code", "sentence", "what_to_do", "cost_per_week", "currency")}
    if found["audience"] is None:
        _announce("finding.new", "programme", "playbook", told)
    else:
        _announce("finding.new", "audience", found["audience"], told)


def _announce(event: str, kind: Kind, name: str, payload: Payload) -> None:
    if FlowRunContext.get() is None:
        return
    brand = brand_in_force()
    kinds = f"holdouts.{brand}.{kind}" if brand else f"holdouts.{kind}"
    resource = {"prefect.resource.id": f"{kinds}.{name}", "prefect.resource.name": name}
    emit_event(f"holdouts.{event}", resource=resource, payload=dict(payload))
