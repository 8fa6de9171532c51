"""Which verdicts are others than in the last report. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.facts import Kind


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """One experiment's verdict in the last report and in this one."""

    kind: Kind
    name: str
    before: str
    now: str
    sentence: str


def verdict_changes(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> tuple[VerdictChange, ...]:
    """The changes between two reports, for experiments that stand in both."""
    if before is None:
        return ()
    states = {each["name"]: each["verdict"]["state"] for each in before["experiments"]}
    return tuple(
        VerdictChange(
            kind=each["kind"],
            name=each["name"],
            before=states[each["name"]],
            now=each["verdict"]["state"],
            sentence=each["verdict"]["sentence"],
        )
        for each in now["experiments"]
        if each["name"] in states and states[each["name"]] != each["verdict"]["state"]
    )
