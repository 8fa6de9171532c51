"""The audit of the profiles' e-mails, from the command line, against the sandbox's dirty shop."""

from __future__ import annotations

from pathlib import Path

from command_line import Run

from sandbox.world import Sandbox

COUNTS = ("missing", "malformed", "unusable", "people", "duplicates_merged")


def test_the_audit_counts_what_a_plan_counts_and_shows_no_email(holdouts: Run) -> None:
    found = holdouts("audit", "identity", "--json")
    assert found.status == 0
    planned = {each["name"]: each for each in holdouts("plan", "--json").document["audiences"]}
    for each in found.document["audiences"]:
        plan = planned[each["name"]]
        assert each["profiles"] == plan["members"]
        assert each["people"] == plan["units"]
        assert each["unusable"] == sum(plan["unusable"].values())
        assert each["unusable"] == each["missing"] + each["malformed"] + each["already_hashed"]["md5"]
        assert each["profiles"] == each["people"] + each["duplicates_merged"] + each["unusable"]
    largest = max(found.document["audiences"], key=lambda each: each["profiles"])
    assert all(largest[name] > 0 for name in COUNTS), "the shop is dirty"
    text = holdouts("audit", "identity")
    assert "@" not in found.out + text.out + text.err
    assert "unusable" in text.out.splitlines()[0]


def test_one_audience_is_audited_alone_and_an_unknown_one_is_wrong_use(holdouts: Run) -> None:
    found = holdouts("audit", "identity", "lapsed", "--json").document["audiences"]
    assert [each["name"] for each in found] == ["lapsed"]
    unknown = holdouts("audit", "identity", "nobody")
    assert unknown.status == 2
    assert "'nobody' is no audience" in unknown.err


def test_more_unusable_profiles_than_allowed_fail_the_audit(holdouts: Run, folder: Path) -> None:
    path = folder / "audiences.yaml"
    path.write_text(
        path.read_text().replace("- name: lapsed", "- name: lapsed\n    bounds: {unusable: 0.01%}")
    )
    found = holdouts("audit", "identity", "lapsed")
    assert found.status == 1
    assert "profiles have no usable e-mail or identifier, more than the 0.01% allowed" in found.out


def test_a_segment_that_is_being_built_is_not_counted(holdouts: Run, box: Sandbox) -> None:
    box.rebuild("lapsed", polls=5)
    found = holdouts("audit", "identity", "lapsed", "--json")
    assert found.status == 1
    (row,) = found.document["audiences"]
    assert row["profiles"] == 0
    assert "still being built" in row["finding"]
