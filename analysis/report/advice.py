"""What the playbook's nightly checks found, for the page: worst first, with its cost where one is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.wording import Place, Sentence, Way

_ORDER = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Advice:
    """One finding as the reader sees it."""

    code: str
    severity: str
    subject: str
    sentence: str
    what_to_do: str
    cost: Sentence
    accepted: str
    """Why the team lives with it, and until when; empty for an open finding."""


def advices(root: Place, money: Way) -> tuple[Advice, ...]:
    """The findings of the newest check, open ones first; none where no check has run."""
    told: Mapping[str, Any] = root.value
    if not told.get("playbook"):
        return ()
    found = [_advice(each, money) for each in root["playbook"]["findings"].each()]
    return tuple(sorted(found, key=lambda each: (bool(each.accepted), _ORDER.index(each.severity))))


def _advice(finding: Place, money: Way) -> Advice:
    told = finding.value
    cost: Sentence = () if told["cost_per_week"] is None else (money(finding["cost_per_week"]), " a week")
    accepted = told.get("accepted")
    return Advice(
        code=told["code"],
        severity=told["severity"],
        subject=told["audience"] or told["subject"] or "whole programme",
        sentence=told["sentence"],
        what_to_do=told["what_to_do"],
        cost=cost,
        accepted=f"accepted until {accepted['until']}: {accepted['reason']}" if accepted else "",
    )
