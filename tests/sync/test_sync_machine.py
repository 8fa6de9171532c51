"""Whatever happens in whatever order, the promises of the contract hold after each step.

The machine keeps its own model of what should be, in plain Python and with the frozen hash written out
again; it shares nothing with the product but the programme's values.
"""

import hashlib
import os
import random
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from programmes import digest, exclude, include, people, programme
from sqlalchemy import Engine, event, select
from tiny_criteo import Crash, TinyCriteo

from experiments.audiences import Bounds, Programme
from experiments.database import connect, reading, writing
from experiments.errors import HoldoutsError, Retryable
from experiments.ledger import change_holdout, read_file_holdouts
from experiments.schema import entrants, phases
from sync.applying import apply
from sync.decision import UNIVERSAL_LIST, decide, holdout_list
from sync.gathering import read_facts
from sync.plan import Membership

PEOPLE = 90
STRICT_SOURCE = Bounds(shrink=1, growth=1e9, removal=1, unusable=1)
GROUPS = {"hot": "cart", "cold": "cart", "solo": "solo"}
INCLUDES = ("hot", "cold", "solo")
AUDIENCES = (*INCLUDES, "buyers")
FAULTS = ("drop-before", "drop-after", "503-before", "503-after", "429")
SOURCES = ("fine", "fine", "failed", "building", "in part")


@dataclass
class Fuse:
    """Ends the process at the `left`-th point: before any statement, commit or request, or after a request."""

    left: int = 0
    blown: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def burn(self, *_: Any) -> None:
        with self.lock:
            self.left -= 1
            self.blown = self.blown or self.left == 0
            if self.blown:
                raise Crash

    def light(self, left: int) -> None:
        self.left, self.blown = left, False


def held_out(number: int, audience: str, ppm: dict[str, int]) -> str | None:
    """Which list of held-out people a person belongs to, if any: the contract's rule, written out again."""
    for salt, share, name in (
        ("holdout:v1:universal:s0", ppm["universal"], UNIVERSAL_LIST),
        (f"holdout:v1:{GROUPS[audience]}:s0", ppm[audience], holdout_list(GROUPS[audience])),
    ):
        text = f"{salt}|{digest(number).hex()}".encode()
        if int(hashlib.sha256(text).hexdigest()[:8], 16) < share * 2**32 // 1_000_000:
            return name
    return None


