"""The playbook's findings on the page: worst first, accepted last, costs only where they are known."""

from __future__ import annotations

from typing import Any

from analysis.report.advice import advices
from analysis.report.wording import Place, money, plain

EUROS = money("EUR")


def _finding(severity: str, **more: Any) -> dict[str, Any]:
    usual = {
        "code": "design.giant",
        "audience": "cart",
        "subject": "",
        "sentence": "s",
        "what_to_do": "w",
        "cost_per_week": None,
    }
    return {**usual, "severity": severity, "accepted": None, **more}


def _told(*findings: dict[str, Any]) -> Place:
    return Place({"playbook": {"findings": list(findings)}})


def test_without_a_nightly_check_there_is_no_advice() -> None:
    assert advices(Place({}), EUROS) == ()
    assert advices(Place({"playbook": None}), EUROS) == ()


def test_open_and_severe_findings_come_first() -> None:
    accepted = {"reason": "known", "until": "2027-01-01"}
    found = advices(_told(_finding("low"), _finding("high", accepted=accepted), _finding("high")), EUROS)
    assert [(each.severity, bool(each.accepted)) for each in found] == [
        ("high", False),
        ("low", False),
        ("high", True),
    ]
    assert found[-1].accepted == "accepted until 2027-01-01: known"


def test_a_cost_is_said_a_week_and_points_to_the_reports_number() -> None:
    known, unknown = advices(_told(_finding("high", cost_per_week=84.0), _finding("low")), EUROS)
    assert plain(known.cost) == "€84.0 a week"
    assert plain(unknown.cost) == ""


def test_a_finding_about_no_audience_is_named_by_its_subject() -> None:
    (found,) = advices(_told(_finding("high", audience=None, subject="ad set 490")), EUROS)
    assert found.subject == "ad set 490"


def test_a_finding_about_nothing_in_particular_is_about_the_programme() -> None:
    (found,) = advices(_told(_finding("high", audience=None)), EUROS)
    assert (found.code, found.subject) == ("design.giant", "whole programme")
