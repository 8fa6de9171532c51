"""Windows that the clock leaves nothing of, and the advice."""

from dataclasses import replace

import pytest
from shops import MOMENTS, PROGRAMME, codes, shop, the, with_programme

from experiments.audiences import CriteoClock
from experiments.playbook.clock import HOUR
from experiments.playbook.timing import basis, windows

BATCHES = CriteoClock()


def test_criteo_s_published_clock_makes_the_shortest_window_unreachable() -> None:
    found = the(with_programme(criteo=BATCHES), "timing.unreachable")
    assert (found.audience, found.severity, found.figure) == ("cart-0-4h", "high", 0.0)
    assert found.cost is not None
    assert found.cost.amount == 700.0
    assert "no schedule can make it work; the nearest window that can is cart-0-13h" in found.what_to_do


def test_with_a_quick_clock_every_window_works() -> None:
    assert codes(shop()) == []
    assert [each.reached for each in windows(shop())] == [1.0, 1.0, 1.0, 1.0]


def test_a_window_of_which_most_people_are_missed_is_thin_and_gets_a_schedule() -> None:
    eight_hourly = shop(syncs=tuple(range(MOMENTS[0], MOMENTS[-1], 8 * HOUR)))
    found = the(eight_hourly, "timing.thin")
    assert (found.audience, found.severity) == ("cart-0-4h", "medium")
    assert found.figure == pytest.approx(3 / 8, abs=0.01)
    assert found.what_to_do == "sync every 4 hours: 75% are reached then"


def test_before_the_first_syncs_the_deployed_schedule_is_assumed() -> None:
    assert shop(syncs=()).interval == 4 * HOUR
    assert (
        codes(replace(shop(syncs=(), push=None), programme=replace(PROGRAMME, criteo=CriteoClock((), 0))))
        == []
    )


def test_a_measured_delay_moves_the_window_and_is_said_to_be_measured() -> None:
    slow = replace(with_programme(criteo=CriteoClock((), 0)), push=3 * HOUR + HOUR * 3 // 4)
    found = the(slow, "timing.thin")
    assert (found.audience, found.figure) == ("cart-0-4h", pytest.approx(0.25))
    assert "not measured" not in found.sentence
    assert str(basis(slow)) == (
        "a sync every 1 h, as in the last two weeks; 3.75 h from segment to list, as measured; Criteo at once"
    )


def test_a_delay_that_nobody_measured_is_said_to_be_assumed_in_findings_and_table() -> None:
    blind = replace(with_programme(criteo=BATCHES), push=None, syncs=())
    sentence = the(blind, "timing.unreachable").sentence
    assert sentence.endswith("even if segment to list, not measured yet, takes no time")
    assert str(basis(blind)) == (
        "a sync every 4 h, as deployed, which is assumed; no time from segment to list, which is assumed, "
        "for no sync has measured it; Criteo at 00:00 and 12:00 UTC and 5 h"
    )
    late = replace(with_programme(criteo=CriteoClock((), 49 * HOUR)), push=None)
    assert "not measured yet" in the(late, "timing.late-exit").sentence


def test_a_delay_of_nothing_that_was_measured_is_no_assumption() -> None:
    prompt = replace(with_programme(criteo=BATCHES), push=0)
    assert "0 s from segment to list, as measured" in str(basis(prompt))
    assert "not measured" not in the(prompt, "timing.unreachable").sentence


def test_a_clock_that_is_days_late_is_told_once_for_the_programme() -> None:
    found = the(with_programme(criteo=CriteoClock((), 49 * HOUR)), "timing.late-exit")
    assert found.audience is None
    assert found.figure == pytest.approx(49.5, abs=0.1)
    assert "timing.late-exit" not in {code for code, _ in codes(with_programme(criteo=BATCHES))}


def test_a_clock_beyond_any_window_is_told_to_leave_it_to_another_channel() -> None:
    forty_days = with_programme(criteo=CriteoClock((), 40 * 24 * HOUR))
    found = next(each for each in _findings(forty_days) if each.audience == "cart-0-4h")
    assert "use another channel" in found.what_to_do


def _findings(snapshot):  # type: ignore[no-untyped-def]
    from experiments.playbook.checks import findings

    return [each for each in findings(snapshot) if each.code == "timing.unreachable"]
