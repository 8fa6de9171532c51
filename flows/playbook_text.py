"""How a check tells a person at the terminal: findings, windows, shared people, the page of boxes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.playbook.checklist import Item
from experiments.playbook.finding import Finding
from flows.playbook import Told
from flows.preview import table_text

MOST_PAIRS = 12
"""Pairs of audiences that a person is shown."""


def findings_text(found: Sequence[Finding]) -> str:
    """One paragraph a finding: what, how bad, what it costs, what to do."""
    return "\n".join(_finding_text(each) for each in found) or "the playbook finds nothing to improve"


def windows_text(told: Told) -> str:
    """The table of windows, with a bar of twenty characters for the share of people reached."""
    rows = [
        {
            "window": each.audience,
            "lasts": f"{each.stay.length / 3_600:g} h",
            "people reached": f"{each.reached:.0%}",
            "of their hours": f"{each.covered:.0%}",
            "": "█" * round(20 * each.reached) + "·" * (20 - round(20 * each.reached)),
        }
        for each in told.windows
    ]
    if not rows:
        return "no audience says from when to when people are in it"
    return f"{table_text(rows)}\nreckoned with {told.basis}"


def shared_text(told: Told) -> str:
    """The pairs of audiences with people in common, the closest first; empty where there are none."""
    rows = [
        {
            "audience": each.smaller,
            "shares": f"{each.people:,}",
            "of its people": f"{each.most:.0%}",
            "with": each.bigger,
        }
        for each in told.shared[:MOST_PAIRS]
    ]
    left = len(told.shared) - len(rows)
    more = f"\nand {left:,} pairs that share less; --json has them" if left else ""
    return f"{table_text(rows)}{more}" if rows else ""


def checklist_text(page: Sequence[Item]) -> str:
    """The page: a box for each item, and its evidence."""
    boxes = {"done": "[x]", "not done": "[ ]", "unknown": "[?]"}
    wide = max(len(each.title) for each in page)
    return "\n".join(f"{boxes[each.state]} {each.title.ljust(wide)}  {each.evidence}" for each in page)


def _finding_text(found: Finding) -> str:
    who = "" if found.audience is None else f" {found.audience}:"
    cost = "" if found.cost is None else f" ({found.cost})"
    mark = found.severity if found.is_open else "accepted"
    ending = (
        f"  accepted until {found.accepted.until}: {found.accepted.reason}"
        if found.accepted
        else f"  {found.what_to_do}"
    )
    return f"{mark.ljust(8)}  {found.code}{who} {found.sentence}{cost}\n{ending.rjust(len(ending) + 8)}"
