"""The playbook's checks in the order of the document, and what they find, accepted findings marked. Pure.

A new check is a function with `@check(code)` in the file of its theme, its name here, and its example in
`docs/playbook.md`.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.audiences import Accepted
from experiments.playbook import (
    audience_design,
    identity_checks,
    measurement_checks,
    offers,
    suppression,
    timing,
)
from experiments.playbook.facts import Snapshot
from experiments.playbook.finding import SEVERITIES, Check, Finding

CHECKS: tuple[Check, ...] = (
    audience_design.giant,
    audience_design.vague,
    audience_design.stuck,
    audience_design.windows_gap,
    audience_design.windows_overlap,
    audience_design.overlap,
    audience_design.too_small,
    audience_design.too_small_to_measure,
    suppression.missing,
    suppression.unused,
    suppression.empty,
    suppression.shrinks,
    suppression.stale,
    suppression.slow,
    suppression.vip_discount,
    identity_checks.coverage,
    identity_checks.malformed,
    identity_checks.typos,
    identity_checks.duplicates,
    identity_checks.match_fell,
    identity_checks.match_low,
    identity_checks.segment_gap,
    identity_checks.count_gap,
    timing.unreachable,
    timing.thin,
    timing.late_exit,
    offers.conflict,
    offers.journey_conflict,
    offers.too_early,
    offers.wrong_buyers,
    offers.dates,
    offers.unlisted,
    measurement_checks.no_holdout,
    measurement_checks.holdout_too_small,
    measurement_checks.holdout_too_large,
    measurement_checks.site_tag,
    measurement_checks.criteo_test,
    measurement_checks.spend_without_audience,
    measurement_checks.audience_without_spend,
)
CODES: tuple[str, ...] = tuple(each.code for each in CHECKS)


def findings(snapshot: Snapshot) -> tuple[Finding, ...]:
    """Everything that is found, once, what is open and severe first, in the playbook's order otherwise."""
    found: dict[tuple[str, str | None, str], Finding] = {}
    for each in (each for look in CHECKS for each in look(snapshot)):
        found.setdefault((each.code, each.audience, each.subject), _marked(each, snapshot))
    return tuple(sorted(found.values(), key=lambda each: (not each.is_open, SEVERITIES.index(each.severity))))


def _marked(finding: Finding, snapshot: Snapshot) -> Finding:
    """With its acceptance; one that is over is told, so that the team decides again."""
    fitting = [each for each in snapshot.programme.accepted if _fits(each, finding)]
    last = max(fitting, key=lambda each: each.until, default=None)
    if last is None:
        return finding
    if snapshot.today <= last.until:
        return replace(finding, accepted=last)
    again = f"accepted until {last.until}, which is over ({last.reason}); {finding.what_to_do}"
    return replace(finding, what_to_do=again)


def _fits(accepted: Accepted, finding: Finding) -> bool:
    return accepted.code == finding.code and accepted.audience in (None, finding.audience)
