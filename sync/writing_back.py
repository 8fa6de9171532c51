"""Keeps an attribute or a manual segment of Customer.io in step with who is held out of a group's ads. I/O.

Nothing is remembered: what Customer.io knows is read from Customer.io each time, and only the difference is
sent. So a run that broke off, a request that was lost and an edit by hand are all put right by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Engine

from experiments.audiences import Audience, Programme
from experiments.database import reading
from experiments.digests import DigestSet
from experiments.erasures import erased_people
from experiments.errors import Rejected, Retryable
from experiments.identity import resolve
from experiments.ledger import current_phase
from experiments.phases import Holdout
from sync.customerio import CustomerIO
from sync.customerio_track import Track
from sync.segments import Profiles, read_profiles
from sync.write_back import NO, YES, attribute_of, changes, held_out, segment_of


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What one run told Customer.io of one group."""

    group: str
    where: str
    """The attribute's or the segment's name."""
    held_out: int
    """Profiles that are held out now."""
    marked: int
    unmarked: int
    refused: Mapping[str, int] = field(default_factory=dict)
    """What Customer.io did not take, by reason; the next run sends it again."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Both sides of Customer.io: one to read from, one to write to."""

    app: CustomerIO
    track: Track


class _Mark(Protocol):
    @property
    def name(self) -> str: ...
    def known(self) -> AbstractSet[str]: ...
    def put(self, cio_ids: Sequence[str]) -> Mapping[str, int]: ...
    def take(self, cio_ids: Sequence[str]) -> Mapping[str, int]: ...


def write_back(engine: Engine, workspace: Workspace, programme: Programme, group: str) -> WrittenBack:
    """Marks who is held out of the group, and unmarks who is not, or not in its segments any more.

    Raises Retryable where a segment does not answer or is being built: then nothing is changed.
    """
    wanted = _held_out(engine, workspace.app, programme.groups[group])
    mark = _mark(workspace, group, programme.write_back[group])
    change = changes(wanted, mark.known())
    refused = {**mark.put(change.mark)}
    for reason, count in mark.take(change.unmark).items():
        refused[reason] = refused.get(reason, 0) + count
    return WrittenBack(group, mark.name, len(wanted), len(change.mark), len(change.unmark), refused)


def _held_out(engine: Engine, app: CustomerIO, audiences: Sequence[Audience]) -> AbstractSet[str]:
    """Everybody in the audiences' segments whom the phase in force holds out, excluded or not."""
    found: set[str] = set()
    for audience in audiences:
        with reading(engine) as connection:
            phase = current_phase(connection, audience.name)
        if phase is not None:
            found.update(_held_out_in(engine, app, audience.segment, phase.holdout))
    return found


def _held_out_in(engine: Engine, app: CustomerIO, segment: int, holdout: Holdout) -> Iterator[str]:
    _check_finished(app, segment)
    with reading(engine) as connection:
        erased = erased_people(connection)
    for page in read_profiles(app, segment):
        profiles = _units(page)
        gone = frozenset(erased.among(DigestSet.of(profiles.values())))
        left = {cio_id: unit for cio_id, unit in profiles.items() if unit not in gone}
        yield from held_out(left, holdout)
    _check_finished(app, segment)


def _check_finished(app: CustomerIO, segment: int) -> None:
    if not app.segment(segment).is_finished:
        raise Retryable(f"segment {segment} is being built, so nobody was marked or unmarked")


def _units(page: Profiles) -> dict[str, bytes]:
    """The unit of each profile that has a usable e-mail, by `cio_id`."""
    pairs = zip(page.ids, page.emails, strict=True)
    return {cio_id: unit for cio_id, email in pairs for unit in resolve([email]).units}


def _mark(workspace: Workspace, group: str, where: str) -> _Mark:
    if where == "attribute":
        return _Attribute(workspace, attribute_of(group))
    return _Segment(workspace, segment_of(group), _segment_id(workspace.app, segment_of(group)))


@dataclass(frozen=True, slots=True)
class _Attribute:
    workspace: Workspace
    name: str

    def known(self) -> AbstractSet[str]:
        return set(self.workspace.app.people_with(self.name, YES))

    def put(self, cio_ids: Sequence[str]) -> Mapping[str, int]:
        return self.workspace.track.set_attribute(cio_ids, self.name, YES)

    def take(self, cio_ids: Sequence[str]) -> Mapping[str, int]:
        return self.workspace.track.set_attribute(cio_ids, self.name, NO)


@dataclass(frozen=True, slots=True)
class _Segment:
    workspace: Workspace
    name: str
    id: int

    def known(self) -> AbstractSet[str]:
        pages = self.workspace.app.membership(self.id)
        return {member.cio_id for page in pages for member in page.members}

    def put(self, cio_ids: Sequence[str]) -> Mapping[str, int]:
        self.workspace.track.add_to_segment(self.id, cio_ids)
        return {}

    def take(self, cio_ids: Sequence[str]) -> Mapping[str, int]:
        self.workspace.track.remove_from_segment(self.id, cio_ids)
        return {}


def _segment_id(app: CustomerIO, name: str) -> int:
    """The manual segment of that name, made where there is none."""
    found = [each for each in app.segments() if each.name == name]
    manual = [each.id for each in found if each.type == "manual"]
    if found and not manual:
        raise Rejected(
            f"the segment {name!r} of Customer.io has conditions, so people cannot be put into it; rename it"
        )
    return min(manual) if manual else app.create_segment(name).id
