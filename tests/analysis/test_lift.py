"""`holdouts lift`: any table, the contract's document, and words for a person."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from reference_cases import CASES, SCORES, both, close, near, single

from analysis.lift import Reading, analyse_table, lift_document, render_lift
from analysis.table import Columns, read_table
from experiments.errors import Rejected

ROWS = [
    {"group": g, "spend": s, "past": p, "phase": ph, "units": u}
    for g, s, p, ph, u in (
        ("control", "0", "1.5", "a", "40"),
        ("control", "12.5", "3", "a", "30"),
        ("control", "0", "0", "b", "50"),
        ("control", "20", "4", "b", "20"),
        ("ads", "0", "1", "a", "300"),
        ("ads", "14", "2.5", "a", "400"),
        ("ads", "0", "0.5", "b", "500"),
        ("ads", "33", "5", "b", "350"),
        ("other", "oops", "", "", "1"),
    )
]
NAMED: dict[str, Any] = {"arm": "group", "control": "control", "treatment": "ads", "outcome": "spend"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "table.csv", ROWS)


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def changed(row: int, **values: str) -> list[dict[str, str]]:
    return [{**r, **values} if k == row else r for k, r in enumerate(ROWS)]


def test_the_document_has_what_the_contract_promises(table: Path) -> None:
    found = analyse_table(table, **NAMED, weight="units")
    assert set(found) >= {
        "arms",
        "absolute",
        "relative",
        "always_valid",
        "p_value",
        "incremental",
        "sample_ratio",
        "warnings",
    }
    assert all(set(arm) == {"n", "sum", "mean", "conversions"} for arm in found["arms"].values())
    for part in (found["absolute"], found["relative"], found["always_valid"]["absolute"]):
        assert set(part) >= {"estimate", "interval", "method"}
    assert set(found["always_valid"]) >= {"absolute", "relative", "e_value", "p_value"}
    assert set(found["incremental"]) >= {"total", "interval", "share"}
    json.dumps(found, allow_nan=False)


def test_a_weighted_row_stands_for_that_many_units(table: Path) -> None:
    arms = analyse_table(table, **NAMED, weight="units")["arms"]
    assert arms["control"] == {"n": 140, "sum": 775.0, "mean": close(775 / 140), "conversions": 50}
    assert arms["treatment"]["n"] == 1_550


@pytest.mark.parametrize("name", SCORES)
def test_relative_and_incremental_agree_with_the_reference(name: str) -> None:
    case = SCORES[name]
    found = lift_document(single(*both(case["sufficient_stats"])), Reading())
    assert found["relative"]["estimate"] == close(case["lift"])
    assert found["relative"]["interval"] == near(case["lift_ci"])
    assert found["incremental"]["total"] == close(case["incremental_total"])
    assert found["incremental"]["interval"] == near(case["incremental_total_ci"])
    assert found["incremental"]["share"] == close(case["incrementality_share"])


def test_a_covariate_and_strata_change_the_absolute_method(table: Path) -> None:
    plain = analyse_table(table, **NAMED, weight="units")
    adjusted = analyse_table(table, **NAMED, weight="units", covariate="past")
    stratified = analyse_table(table, **NAMED, weight="units", stratum="phase")
    both_ = analyse_table(table, **NAMED, weight="units", stratum="phase", covariate="past")
    methods = [found["absolute"]["method"] for found in (plain, adjusted, stratified, both_)]
    assert methods == ["Welch t", "Lin-adjusted", "post-stratified", "Lin-adjusted, post-stratified"]
    assert adjusted["adjustment"]["variance_reduction"] > 0.3
    assert adjusted["adjustment"]["relative"]["method"] == "Fieller"
    assert stratified["strata"]["count"] == 2
    assert any("of the variance" in warning for warning in adjusted["warnings"])


def test_the_default_capacity_is_the_tables_own_size(table: Path) -> None:
    found = analyse_table(table, **NAMED, weight="units")
    assert found["always_valid"]["capacity"] == 1_690
    tuned_elsewhere = analyse_table(table, **NAMED, weight="units", capacity=100_000)
    assert tuned_elsewhere["always_valid"]["p_value"] != found["always_valid"]["p_value"]


def test_too_few_control_conversions_withhold_the_always_valid_statement() -> None:
    name = "hillstrom_thinned_control_first_1121/mens/conversion"
    found = lift_document(single(*both(SCORES[name]["sufficient_stats"])), Reading())
    assert found["always_valid"]["relative"]["interval"] == [None, None]
    assert found["always_valid"]["e_value"] == 1.0
    assert any("no statement about lift below 20" in warning for warning in found["warnings"])


def test_an_e_value_too_large_for_a_number_stays_finite() -> None:
    sums = single(
        *both({"control": {"n": 1e6, "sy": 1e4, "syy": 1e4}, "treatment": {"n": 1e6, "sy": 4e4, "syy": 4e4}})
    )
    found = lift_document(sums, Reading())["always_valid"]
    assert found["log_e_value"] > 700.0
    assert np.isfinite(found["e_value"])


def test_a_known_share_is_tested() -> None:
    counts = CASES["changing_holdout"]["phase_counts"][2]
    sums = single(
        *both(
            {"control": {"n": counts[0], "sy": 5, "syy": 5}, "treatment": {"n": counts[1], "sy": 5, "syy": 5}}
        )
    )
    ratio = lift_document(sums, Reading(expected_share=0.5))["sample_ratio"]
    assert ratio["p_value"] == pytest.approx(0.9695883036496801)
    assert lift_document(sums, Reading())["sample_ratio"]["p_value"] is None


def test_parquet_and_csv_give_the_same_answer(table: Path, tmp_path: Path) -> None:
    columns = {
        "group": pa.array([r["group"] for r in ROWS]).dictionary_encode(),
        "spend": pa.array([None if r["spend"] == "oops" else float(r["spend"]) for r in ROWS]),
        "units": pa.array([int(r["units"]) for r in ROWS]),
    }
    parquet.write_table(pa.table(columns), tmp_path / "table.parquet")
    found = analyse_table(tmp_path / "table.parquet", **NAMED, weight="units")
    assert found == analyse_table(table, **NAMED, weight="units")


def test_arms_may_be_numbers_and_outcomes_truths(tmp_path: Path) -> None:
    columns = {"arm": pa.array([0, 0, 1, 1, 1]), "bought": pa.array([True, False, True, True, False])}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = analyse_table(tmp_path / "t.parquet", arm="arm", control="0", treatment="1", outcome="bought")
    assert (found["arms"]["control"]["sum"], found["arms"]["treatment"]["sum"]) == (1.0, 2.0)


@pytest.mark.parametrize(
    ("rows", "named", "message"),
    [
        (ROWS, {"outcome": "revenue"}, "no column 'revenue'"),
        (ROWS, {"treatment": "advertised"}, "no row has 'advertised' in column 'group'; it has 'ads'"),
        (ROWS, {"treatment": "control"}, "are the same"),
        (changed(0, spend="much"), {}, "'spend' holds something that is not a number"),
        (changed(0, spend=""), {}, "'spend' is empty in 1 of the rows"),
        (changed(0, spend="nan"), {}, "1 values that are not finite"),
        (changed(0, units="1.5"), {"weight": "units"}, "whole numbers of units"),
        (changed(0, units="-1"), {"weight": "units"}, "whole numbers of units"),
        (changed(0, phase=""), {"stratum": "phase"}, "'phase' is empty in 1 of the rows"),
        (ROWS, {"alpha": 1.5}, "alpha is 1.5"),
        (ROWS, {"capacity": 0.0}, "capacity is 0.0"),
    ],
)
def test_a_table_that_cannot_be_used_is_rejected_in_words(
    tmp_path: Path, rows: list[dict[str, str]], named: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "table.csv", rows)
    with pytest.raises(Rejected, match=message):
        analyse_table(path, **{**NAMED, **named})


def test_a_missing_empty_or_broken_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="no file"):
        analyse_table(tmp_path / "none.csv", **NAMED)
    for name in ("empty.csv", "broken.parquet"):
        (tmp_path / name).write_text("")
        with pytest.raises(Rejected, match="cannot be read"):
            analyse_table(tmp_path / name, **NAMED)


def test_a_column_of_people_is_never_spelled_out(tmp_path: Path) -> None:
    people = [{"group": f"person{k}@example.com", "spend": "1"} for k in range(30)]
    with pytest.raises(Rejected, match="30 different values") as raised:
        analyse_table(write(tmp_path / "people.csv", people), **NAMED)
    assert "@" not in str(raised.value)


def test_rows_of_other_arms_are_counted_and_left_out(table: Path) -> None:
    found = read_table(table, Columns(**NAMED))
    assert found.other_rows == 1
    assert any("1 rows belong to other arms" in w for w in analyse_table(table, **NAMED)["warnings"])


def test_the_words_put_the_answer_before_the_method(table: Path) -> None:
    lines = render_lift(analyse_table(table, **NAMED, weight="units")).splitlines()
    assert lines[0].startswith("Held out: 140 units, 50 converted")
    assert lines[3].startswith("Lift: +")
    assert "however often you look" in lines[5]
    assert lines[-1].startswith("Beware: ")


def test_an_open_side_is_said_in_words() -> None:
    sums = single(
        *both({"control": {"n": 100, "sy": 0, "syy": 0}, "treatment": {"n": 900, "sy": 30, "syy": 30}})
    )
    text = render_lift(lift_document(sums, Reading()))
    assert "Lift: not estimable, not bounded on either side" in text
    assert "lift at least" in text


def test_welch_and_the_score_may_disagree_and_the_reader_is_told() -> None:
    name = "hillstrom_thinned_control_first_1121/mens/spend"
    control, treatment = both(SCORES[name]["sufficient_stats"])
    found = lift_document(single(control, treatment), Reading(alpha=0.001))
    assert any("disagree about zero" in warning for warning in found["warnings"])
