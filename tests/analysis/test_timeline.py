"""Who may be compared when holdouts change: the spans against a naive definition, unit by unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_cases import CASES

from analysis.timeline import FOREVER, Epoch, Level, Span, epochs, spans
from experiments.assignment import BUCKETS, threshold
from experiments.phases import Holdout, Phase

DAY = 86_400
WINDOW, WASHOUT = 14 * DAY, 14 * DAY


def phase(
    number: int,
    opened_at: int,
    percent: float,
    *,
    audience: str = "cart",
    universal: float = 0,
    salt: str = "s0",
    universal_salt: str = "u0",
    id_: int | None = None,
) -> Phase:
    holdout = Holdout(salt, round(percent * 10_000), universal_salt, round(universal * 10_000))
    return Phase(id_ if id_ is not None else number, audience, number, "cart", holdout, opened_at)


def share(percent: float) -> int:
    return threshold(round(percent * 10_000))


def found(
    *phases: Phase, watermark: int, window: int | None = WINDOW, level: Level = "group"
) -> tuple[Span, ...]:
    return spans(phases, window=window, washout=WASHOUT, watermark=watermark, level=level)


def test_one_phase_is_one_span_from_its_opening_to_the_watermark() -> None:
    assert found(phase(1, 0, 10), watermark=100 * DAY) == (Span(0, 100 * DAY, share(10), share(10), 0),)


def test_a_raised_holdout_leaves_the_band_out_around_the_change() -> None:
    change = 50 * DAY
    assert found(phase(1, 0, 10), phase(2, change, 20), watermark=100 * DAY) == (
        Span(0, change - WINDOW, share(10), share(10), 0),
        Span(change - WINDOW, change + WASHOUT, share(10), share(20), 0),
        Span(change + WASHOUT, 100 * DAY, share(20), share(20), 0),
    )


def test_the_band_that_is_left_out_agrees_with_the_reference() -> None:
    """A window that feels three percentages compares only whom all three placed alike."""
    case = CASES["switch_band"]
    phases = [phase(at + 1, 50 * DAY + at * DAY, 100 * part) for at, part in enumerate(case["h_sequence"])]
    (span,) = [each for each in found(*phases, watermark=100 * DAY) if each.entered_from == 50 * DAY]
    arms = []
    for place in case["u"]:
        bucket = int(place * BUCKETS)
        held_out, treated = bucket < span.control_below, bucket >= span.treated_from
        arms.append("C" if held_out else "T" if treated else "drop")
    assert arms == case["arm"]


def test_a_lowered_holdout_does_the_same() -> None:
    change = 50 * DAY
    middle = found(phase(1, 0, 20), phase(2, change, 10), watermark=100 * DAY)[1]
    assert middle == Span(change - WINDOW, change + WASHOUT, share(10), share(20), 0)


def test_outcomes_to_the_watermark_see_every_later_change() -> None:
    known = found(phase(1, 0, 10), phase(2, 50 * DAY, 20), watermark=100 * DAY, window=None)
    assert known == (
        Span(0, 64 * DAY, share(10), share(20), 0),
        Span(64 * DAY, 100 * DAY, share(20), share(20), 0),
    )


def test_a_stretch_without_a_control_is_left_out() -> None:
    known = found(phase(1, 0, 0), phase(2, 50 * DAY, 20), watermark=100 * DAY)
    assert known == (Span(64 * DAY, 100 * DAY, share(20), share(20), 0),)


def test_audiences_of_one_group_compare_whom_all_of_them_treated_alike() -> None:
    first, second = phase(1, 0, 10), phase(1, 0, 20, audience="later", id_=2)
    assert found(first, second, watermark=50 * DAY) == (Span(0, 50 * DAY, share(10), share(20), 0),)


def test_an_audience_that_joins_later_counts_from_when_it_can_reach_a_window() -> None:
    first, second = phase(1, 0, 20), phase(1, 30 * DAY, 5, audience="later", id_=2)
    assert found(first, second, watermark=60 * DAY) == (
        Span(0, 16 * DAY, share(20), share(20), 0),
        Span(16 * DAY, 60 * DAY, share(5), share(20), 0),
    )


def test_people_who_were_ever_held_out_of_everything_are_in_neither_arm_of_a_group() -> None:
    known = found(phase(1, 0, 10, universal=5), phase(2, 50 * DAY, 10, universal=2), watermark=100 * DAY)
    assert [(each.entered_until, each.universal_from) for each in known] == [
        (64 * DAY, share(5)),
        (100 * DAY, share(2)),
    ]


def test_the_programme_compares_by_the_universal_holdout() -> None:
    known = found(
        phase(1, 0, 10, universal=5),
        phase(2, 50 * DAY, 20, universal=5),
        watermark=100 * DAY,
        level="universal",
    )
    assert known == (Span(0, 100 * DAY, share(5), share(5), 0),)


def test_a_new_salt_leaves_out_whatever_touches_both() -> None:
    change = 50 * DAY
    assert found(phase(1, 0, 10), phase(2, change, 10, salt="s1"), watermark=100 * DAY) == (
        Span(0, change - WINDOW, share(10), share(10), 0),
        Span(change + WASHOUT, 100 * DAY, share(10), share(10), 0),
    )


def test_a_new_universal_salt_does_too_where_somebody_is_held_out_of_everything() -> None:
    in_use = (phase(1, 0, 10, universal=2), phase(2, 50 * DAY, 10, universal=2, universal_salt="u1"))
    unused = (phase(1, 0, 10), phase(2, 50 * DAY, 10, universal_salt="u1"))
    assert [(each.entered_from, each.entered_until) for each in found(*in_use, watermark=100 * DAY)] == [
        (0, 36 * DAY),
        (64 * DAY, 100 * DAY),
    ]
    assert found(*unused, watermark=100 * DAY) == (Span(0, 100 * DAY, share(10), share(10), 0),)


def test_epochs_end_what_was_known_where_the_next_salt_begins() -> None:
    old, new = phase(1, 0, 10), phase(2, 50 * DAY, 10, salt="s1")
    known = epochs((new, old), window=None, washout=WASHOUT, watermark=100 * DAY)
    assert known == (
        Epoch((old,), 50 * DAY, (Span(0, 50 * DAY, share(10), share(10), 0),)),
        Epoch((new,), 100 * DAY, (Span(64 * DAY, 100 * DAY, share(10), share(10), 0),)),
    )


def test_an_epoch_that_was_over_is_the_same_for_ever() -> None:
    phases = (phase(1, 0, 10), phase(2, 20 * DAY, 20), phase(3, 50 * DAY, 20, salt="s1"))
    for window in (None, WINDOW):
        known = [
            epochs(phases, window=window, washout=WASHOUT, watermark=day * DAY)[0] for day in (50, 60, 400)
        ]
        assert known[0] == known[1] == known[2]


def test_without_a_new_salt_there_is_one_epoch_with_all_spans() -> None:
    phases = (phase(1, 0, 10, universal=1), phase(2, 50 * DAY, 20))
    for window in (None, WINDOW):
        (epoch,) = epochs(phases, window=window, washout=WASHOUT, watermark=100 * DAY)
        assert epoch.spans == found(*phases, watermark=100 * DAY, window=window)


def test_a_universal_salt_that_nobody_was_held_out_by_needs_no_wash_out() -> None:
    """It was in use once, long ago, so an epoch ends there; the people who enter after it still count."""
    phases = (
        phase(1, 0, 10, universal=2),
        phase(2, 20 * DAY, 10),
        phase(3, 60 * DAY, 10, universal_salt="u1"),
    )
    _, second = epochs(phases, window=WINDOW, washout=WASHOUT, watermark=100 * DAY)
    assert second.spans == (Span(60 * DAY, 100 * DAY, share(10), share(10), 0),)


def test_nothing_is_known_before_the_first_sync() -> None:
    assert found(watermark=DAY) == ()
    assert epochs((), window=WINDOW, washout=WASHOUT, watermark=DAY) == ()
    assert found(phase(1, 5 * DAY, 10), watermark=5 * DAY) == ()


def test_the_expected_share_of_controls_is_that_among_the_people_compared() -> None:
    assert Span(0, 1, share(10), share(10), 0).holdout_share == pytest.approx(0.1)
    assert Span(0, 1, share(10), share(20), 0).holdout_share == pytest.approx(1 / 9)


Naive = Literal["holdout", "treatment", "left out"]


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who enters at a time, with a bucket under each salt: salts are independent draws."""

    entered_at: int
    buckets: dict[str, int]
    universal: dict[str, int]


