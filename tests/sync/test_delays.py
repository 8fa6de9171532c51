"""The delay from first seen to accepted is exact, and only of those who are new."""

from programmes import people

from experiments.digests import EMPTY
from sync.delays import Accepted, Delays, delays


def test_half_and_nearly_all_of_the_people_waited_at_most_this_long() -> None:
    accepted = [Accepted(people(range(90)), 110), Accepted(people(range(90, 100)), 160)]
    assert delays(accepted, {100: people(range(100))}) == Delays(10, 60)


def test_a_person_s_wait_begins_with_their_own_entry() -> None:
    accepted = [Accepted(people(range(10)), 1_000)]
    entered = {900: people(range(6)), 400: people(range(6, 10))}
    assert delays(accepted, entered) == Delays(100, 600)


def test_ninety_five_of_a_hundred_are_not_ninety_four() -> None:
    fast, slow = people(range(95)), people(range(95, 100))
    assert delays([Accepted(fast, 1), Accepted(slow, 9)], {0: fast | slow}).p95 == 1
    fast, slow = people(range(94)), people(range(94, 100))
    assert delays([Accepted(fast, 1), Accepted(slow, 9)], {0: fast | slow}).p95 == 9


def test_who_entered_long_ago_and_comes_back_does_not_count() -> None:
    assert delays([Accepted(people(1, 2, 3), 50)], {40: people(3)}) == Delays(10, 10)


def test_where_nobody_is_new_there_is_no_delay() -> None:
    assert delays([Accepted(people(1), 50)], {40: EMPTY}) == Delays(None, None)
    assert delays([], {40: people(1)}) == Delays()
