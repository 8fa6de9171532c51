"""A refresh that dies at any point is gone on with or undone, and the ads reach the right people at every moment.

A point is a statement, a commit or a request, the last also after Criteo acted and before it answered.
"""

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from programmes import digest, exclude, include, people, programme
from refreshing import AT_ONCE, advertise, begin, reached, states, sync
from sqlalchemy import event
from test_sync_machine import FAULTS, INCLUDES, Fuse, SyncMachine
from tiny_criteo import ADVERTISER, Crash, TinyCriteo

from experiments.audiences import CriteoClock, Programme
from experiments.database import connect, reading
from experiments.errors import HoldoutsError
from experiments.ledger import current_phase
from experiments.phases import assign
from sync import refresh
from sync.applying import apply
from sync.decision import decide, holdout_list
from sync.delivery import Courier
from sync.gathering import read_facts
from sync.lists import known_lists

SHOP = replace(
    programme(include("cart", 1, holdout_ppm=200_000, exclude=("buyers",)), exclude("buyers", 2)),
    criteo=AT_ONCE,
)
BESIDE = re.compile(r" · (after|former) \d+$")


def plain(name: str) -> str:
    """What a list was called before a refresh gave it a name of its own."""
    return BESIDE.sub("", name)


class Watched(TinyCriteo):
    """Looks at the ads after each request that it carried out."""

    look: Callable[[], None] = staticmethod(lambda: None)

    def named(self, name: str) -> set[str]:
        return {
            one
            for number, called in self.names.items()
            if plain(called) == name
            for one in self.lists[number]
        }

    def _act(self, request: httpx.Request) -> httpx.Response:
        answer = super()._act(request)
        self.look()
        return answer


@pytest.mark.parametrize(("name", "stride"), [("cart", 3), ("buyers", 11), (holdout_list("cart"), 11)])
def test_a_refresh_may_die_at_any_point(ledger_url: str, name: str, stride: int) -> None:
    _die_at_every(stride if ledger_url.startswith("sqlite") else 17, ledger_url, name)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["cart", "buyers", holdout_list("cart")])
def test_a_refresh_may_die_at_every_single_point(ledger_url: str, name: str) -> None:
    _die_at_every(1, ledger_url, name)


def _die_at_every(stride: int, ledger_url: str, name: str) -> None:
    """Each round dies `stride` points later than the last; the sync after it leaves everything as it should be."""
    crash, tiny = Fuse(), Watched()
    numbers = {"cart": range(60), "buyers": range(10)}
    engine = connect(ledger_url)
    sync(engine, tiny, SHOP, numbers, 0, chunk=25)
    advertise(tiny, "ad", "cart", less=(holdout_list("cart"), "buyers"))
    with reading(engine) as connection:
        phase = current_phase(connection, "cart")
    assert phase is not None

    def burn(request: httpx.Request) -> str:
        crash.burn()
        if crash.left > 0 and crash.left % 2 == 0:
            tiny.after = crash.burn
        return ""

    tiny.fault = burn
    points = 0
    for at in count(1):
        engine.dispose()
        engine = connect(ledger_url)
        event.listen(engine, "before_cursor_execute", crash.burn)
        event.listen(engine, "commit", crash.burn)
        numbers = {"cart": range(at % 15, 60 + at % 7), "buyers": range(1 + at % 11)}
        eligible = people(set(numbers["cart"]) - set(numbers["buyers"]))
        treated = {unit.hex() for unit in assign(eligible, phase.holdout).treated}
        everybody = {unit.hex() for unit in assign(people(range(70)), phase.holdout).treated}
        stay = reached(tiny, "ad") & treated
        assert stay

        def look(stay: frozenset[str] = stay, everybody: set[str] = everybody) -> None:
            on_air = reached(tiny, "ad")
            assert stay <= on_air, "somebody who belongs there was off the air"
            assert on_air <= everybody, "somebody held out was reached"

        tiny.look = look
        crash.light(stride * at)
        with suppress(Crash):
            begin(engine, tiny, SHOP, name, at)
            sync(engine, tiny, SHOP, numbers, at, chunk=25)
        has_died = crash.blown
        crash.light(0)
        sync(engine, tiny, SHOP, numbers, at, chunk=25)
        assert reached(tiny, "ad") == frozenset(treated)
        assert list(states(engine, name).values()) == ["current"]
        called = [number for number, each in tiny.names.items() if each == name]
        assert called == list(states(engine, name)), "the list bears its name in Criteo"
        points = stride * at
        if not has_died:
            break
    engine.dispose()
    assert points > 150


