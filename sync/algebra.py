"""Which segments an audience of Criteo is made of: and, or, not over segment ids. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.errors import Rejected


@dataclass(frozen=True, slots=True)
class In:
    """Everyone in one segment."""

    segment: str


@dataclass(frozen=True, slots=True)
class Not:
    """Everyone whom `node` leaves out."""

    node: Algebra


@dataclass(frozen=True, slots=True)
class And:
    """Everyone in all of the nodes."""

    nodes: tuple[Algebra, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Everyone in any of the nodes."""

    nodes: tuple[Algebra, ...]


Algebra = In | Not | And | Or


def read(node: object) -> Algebra:
    """The algebra of a node as Criteo writes it, which must hold exactly one of its four keys."""
    match (
        {key: value for key, value in node.items() if value is not None}
        if isinstance(node, Mapping)
        else None
    ):
        case {"audienceSegmentId": str() | int() as segment, **rest} if not rest:
            return In(str(segment))
        case {"not": inner, **rest} if not rest:
            return Not(read(inner))
        case {"and": list() as nodes, **rest} if not rest:
            return And(tuple(map(read, nodes)))
        case {"or": list() as nodes, **rest} if not rest:
            return Or(tuple(map(read, nodes)))
        case _:
            raise Rejected("Criteo describes an audience in a way that this version does not know")


def names(algebra: Algebra, segment: str) -> bool:
    """Whether the segment stands anywhere in the algebra."""
    match algebra:
        case In(name):
            return name == segment
        case Not(node):
            return names(node, segment)
        case And(nodes) | Or(nodes):
            return any(names(node, segment) for node in nodes)


def turned(algebra: Algebra, old: str, new: str) -> Algebra:
    """The same algebra with one segment in the place of another, wherever it stands."""
    match algebra:
        case In(name):
            return In(new) if name == old else algebra
        case Not(node):
            return Not(turned(node, old, new))
        case And(nodes):
            return And(tuple(turned(node, old, new) for node in nodes))
        case Or(nodes):
            return Or(tuple(turned(node, old, new) for node in nodes))


def written(algebra: Algebra) -> dict[str, object]:
    """The node as Criteo reads it."""
    match algebra:
        case In(segment):
            return {"audienceSegmentId": segment}
        case Not(node):
            return {"not": written(node)}
        case And(nodes):
            return {"and": [written(node) for node in nodes]}
        case Or(nodes):
            return {"or": [written(node) for node in nodes]}