def naive_arm(
    person: Person, phases: Sequence[Phase], window: int | None, washout: int, watermark: int, level: Level
) -> Naive:
    """Looks at each phase that the person could feel from a wash-out before entry to the window's end."""
    end = watermark - 1 if window is None else person.entered_at + window
    felt = []
    for each in phases:
        later = [p.opened_at for p in phases if p.audience == each.audience and p.number > each.number]
        closed = max(min(later, default=FOREVER), each.opened_at + 1)
        if each.opened_at <= end and closed > person.entered_at - washout:
            felt.append(each.holdout)
    salts = {holdout.universal_salt if level == "universal" else holdout.salt for holdout in felt}
    universal_salts = {holdout.universal_salt for holdout in felt}
    is_in_use = any(holdout.universal_ppm for holdout in felt)
    if len(salts) > 1 or (is_in_use and len(universal_salts) > 1):
        return "left out"
    everywhere = [person.universal[h.universal_salt] < threshold(h.universal_ppm) for h in felt]
    own = [person.buckets[h.salt] < threshold(h.ppm) for h in felt]
    if level == "group" and any(everywhere):
        return "left out"
    held = everywhere if level == "universal" else own
    thresholds = [h.universal_ppm if level == "universal" else h.ppm for h in felt]
    if not min(thresholds):
        return "left out"
    return "holdout" if all(held) else "treatment" if not any(held) else "left out"


