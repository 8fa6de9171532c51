"""The promises hold whatever people are sent as, and while that changes under a live list."""

import hashlib
import random
import uuid
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from programmes import digest
from test_sync_machine import AUDIENCES, GROUPS, INCLUDES, PEOPLE, SyncMachine, held_out

from experiments.audiences import Programme
from experiments.identifiers import SHA256, Form, read_identifiers
from sync.decision import UNIVERSAL_LIST, holdout_list
from sync.plan import Membership

MD5, PLAIN, MADID = Form("md5"), Form("plain"), Form("madid", "device")
CHOICES = ((SHA256,), (MD5,), (SHA256, MD5), (PLAIN,), (MADID,), (SHA256, MADID), (Form("sha256md5"), MADID))


def email(number: int) -> str:
    return f"p{number}@example.com"


def device(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def text(number: int, form: Form, devices: dict[int, str]) -> str | None:
    """What a person is called: the contract of Criteo, written out again."""
    md5 = hashlib.md5(email(number).encode()).hexdigest()
    return {
        "sha256": digest(number).hex(),
        "md5": md5,
        "plain": email(number),
        "sha256md5": hashlib.sha256(md5.encode()).hexdigest(),
        "madid": devices.get(number),
    }[form.name]


class FormsMachine(SyncMachine):
    """The same, with identifiers that change."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, tuple[Form, ...]] = dict.fromkeys(AUDIENCES, (SHA256,))
        self.devices: dict[int, str] = {}

    @initialize(seed=st.integers(0, 999))
    def open_the_shop(self, seed: int) -> None:
        super().open_the_shop(seed)
        # Fewer would let a part of them pass for the whole: the fuse allows ten to be missing.
        self.members["buyers"] = set(random.Random(seed).sample(range(PEOPLE), 21))

    @initialize(seed=st.integers(0, 999))
    def people_carry_devices(self, seed: int) -> None:
        draw = random.Random(seed)
        self.devices = {n: device(n) for n in draw.sample(range(PEOPLE), 60)}
        self.forms = {name: draw.choice(CHOICES) for name in AUDIENCES}

    @rule(name=st.sampled_from(AUDIENCES), forms=st.sampled_from(CHOICES))
    def the_file_asks_for_another_identifier(self, name: str, forms: tuple[Form, ...]) -> None:
        self.forms[name] = forms

    @rule(seed=st.integers(0, 10**6))
    def people_change_and_share_devices(self, seed: int) -> None:
        draw = random.Random(seed)
        for n in draw.sample(range(PEOPLE), 10):
            self.devices[n] = device(draw.randrange(2 * PEOPLE))
        for n in draw.sample(range(PEOPLE), 5):
            self.devices.pop(n, None)

    @rule()
    def everything_is_fine_and_a_sync_runs(self) -> None:
        self.faults = []
        self.sources = dict.fromkeys(AUDIENCES, "fine")
        for _ in range(3):
            # An identifier that a list held for somebody else is free one sync after it left.
            self._sync()
        for name, texts in self._wanted().items():
            assert self.tiny.named(name) == texts, name

    def _programme(self) -> Programme:
        chosen = super()._programme()
        audiences = tuple(replace(each, forms=self.forms[each.name]) for each in chosen.audiences)
        return replace(chosen, audiences=audiences)

    def _memberships(self) -> dict[str, Membership]:
        found = super()._memberships()
        numbers = {digest(n): n for n in range(PEOPLE)}
        for name, membership in found.items():
            inside = [numbers[unit] for unit in membership.units]
            attributes = {"device": [self.devices.get(n) for n in inside]}
            named = read_identifiers(self.forms[name], [email(n) for n in inside], attributes)
            found[name] = replace(membership, identifiers=named)
        return found

    def _check(self, before: dict[str, set[str]], first: int) -> None:
        audience_of = {called: name for name, called in self.lists.items()}
        people: dict[str, set[int]] = {}
        for n in self._devices_read():
            people.setdefault(self.devices[n], set()).add(n)
        for n in range(PEOPLE):
            for form in (SHA256, MD5, PLAIN, Form("sha256md5")):
                people[str(text(n, form, {}))] = {n}
        for name, operation, identifiers in self.tiny.log[first:]:
            audience = audience_of.get(name)
            if operation != "add" or audience not in INCLUDES:
                continue
            for each in identifiers:
                (number,) = people[each]
                assert not held_out(number, audience, self.ppm), "a leak"
        doubtful = [name for name in AUDIENCES if self.sources[name] != "fine"]
        if "buyers" in doubtful:
            assert before[self.lists["buyers"]] <= self.tiny.named(self.lists["buyers"])
            doubtful = list(AUDIENCES)
        for name in set(doubtful) & set(INCLUDES):
            assert self.tiny.named(self.lists[name]) <= before[self.lists[name]]

    def _devices_read(self) -> set[int]:
        numbers = {digest(n): n for n in range(PEOPLE)}
        read = {
            name: each.units for name, each in super()._memberships().items() if MADID in self.forms[name]
        }
        return {numbers[unit] for units in read.values() for unit in units} & set(self.devices)

    def _own_devices(self) -> dict[int, str]:
        read = self._devices_read()
        carried = [self.devices[n] for n in read]
        return {n: self.devices[n] for n in read if carried.count(self.devices[n]) == 1}

    def _wanted(self) -> dict[str, set[str]]:
        """What each list should hold, worked out person by person."""
        own = self._own_devices()

        def called(number: int, audience: str) -> set[str]:
            found = (text(number, form, own) for form in self.forms[audience])
            return {each for each in found if each is not None}

        buyers = self.members["buyers"]
        lists = {self.lists[name]: set[str]() for name in INCLUDES}
        lists |= {name: set() for name in (*map(holdout_list, GROUPS.values()), UNIVERSAL_LIST)}
        lists[self.lists["buyers"]] = {each for n in buyers for each in called(n, "buyers")}
        claimed: dict[str, set[int]] = {group: set() for group in GROUPS.values()}
        for name in INCLUDES:
            eligible = self.members[name] - buyers - claimed[GROUPS[name]]
            eligible = {n for n in eligible if called(n, name)}
            claimed[GROUPS[name]] |= eligible
            for n in eligible:
                lists[held_out(n, name, self.ppm) or self.lists[name]] |= called(n, name)
        return lists


def _run(examples: int, steps: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        phases=(Phase.generate,),
        derandomize=examples < 100,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(FormsMachine, settings=chosen)


def test_the_promises_hold_while_identifiers_change() -> None:
    _run(examples=20, steps=16)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_promises_hold_while_identifiers_change_for_long() -> None:
    _run(examples=800, steps=40)
