"""The registry, acceptance, and the order in which findings are told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from shops import TODAY, accepting, codes, shop, the, with_known

from experiments.audiences import CriteoTest
from experiments.playbook.checklist import checklist
from experiments.playbook.checks import CHECKS, CODES, findings
from experiments.playbook.facts import Snapshot
from experiments.playbook.finding import SEVERITIES

NAME = "lapsed-60-120d"


def broken() -> Snapshot:
    return with_known(NAME, holdout_ppm=0, size=30_000, answer=None)


def test_every_code_is_there_once_and_bears_its_theme() -> None:
    assert len(set(CODES)) == len(CODES)
    themes = {"design", "suppression", "identity", "timing", "offers", "measurement"}
    assert {code.partition(".")[0] for code in CODES} == themes


def test_every_check_says_what_it_looks_for() -> None:
    assert all(each.look.__doc__ for each in CHECKS)


def test_what_is_severe_comes_first() -> None:
    found = findings(broken())
    assert [each.code for each in found] == ["measurement.no-holdout", "design.giant"]
    assert [SEVERITIES.index(each.severity) for each in found] == [0, 1]


@pytest.mark.parametrize("audience", [NAME, None])
def test_an_accepted_finding_stays_and_stands_last(audience: str | None) -> None:
    programme = replace(broken().programme, accepted=accepting("measurement.no-holdout", audience, TODAY))
    found = findings(replace(broken(), programme=programme))
    assert [each.code for each in found] == ["design.giant", "measurement.no-holdout"]
    assert [each.is_open for each in found] == [True, False]
    assert found[1].document()["accepted"] == {"reason": "we know", "until": "2026-11-20"}


@pytest.mark.parametrize(
    ("audience", "late"), [(NAME, timedelta(days=1)), ("cart-0-4h", timedelta(0))], ids=["over", "another"]
)
def test_acceptance_ends_with_its_day_and_is_for_its_audience(audience: str, late: timedelta) -> None:
    accepted = accepting("measurement.no-holdout", audience, TODAY - late)
    programme = replace(broken().programme, accepted=accepted)
    found = findings(replace(broken(), programme=programme))
    assert all(each.is_open for each in found)
    is_over = "accepted until 2026-11-19, which is over (we know); " in found[0].what_to_do
    assert is_over == (late > timedelta(0))


def test_of_two_acceptances_the_longer_one_holds() -> None:
    code = "measurement.no-holdout"
    over, still = accepting(code, NAME, TODAY - timedelta(days=9)), accepting(code, None, TODAY)
    for accepted in ((*over, *still), (*still, *over)):
        programme = replace(broken().programme, accepted=accepted)
        found = the(replace(broken(), programme=programme), code)
        assert found.accepted == still[0]


def test_the_checklist_of_the_sound_shop_lacks_only_what_the_shop_lacks() -> None:
    page = checklist(shop(), findings(shop()))
    assert {each.title for each in page if each.state != "done"} == {
        "A universal holdout measures the whole programme",
        "Suppressed people and support cases are kept out",
        "New subscribers are left to the welcome journey",
        "No test of Criteo's own runs on these ad sets",
    }


@pytest.mark.parametrize(("ad_set", "state"), [("ads of cart-0-4h", "not done"), ("401", "done")])
def test_the_checklist_knows_of_criteo_s_tests_what_the_file_says(ad_set: str, state: str) -> None:
    tests = (CriteoTest("uplift", (ad_set,), TODAY, TODAY),)
    tested = replace(shop(), programme=replace(shop().programme, criteo_tests=tests))
    states = {each.title: each.state for each in checklist(tested, ())}
    assert states["No test of Criteo's own runs on these ad sets"] == state


def test_the_checklist_names_what_is_not_known_and_what_is_severe() -> None:
    blind = Snapshot(shop().now, shop().programme)
    states = {each.title: each.state for each in checklist(blind, findings(blind))}
    assert states["Criteo's lists are filled"] == "unknown"
    assert states["Ad sets cannot reach people held out"] == "unknown"
    assert states["Syncs run on schedule"] == "not done"
    severe = checklist(broken(), findings(broken()))[-1]
    assert (severe.state, severe.evidence) == ("not done", "measurement.no-holdout")


def test_a_finding_is_one_document() -> None:
    told = the(broken(), "design.giant").document()
    assert told["code"] == "design.giant"
    assert told["cost_per_week"] is None
    assert codes(broken())[1] == ("design.giant", told["audience"])
