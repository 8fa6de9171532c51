from typing import Any

from analysis.verdict_changes import VerdictChange, verdict_changes


def report(**states: str) -> dict[str, Any]:
    return {
        "experiments": [
            {"name": name, "kind": "audience", "verdict": {"state": state, "sentence": f"It is {state}."}}
            for name, state in states.items()
        ]
    }


def test_a_first_report_changes_nothing() -> None:
    assert verdict_changes(None, report(lapsed="inconclusive")) == ()


def test_only_a_verdict_that_is_another_now_is_a_change() -> None:
    before = report(lapsed="inconclusive", browsing="not enough data")
    now = report(lapsed="incremental", browsing="not enough data")
    change = VerdictChange("audience", "lapsed", "inconclusive", "incremental", "It is incremental.")
    assert verdict_changes(before, now) == (change,)


def test_an_audience_that_is_new_or_gone_is_no_change() -> None:
    assert verdict_changes(report(lapsed="inconclusive"), report(browsing="incremental")) == ()