class SyncMachine(RuleBasedStateMachine):
    """Members, exclusions, percentages, lists, faults, crashes and syncs, in any order."""

    chunk = 25

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.url = f"sqlite:///{Path(self.folder.name) / 'ledger.sqlite'}"
        self.tiny = TinyCriteo(fault=self._fault)
        self.crash = Fuse()
        self.faults: list[str] = []
        self.at = 0
        self.lists = {name: name for name in AUDIENCES}
        self.sources = dict.fromkeys(AUDIENCES, "fine")
        self.ppm = {"hot": 100_000, "cold": 100_000, "solo": 200_000, "universal": 20_000}
        self.known_entrants: set[tuple[Any, ...]] = set()
        self.known_phases: set[tuple[Any, ...]] = set()

    @initialize(seed=st.integers(0, 999))
    def open_the_shop(self, seed: int) -> None:
        draw = random.Random(seed)
        self.members = {name: set(draw.sample(range(PEOPLE), 60)) for name in AUDIENCES}
        self.members["buyers"] = set(draw.sample(range(PEOPLE), 15))
        self.engine = self._open()

    @rule(name=st.sampled_from(AUDIENCES), seed=st.integers(0, 10**6), size=st.integers(20, 70))
    def members_change(self, name: str, seed: int, size: int) -> None:
        self.members[name] = set(random.Random(seed).sample(range(PEOPLE), size))

    @rule(name=st.sampled_from(AUDIENCES), source=st.sampled_from(SOURCES))
    def a_source_changes_its_mood(self, name: str, source: str) -> None:
        self.sources[name] = source

    @rule(name=st.sampled_from([*INCLUDES, "universal"]), percent=st.integers(0, 50))
    def a_holdout_changes(self, name: str, percent: int) -> None:
        with writing(self.engine) as connection:
            read_file_holdouts(connection, self._programme(), self.at)
            change_holdout(
                connection, name, percent * 10_000, at=self.at, route="form", who="ada", reason="so"
            )
        self.ppm[name] = percent * 10_000

    @rule(pair=st.permutations(INCLUDES))
    def two_audiences_swap_their_lists(self, pair: list[str]) -> None:
        one, other = pair[:2]
        self.lists[one], self.lists[other] = self.lists[other], self.lists[one]

    @rule(faults=st.lists(st.sampled_from(["", *FAULTS]), min_size=1, max_size=8))
    def criteo_will_fail(self, faults: list[str]) -> None:
        self.faults = faults

    @rule(point=st.integers(1, 250))
    def the_process_dies_in_a_sync(self, point: int) -> None:
        self.crash.light(point)
        with suppress(Crash, HoldoutsError):
            self._sync()
        self.crash.light(0)
        self.engine.dispose()
        self.engine = self._open()

    @rule()
    def a_sync_runs(self) -> None:
        with suppress(HoldoutsError):
            self._sync()

    @rule()
    def everything_is_fine_and_a_sync_runs(self) -> None:
        self.faults = []
        self.sources = dict.fromkeys(AUDIENCES, "fine")
        self._sync()
        expected = self._expected()
        for name, numbers in expected.items():
            assert self.tiny.named(name) == {digest(n).hex() for n in numbers}, name

    @invariant()
    def nothing_recorded_is_lost(self) -> None:
        if not hasattr(self, "engine"):
            return
        with reading(self.engine) as connection:
            now = {tuple(row) for row in connection.execute(select(entrants))}
            opened = {tuple(row) for row in connection.execute(select(phases))}
        assert self.known_entrants <= now
        assert self.known_phases <= opened
        self.known_entrants, self.known_phases = now, opened

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.engine.dispose()
        self.folder.cleanup()

    def _open(self) -> Engine:
        engine = connect(self.url)
        event.listen(engine, "before_cursor_execute", self.crash.burn)
        event.listen(engine, "commit", self.crash.burn)
        return engine

    def _programme(self) -> Programme:
        share = {"hot": 100_000, "cold": 100_000, "solo": 200_000}
        windows = [
            include(
                name,
                place,
                list=self.lists[name],
                holdout_group=GROUPS[name],
                priority=place,
                holdout_ppm=share[name],
                exclude=("buyers",),
                bounds=STRICT_SOURCE,
            )
            for place, name in enumerate(INCLUDES, 1)
        ]
        return programme(*windows, exclude("buyers", 9, bounds=STRICT_SOURCE), universal_ppm=20_000)

    def _memberships(self) -> dict[str, Membership]:
        found = {}
        for name in AUDIENCES:
            everybody = sorted(self.members[name])
            match self.sources[name]:
                case "fine":
                    found[name] = Membership(people(everybody), len(everybody), reported=len(everybody))
                case "building":
                    found[name] = Membership(people(), 0, finished=False)
                case "in part":
                    part = everybody[: len(everybody) // 3]
                    found[name] = Membership(people(part), len(part), reported=len(everybody))
        return found

    def _sync(self) -> None:
        self.at += 1
        chosen = self._programme()
        plan = decide(read_facts(self.engine, chosen, self._memberships()))
        with self._watched():
            apply(self.engine, self.tiny.client(), chosen, plan, self.at, chunk=self.chunk)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        before = {name: self.tiny.named(name) for name in [*self.lists.values()]}
        first = len(self.tiny.log)
        yield_error: BaseException | None = None
        try:
            yield
        except (Crash, Retryable) as error:
            yield_error = error
        self._check(before, first)
        if yield_error is not None:
            raise yield_error

    def _check(self, before: dict[str, set[str]], first: int) -> None:
        """Promises 1 and 3, of everything that this sync sent, however it ended."""
        audience_of = {called: name for name, called in self.lists.items()}
        numbers = {digest(n).hex(): n for n in range(PEOPLE)}
        for name, operation, identifiers in self.tiny.log[first:]:
            audience = audience_of.get(name)
            if audience in INCLUDES and operation == "add":
                assert not [n for n in identifiers if held_out(numbers[n], audience, self.ppm)], "a leak"
        doubtful = [name for name in AUDIENCES if self.sources[name] != "fine"]
        if "buyers" in doubtful:
            assert before[self.lists["buyers"]] <= self.tiny.named(self.lists["buyers"])
            doubtful = list(AUDIENCES)
        for name in set(doubtful) & set(INCLUDES):
            assert self.tiny.named(self.lists[name]) <= before[self.lists[name]], (
                "it grew on a doubtful source"
            )

    def _fault(self, request: httpx.Request) -> str:
        self.crash.burn()
        if request.method != "PATCH":
            return ""
        fault = self.faults.pop(0) if self.faults else ""
        if self.crash.left > 0 and self.crash.left % 3 == 0:
            # Now and then the process dies after Criteo acted and before the answer comes.
            self.tiny.after = self.crash.burn
        return fault

    def _expected(self) -> dict[str, set[int]]:
        lists: dict[str, set[int]] = {self.lists["buyers"]: self.members["buyers"]}
        lists |= {holdout_list(group): set() for group in GROUPS.values()} | {UNIVERSAL_LIST: set()}
        claimed: dict[str, set[int]] = {group: set() for group in GROUPS.values()}
        for name in INCLUDES:
            eligible = self.members[name] - self.members["buyers"] - claimed[GROUPS[name]]
            claimed[GROUPS[name]] |= eligible
            lists[self.lists[name]] = {n for n in eligible if not held_out(n, name, self.ppm)}
            for n in eligible:
                if (guard := held_out(n, name, self.ppm)) is not None:
                    lists[guard].add(n)
        return lists


def _run(examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=examples < 100,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(SyncMachine, settings=chosen)


def test_the_promises_hold_after_each_step() -> None:
    _run(examples=40, steps=18)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_promises_hold_after_each_step_for_long() -> None:
    _run(examples=1500, steps=40)


def test_a_list_is_never_in_two_windows_of_a_group() -> None:
    """The machine's own lists swap; this one watches one pair request by request."""
    machine = SyncMachine()
    machine.open_the_shop(3)
    seen = machine.tiny._amend

    def watching(number: str, wanted: dict[str, object]) -> httpx.Response:
        answer = seen(number, wanted)
        assert not machine.tiny.named("hot") & machine.tiny.named("cold")
        return answer

    machine.tiny._amend = watching  # type: ignore[method-assign]
    for seed in range(12):
        machine.members_change("hot", seed, 50)
        machine.members_change("cold", seed + 100, 50)
        machine.criteo_will_fail(random.Random(seed).choices(["", *FAULTS], k=6))
        machine.a_sync_runs()
    machine.everything_is_fine_and_a_sync_runs()
    machine.teardown()
