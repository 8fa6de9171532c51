"""What Criteo rejects is found in few requests, and the list stays as it was."""

import random

import pytest
from programmes import NOBODY, digest, include, people
from sqlalchemy import Engine, func, select
from tiny_criteo import ADVERTISER, TinyCriteo

from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.errors import Leaked, Retryable
from experiments.identifier_log import remember_identifiers
from experiments.identifiers import Form, read_identifiers
from experiments.ledger import open_phase
from experiments.phases import Holdout
from experiments.schema import requests
from sync import pushes
from sync.bisection import Search
from sync.delivery import Courier, Target, transmit
from sync.lists import KnownList, remember_list
from sync.rejections import forget_rejections, rejections_of, suspects

TARGET = Target("7000", "cart")
EVERYBODY = range(256)


@pytest.fixture
def tiny() -> TinyCriteo:
    tiny = TinyCriteo()
    tiny.make("cart")
    return tiny


@pytest.fixture
def courier(engine: Engine, tiny: TinyCriteo) -> Courier:
    with writing(engine) as connection:
        remember_list(connection, KnownList("7000", "cart", "include", "current"))
        open_phase(connection, include("cart", 1), NOBODY, 1)
    return Courier(engine, tiny.client(), ADVERTISER, 1)


def rejected(courier: Courier) -> dict[bytes, str]:
    with reading(courier.engine) as connection:
        return dict(rejections_of(connection, "7000"))


def bad(*numbers: int) -> set[str]:
    return {digest(n).hex() for n in numbers}


def test_what_criteo_quotes_is_kept_with_the_add(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.refuses, tiny.samples = bad(3, 5), 10
    transmit(courier, TARGET, "add", people(EVERYBODY))
    assert rejected(courier) == {digest(3): "sample", digest(5): "sample"}
    with reading(courier.engine) as connection:
        assert suspects(connection, "7000") == people(), "all that were counted are known"


def test_whoever_came_with_somebody_rejected_is_suspect(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.refuses, tiny.samples = bad(3, 5), 1
    transmit(courier, TARGET, "add", people(range(10)))
    transmit(courier, TARGET, "add", people(range(10, 20)))
    (known,) = rejected(courier)
    with reading(courier.engine) as connection:
        assert suspects(connection, "7000") == people(range(10)) - DigestSet.of([known])


def test_a_sample_of_another_form_is_known_by_its_key(courier: Courier, tiny: TinyCriteo) -> None:
    found = read_identifiers([Form("plain")], [f"p{n}@example.com" for n in range(9)], {})
    with writing(courier.engine) as connection:
        remember_identifiers(connection, found)
    tiny.refuses, tiny.samples = {"p4@example.com"}, 1
    transmit(courier, TARGET, "add", found.keys())
    assert set(rejected(courier)) == set(found.keys_of(people(4), {"plain"}))


def test_what_was_never_sent_is_not_believed(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.refuses, tiny.samples = bad(3), 10
    answer = courier.criteo.amend("7000", "add", people(3))
    assert answer.samples
    tiny.refuses |= bad(*range(900, 910))
    transmit(courier, TARGET, "add", people(1, 2))
    assert rejected(courier) == {}


@pytest.mark.parametrize("samples", [0, 1, 3])
@pytest.mark.parametrize("many", [1, 2, 7, 40])
def test_all_are_found_however_few_are_quoted(
    courier: Courier, tiny: TinyCriteo, samples: int, many: int
) -> None:
    numbers = random.Random(many).sample(EVERYBODY, many)
    transmit(courier, TARGET, "add", people(EVERYBODY))
    tiny.refuses, tiny.samples = bad(*numbers), samples
    before = tiny.named("cart")
    search = Search(courier, TARGET, 1000)
    search.through(people(EVERYBODY))
    assert set(rejected(courier)) == set(people(numbers))
    assert search.unfound == 0
    assert search.made <= 1 + many * 8, "each takes at most the halvings of 256"
    assert search.made == 1 or samples < many, "what is quoted needs no search"
    with reading(courier.engine) as connection:
        assert pushes.held(connection, "7000", 0).invalid == many, "sent often, counted once"
    assert tiny.named("cart") == before
    with reading(courier.engine) as connection:
        assert pushes.holding(connection, "7000").surely == people(EVERYBODY)


def test_nobody_rejected_is_one_request(courier: Courier, tiny: TinyCriteo) -> None:
    transmit(courier, TARGET, "add", people(EVERYBODY))
    search = Search(courier, TARGET, 10)
    search.through(people(EVERYBODY))
    assert (search.made, search.unfound, rejected(courier)) == (1, 0, {})


def test_a_search_stops_after_its_requests_and_says_how_many_are_left(
    courier: Courier, tiny: TinyCriteo
) -> None:
    transmit(courier, TARGET, "add", people(EVERYBODY))
    tiny.refuses = bad(10, 100, 200)
    search = Search(courier, TARGET, 6)
    search.through(people(EVERYBODY))
    assert search.made <= 6
    assert search.unfound + len(rejected(courier)) == 3
    again = Search(courier, TARGET, 100)
    again.through(people(EVERYBODY) - DigestSet.of(rejected(courier)))
    assert set(rejected(courier)) == set(people(10, 100, 200))


def test_every_request_is_written_ahead_and_looked_at(courier: Courier, tiny: TinyCriteo) -> None:
    transmit(courier, TARGET, "add", people(EVERYBODY))
    tiny.refuses = bad(10)
    with writing(courier.engine) as connection:
        open_phase(connection, include("cart", 1), Holdout("holdout:v1:cart:s0", 500_000, "u", 0), 2)
        before = connection.scalar(select(func.count()).select_from(requests))
    sent = len(tiny.log)
    with pytest.raises(Leaked):
        Search(courier, TARGET, 100).through(people(EVERYBODY))
    assert len(tiny.log) == sent, "nobody who is held out now is added again"
    with reading(courier.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(requests)) == before


def test_what_was_found_before_criteo_failed_is_kept(courier: Courier, tiny: TinyCriteo) -> None:
    transmit(courier, TARGET, "add", people(EVERYBODY))
    tiny.refuses, tiny.samples = bad(10, 100), 1
    tiny.fault = lambda request: "503-before" if len(tiny.log) == 2 and request.method == "PATCH" else ""
    with pytest.raises(Retryable):
        Search(courier, TARGET, 100).through(people(EVERYBODY))
    assert len(rejected(courier)) == 1
    with reading(courier.engine) as connection:
        assert pushes.holding(connection, "7000").surely == people(EVERYBODY)


def test_a_rejection_is_forgotten_with_its_identifier(courier: Courier, tiny: TinyCriteo) -> None:
    tiny.refuses, tiny.samples = bad(3, 5), 10
    transmit(courier, TARGET, "add", people(EVERYBODY))
    transmit(courier, TARGET, "remove", people(3))
    with writing(courier.engine) as connection:
        forget_rejections(connection, "7000", pushes.holding(connection, "7000").at_most)
    assert set(rejected(courier)) == {digest(5)}