class RefreshMachine(SyncMachine):
    """The machine of the sync, with ads on every list and refreshes that begin at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.tiny = Watched(fault=self._fault)
        self.tiny.look = self._look
        self.stays: dict[str, frozenset[str]] = {}

    @rule(name=st.sampled_from([*INCLUDES, "buyers", holdout_list("cart"), holdout_list("solo")]))
    def a_refresh_begins(self, name: str) -> None:
        with suppress(HoldoutsError):
            refresh.begin(self._courier(), self._programme(), name)

    @rule(name=st.sampled_from(INCLUDES), point=st.integers(1, 40))
    def the_process_dies_as_a_refresh_begins(self, name: str, point: int) -> None:
        self.crash.light(point)
        with suppress(Crash, HoldoutsError):
            refresh.begin(self._courier(), self._programme(), name)
        self.crash.light(0)
        self.engine.dispose()
        self.engine = self._open()

    @rule()
    def every_refresh_comes_to_its_end(self) -> None:
        for _ in range(4):
            self.everything_is_fine_and_a_sync_runs()
        with reading(self.engine) as connection:
            assert {each.state for each in known_lists(connection)} <= {"current"}
        for name, numbers in self._expected().items():
            if name in {ad.removeprefix("ad of ") for ad in self.tiny.audiences}:
                assert reached(self.tiny, f"ad of {name}") == {digest(n).hex() for n in numbers}

    def _programme(self) -> Programme:
        return replace(super()._programme(), criteo=CriteoClock((), 1))

    def _courier(self) -> Courier:
        return Courier(self.engine, self.tiny.client(), ADVERTISER, self.at, self.chunk)

    def _sync(self) -> None:
        self.at += 1
        chosen = self._programme()
        self._advertise()
        plan = decide(read_facts(self.engine, chosen, self._memberships()))
        with self._watched(), self._looking():
            apply(self.engine, self.tiny.client(), chosen, plan, self.at, chunk=self.chunk)
            steps = refresh.advance(self._courier(), chosen, plan)
            assert not [each for each in steps if each.failure], steps

    @contextmanager
    def _looking(self) -> Iterator[None]:
        self.stays = self._stays()
        try:
            yield
        finally:
            self.stays = {}

    def _check(self, before: dict[str, set[str]], first: int) -> None:
        self.tiny.log[first:] = [(plain(name), *rest) for name, *rest in self.tiny.log[first:]]  # type: ignore[misc]
        super()._check(before, first)

    def _advertise(self) -> None:
        """An ad on each list that has come up. It subtracts nobody: lists change hands here, ads do not."""
        for called in (self.lists[audience] for audience in INCLUDES):
            if called in self.tiny.names.values() and f"ad of {called}" not in self.tiny.audiences:
                advertise(self.tiny, f"ad of {called}", called)

    def _stays(self) -> dict[str, frozenset[str]]:
        """By ad, who is reached now and belongs there after the sync too; nothing where a source is in doubt."""
        if set(self.sources.values()) != {"fine"}:
            return {}
        expected = self._expected()
        ads = {ad: ad.removeprefix("ad of ") for ad in self.tiny.audiences}
        return {
            ad: reached(self.tiny, ad) & {digest(n).hex() for n in expected[name]} for ad, name in ads.items()
        }

    def _look(self) -> None:
        for ad, stay in self.stays.items():
            assert stay <= reached(self.tiny, ad), "somebody who belongs there was off the air"


def _run(examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=examples < 100,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(RefreshMachine, settings=chosen)


def test_the_promises_hold_while_lists_are_refreshed() -> None:
    _run(examples=10, steps=14)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_promises_hold_while_lists_are_refreshed_for_long() -> None:
    _run(examples=600, steps=40)


def test_the_same_story_with_many_refreshes_and_faults() -> None:
    machine = RefreshMachine()
    machine.open_the_shop(3)
    for seed in range(14):
        draw = random.Random(seed)
        machine.members_change(draw.choice(INCLUDES), seed, 50)
        machine.a_refresh_begins(draw.choice([*INCLUDES, "buyers"]))
        machine.criteo_will_fail(draw.choices(["", *FAULTS], k=6))
        machine.the_process_dies_in_a_sync(draw.randint(1, 200))
        machine.a_sync_runs()
        machine.everything_is_fine_and_a_sync_runs()
        machine.everything_is_fine_and_a_sync_runs()
    machine.every_refresh_comes_to_its_end()
    assert len(machine.tiny.algebra) > 5, "refreshes did happen"
    machine.teardown()
