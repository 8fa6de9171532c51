"""The whole reference and the real file, where ../shared is there; skipped where it is not."""

import json
from typing import Any

import pytest
from reference_cases import CASES, SHARED, close, near

from analysis.lift import analyse_table

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="a fresh clone has no ../shared")


def whole() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHARED / "reference_cases.json").read_text())
    return found


def lift(outcome: str, **named: Any) -> dict[str, Any]:
    return analyse_table(
        SHARED / "hillstrom.csv",
        arm="segment",
        control="No E-Mail",
        treatment="Mens E-Mail",
        outcome=outcome,
        **named,
    )


def test_the_copied_reference_still_agrees_with_the_shared_one() -> None:
    for name, case in CASES["score"].items():
        assert case["lift_ci"] == whole()["score_interval"]["cases"][name]["score_skew_corrected"]["lift_ci"]
    for name, case in CASES["comparisons"].items():
        experiment, outcome = name.split("/")
        assert case["absolute"] == whole()[experiment][outcome]["absolute"]


@pytest.mark.parametrize("outcome", ["visit", "conversion", "spend"])
def test_the_real_file_gives_the_reference_through_the_whole_path(outcome: str) -> None:
    case = whole()["hillstrom_mens"][outcome]
    score = whole()["score_interval"]["cases"][f"hillstrom/mens/{outcome}"]["score_skew_corrected"]
    found = lift(outcome)
    assert found["arms"]["control"]["sum"] == close(case["sufficient_stats"]["control"]["sy"])
    assert found["absolute"]["estimate"] == close(case["absolute"]["diff"])
    assert found["absolute"]["interval"] == close(case["absolute"]["ci_t"])
    assert found["relative"]["interval"] == near(score["lift_ci"])
    anytime = case["always_valid"]["abs_Nstar_42613"]
    assert found["always_valid"]["absolute"]["interval"] == close(anytime["ci"])
    assert found["always_valid"]["absolute"]["p_value"] == close(anytime["p"], 1e-8)


@pytest.mark.parametrize("outcome", ["visit", "spend"])
def test_the_covariate_of_the_real_file_gives_lins_reference(outcome: str) -> None:
    case = whole()["hillstrom_mens"][outcome]["lin_ancova2"]
    found = lift(outcome, covariate="history")
    assert found["absolute"]["interval"] == close(case["ci"])
    assert found["adjustment"]["variance_reduction"] == close(case["variance_reduction"], 1e-6)


def test_a_capacity_of_five_thousand_gives_the_reference() -> None:
    case = whole()["hillstrom_mens"]["spend"]["always_valid"]["abs_Nstar_5000"]
    assert lift("spend", capacity=5_000)["always_valid"]["absolute"]["interval"] == close(case["ci"])