def span_arm(person: Person, known: Sequence[tuple[Epoch, Span]], level: Level) -> Naive:
    arms: list[Naive] = []
    for epoch, span in known:
        if span.entered_from <= person.entered_at < span.entered_until:
            holdout = epoch.phases[0].holdout
            universal = person.universal[holdout.universal_salt]
            bucket = universal if level == "universal" else person.buckets[holdout.salt]
            if universal < span.universal_from or span.control_below <= bucket < span.treated_from:
                arms.append("left out")
            else:
                arms.append("holdout" if bucket < span.control_below else "treatment")
    assert len(arms) <= 1, "nobody is in two strata"
    return arms[0] if arms else "left out"


percents = st.sampled_from([0, 1, 5, 10, 10, 20, 50])
gaps = st.sampled_from([0, 1, 3, 7, 10, 25, 40])


@st.composite
def histories(draw: st.DrawFn) -> list[Phase]:
    """One to three audiences of a group whose percentages, universal share and salts change over time.

    Salts change for all audiences at one time; a percentage changes for one audience.
    """
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    numbers = dict.fromkeys(names, 0)
    current = {name: draw(percents) for name in names}
    universal, salt, universal_salt, now = draw(percents), 0, 0, 0
    phases: list[Phase] = []

    def open_(name: str) -> None:
        numbers[name] += 1
        phases.append(
            phase(
                numbers[name],
                now,
                current[name],
                audience=name,
                universal=universal,
                salt=f"s{salt}",
                universal_salt=f"u{universal_salt}",
                id_=len(phases) + 1,
            )
        )

    for name in names:
        open_(name)
    for _ in range(draw(st.integers(0, 4))):
        now += draw(gaps)
        what = draw(st.sampled_from(["one", "one", "universal", "salt", "universal salt"]))
        if what == "one":
            name = draw(st.sampled_from(names))
            current[name] = draw(percents)
            open_(name)
            continue
        universal = draw(percents) if what == "universal" else universal
        salt += what == "salt"
        universal_salt += what == "universal salt"
        for name in names:
            open_(name)
    return phases


buckets = st.one_of(
    st.integers(0, BUCKETS - 1),
    st.sampled_from([share(p) + d for p in (0, 1, 5, 10, 20, 50) for d in (-1, 0)][1:]),
)
people = st.builds(
    lambda at, own, all_: Person(
        at, {f"s{n}": b for n, b in enumerate(own)}, {f"u{n}": b for n, b in enumerate(all_)}
    ),
    st.integers(0, 120),
    st.lists(buckets, min_size=5, max_size=5),
    st.lists(buckets, min_size=5, max_size=5),
)


@settings(max_examples=400, deadline=None)
@given(
    histories(),
    st.lists(people, min_size=5, max_size=25),
    st.sampled_from([1, 5, 14, None]),
    st.sampled_from([0, 5, 14]),
    st.integers(0, 130),
    st.sampled_from(["group", "universal"]),
)
def test_spans_agree_with_a_naive_look_at_each_unit(
    phases: list[Phase], several: list[Person], window: int | None, washout: int, watermark: int, level: Level
) -> None:
    known = [
        (epoch, span)
        for epoch in epochs(phases, window=window, washout=washout, watermark=watermark, level=level)
        for span in epoch.spans
    ]
    for person in several:
        if not phases[0].opened_at <= person.entered_at < watermark:
            assert span_arm(person, known, level) == "left out"
            continue
        ends = [
            epoch.until
            for epoch in epochs(phases, window=window, washout=washout, watermark=watermark, level=level)
            if epoch.phases[0].opened_at <= person.entered_at
        ]
        until = next((end for end in ends if person.entered_at < end), watermark)
        if window is not None and person.entered_at + window > until:
            continue  # not matured: the sums leave such a unit out by its time
        expected = naive_arm(person, phases, window, washout, until, level)
        assert span_arm(person, known, level) == expected
