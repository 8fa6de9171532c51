"""No sequence of syncs, percentages, window moves and new draws puts somebody held out into an include list.

It looks at every single add as it arrives at Criteo, and at every list after every sync, with the frozen
hash written out again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from programmes import digest, include, people, programme
from sqlalchemy import Engine
from tiny_criteo import TinyCriteo

from experiments.audiences import Programme
from experiments.database import connect, writing
from experiments.ledger import change_holdout, read_file_holdouts, rerandomise
from sync import pushes
from sync.applying import apply
from sync.decision import UNIVERSAL_LIST, decide, holdout_list
from sync.firewall_reading import held_out_and_listed
from sync.gathering import read_facts
from sync.lists import list_named
from sync.plan import Membership

PEOPLE = range(60)
NUMBERS = {digest(number).hex(): number for number in PEOPLE}
WINDOWS = ("hot", "warm")


@dataclass
class Shop:
    """What should be, in plain Python."""

    ppm: dict[str, int] = field(
        default_factory=lambda: {"hot": 200_000, "warm": 200_000, "universal": 50_000}
    )
    file: dict[str, int] = field(
        default_factory=lambda: {"hot": 200_000, "warm": 200_000, "universal": 50_000}
    )
    draws: dict[str, int] = field(default_factory=lambda: {"cart": 0, "universal": 0})
    window_of: dict[int, str | None] = field(default_factory=lambda: dict.fromkeys(PEOPLE, "hot"))

    def rule(self, number: int, window: str) -> str | None:
        """Which list of held-out people somebody belongs to, None for who is advertised to."""
        for group, share, name in (
            ("universal", self.ppm["universal"], UNIVERSAL_LIST),
            ("cart", self.ppm[window], holdout_list("cart")),
        ):
            text = f"holdout:v1:{group}:s{self.draws[group]}|{digest(number).hex()}"
            if int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) < share * 2**32 // 1_000_000:
                return name
        return None

    def programme(self) -> Programme:
        windows = [
            include(name, at, holdout_group="cart", priority=at, holdout_ppm=self.file[name])
            for at, name in enumerate(WINDOWS, 1)
        ]
        return replace(programme(*windows), universal_holdout_ppm=self.file["universal"])


steps = st.one_of(
    st.tuples(st.just("form"), st.sampled_from(["hot", "warm", "universal"]), st.integers(0, 50)),
    st.tuples(st.just("file"), st.sampled_from(["hot", "warm", "universal"]), st.integers(0, 50)),
    st.tuples(st.just("draw"), st.sampled_from(["cart", "universal"]), st.just(0)),
    st.tuples(st.just("move"), st.sampled_from(["hot", "warm", ""]), st.integers(0, 2**20)),
)


@contextmanager
def opened() -> Iterator[Engine]:
    with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        engine = connect(f"sqlite:///{folder}/ledger.sqlite")
        yield engine
        engine.dispose()


def take(step: tuple[str, str, int], shop: Shop, engine: Engine, at: int) -> None:
    what, name, number = step
    if what == "move":
        for one in PEOPLE:
            if number >> (one % 20) & 1:
                shop.window_of[one] = name or None
        return
    with writing(engine) as connection:
        read_file_holdouts(connection, shop.programme(), at)
        if what == "form":
            change_holdout(connection, name, number * 10_000, at=at, route="form", who="ada", reason="so")
            shop.ppm[name] = number * 10_000
        elif what == "draw":
            rerandomise(connection, shop.programme(), name, at=at, who="ada", reason="leaked")
            shop.draws[name] += 1
    if what == "file" and shop.file[name] != number * 10_000:
        shop.file[name] = shop.ppm[name] = number * 10_000


def sync(shop: Shop, engine: Engine, tiny: TinyCriteo, at: int) -> None:
    asked = shop.programme()
    inside = {name: [number for number in PEOPLE if shop.window_of[number] == name] for name in WINDOWS}
    memberships = {
        name: Membership(people(numbers), len(numbers) or 1, reported=len(numbers) or 1)
        for name, numbers in inside.items()
    }
    first = len(tiny.log)
    apply(engine, tiny.client(), asked, decide(read_facts(engine, asked, memberships)), at)
    for name, operation, identifiers in tiny.log[first:]:
        if name in WINDOWS and operation == "add":
            assert not [one for one in identifiers if shop.rule(NUMBERS[one], name)]
    for name in WINDOWS:
        wanted = {digest(n).hex() for n in inside[name] if shop.rule(n, name) is None}
        assert tiny.named(name) == wanted
    for held in (holdout_list("cart"), UNIVERSAL_LIST):
        twins = {digest(n).hex() for w in WINDOWS for n in inside[w] if shop.rule(n, w) == held}
        assert tiny.named(held) == twins
    assert not any(held_out_and_listed(engine, asked).values())


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(steps, min_size=1, max_size=3), max_size=7))
def test_nobody_held_out_is_ever_added_or_left(rounds: Sequence[Sequence[tuple[str, str, int]]]) -> None:
    tiny, shop = TinyCriteo(), Shop()
    with opened() as engine:
        sync(shop, engine, tiny, 1)
        for at, several in enumerate(rounds, 2):
            for step in several:
                take(step, shop, engine, at)
            sync(shop, engine, tiny, at)


def test_the_proof_finds_somebody_whom_no_entrant_s_record_knows() -> None:
    """Held out now and on the list, though never written down as an entrant: the hash alone tells."""
    tiny, shop = TinyCriteo(), Shop()
    stranger = next(n for n in range(1_000, 2_000) if shop.rule(n, "hot"))
    with opened() as engine:
        sync(shop, engine, tiny, 1)
        with writing(engine) as connection:
            known = list_named(connection, "hot")
            assert known is not None
            pushes.write_ahead(connection, known.id, "add", people(stranger), 2)
        assert held_out_and_listed(engine, shop.programme()) == {"hot": 1}
