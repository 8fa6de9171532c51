"""Ads in the small Criteo, whom they reach, and a sync that goes on with refreshes as the flow does."""

from collections.abc import Mapping

from programmes import members, people
from sqlalchemy import Engine
from tiny_criteo import ADVERTISER, TinyCriteo

from experiments.audiences import CriteoClock, Programme
from experiments.database import reading
from sync import refresh
from sync.algebra import Algebra, And, In, Not, Or, read, written
from sync.applying import apply
from sync.decision import decide
from sync.delivery import Courier
from sync.gathering import read_facts
from sync.lists import KnownList, lists_named

AT_ONCE = CriteoClock((), 0)
Numbers = Mapping[str, range | tuple[int, ...]]


def advertise(tiny: TinyCriteo, audience: str, on: str, *, less: tuple[str, ...] = ()) -> None:
    """An audience of the advertiser's, made of the list that bears this name now, less other lists."""
    ids = {name: number for number, name in tiny.names.items()}
    algebra = And((In(ids[on]), *(Not(In(ids[name])) for name in less)))
    attributes = {"name": audience, "algebra": written(algebra), "adSetIds": [audience]}
    tiny.audiences[audience] = {"id": audience, "type": "Audience", "attributes": attributes}


def reached(tiny: TinyCriteo, audience: str) -> frozenset[str]:
    """The people whom the audience reaches at this moment."""
    attributes = dict(tiny.audiences[audience]["attributes"])  # type: ignore[call-overload]
    everybody = frozenset().union(*tiny.lists.values())
    return _evaluate(read(attributes["algebra"]), tiny, everybody)


def _evaluate(algebra: Algebra, tiny: TinyCriteo, everybody: frozenset[str]) -> frozenset[str]:
    match algebra:
        case In(segment):
            return frozenset(tiny.lists.get(segment, ()))
        case Not(node):
            return everybody - _evaluate(node, tiny, everybody)
        case And(nodes):
            return everybody.intersection(*(_evaluate(node, tiny, everybody) for node in nodes))
        case Or(nodes):
            return frozenset().union(*(_evaluate(node, tiny, everybody) for node in nodes))


def begin(engine: Engine, tiny: TinyCriteo, chosen: Programme, name: str, at: int) -> None:
    refresh.begin(Courier(engine, tiny.client(), ADVERTISER, at), chosen, name)


def sync(
    engine: Engine, tiny: TinyCriteo, chosen: Programme, numbers: Numbers, at: int, *, chunk: int = 50_000
) -> tuple[refresh.Step, ...]:
    read_now = {name: members(people(each)) for name, each in numbers.items()}
    plan = decide(read_facts(engine, chosen, read_now))
    apply(engine, tiny.client(), chosen, plan, at, chunk=chunk)
    return refresh.advance(Courier(engine, tiny.client(), ADVERTISER, at, chunk), chosen, plan)


def states(engine: Engine, name: str) -> dict[str, str]:
    """The state of each list of that name, by its id."""
    with reading(engine) as connection:
        found: tuple[KnownList, ...] = lists_named(connection, name)
    return {each.id: each.state for each in found}
