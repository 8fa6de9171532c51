"""Carries adds and removes to Criteo through the write-ahead ledger. I/O.

Every request is written down and committed before it leaves. Whatever may have been sent counts as
sent: only an answer, or the certainty that the request was not carried out, changes that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Connection, Engine

from experiments.audiences import Audience
from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.errors import HoldoutsError, Leaked, Refused
from experiments.identifier_log import sent_identifiers
from experiments.identifiers import SHA256, caller_id, form_type
from experiments.ledger import UNIVERSAL, current_phase, entrants_of, holdout_log
from sync import pushes
from sync.criteo import MAX_IDENTIFIERS, Criteo
from sync.criteo_values import Amendment
from sync.delays import Accepted
from sync.firewall import check_add, units_written
from sync.lists import lists_named
from sync.parcels import Parcel, parcels
from sync.plan import ListPlan
from sync.rejections import note_rejections

IN_FLIGHT = 4
"""Requests under way at once; four hide half a second of latency, see docs/performance.md."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """The time of a run that began at `at`, which may be a simulated one, and goes on as this machine's does."""

    at: int
    began: float = field(default_factory=time.monotonic)

    def now(self) -> int:
        """Seconds since 1970."""
        return self.at + round(time.monotonic() - self.began)


@dataclass(frozen=True, slots=True)
class Courier:
    """What carries requests: the ledger, the client and the time that is written down."""

    engine: Engine
    criteo: Criteo
    advertiser: str
    at: int
    chunk: int = MAX_IDENTIFIERS
    """Identifiers in one request."""
    watch: Stopwatch | None = None

    def now(self) -> int:
        """The time at this moment of the run."""
        return self.at if self.watch is None else self.watch.now()


@dataclass(frozen=True, slots=True)
class Sent:
    """How many identifiers went, how many of them Criteo called invalid, and when each request was answered."""

    identifiers: int = 0
    invalid: int = 0
    accepted: tuple[Accepted, ...] = field(default=(), compare=False)

    def __add__(self, other: Self) -> Sent:
        accepted = self.accepted + other.accepted
        return Sent(self.identifiers + other.identifiers, self.invalid + other.invalid, accepted)


@dataclass(frozen=True, slots=True)
class Target:
    """A list to write to."""

    list_id: str
    guarded_for: str | None = None
    """The audience that people are advertised from by this list; None where nobody is."""


def add(courier: Courier, target: Target, plan: ListPlan, siblings: Iterable[str]) -> tuple[Sent, int]:
    """Puts the plan's adds on its list, and keeps back whoever a sibling window's list may still hold.

    Gives what was sent and how many were kept back. Raises Leaked, before anything leaves, where one
    of them is held out.
    """
    waiting = EMPTY
    with reading(courier.engine) as connection:
        sent = sent_identifiers(connection)
        for sibling in siblings:
            theirs = sent.people(held_by(connection, sibling))
            waiting |= plan.adds & (sent.keys_of(theirs) if sent else theirs)
    return transmit(courier, target, "add", plan.adds - waiting), len(waiting)


def transmit(courier: Courier, target: Target, operation: pushes.Operation, digests: DigestSet) -> Sent:
    """Adds or removes all that the keys name, a few requests at once; repeats of either are harmless."""
    if not len(digests):
        return Sent()
    with reading(courier.engine) as connection:
        known = sent_identifiers(connection)
    send = _sender(courier, target, operation)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        sent = sum(pool.map(send, parcels(digests, known, courier.chunk)), Sent())
    with writing(courier.engine) as connection:
        pushes.compact(connection, target.list_id)
    return sent


def prove(engine: Engine, audience: Audience) -> None:
    """Raises Leaked where the ledger says that somebody held out now may stand in the audience's list.

    It compares two records that are kept apart: the arms written at entry and the requests sent.
    """
    with reading(engine) as connection:
        phase = current_phase(connection, audience.name)
        if phase is None:
            return
        held_out = entrants_of(connection, phase.id, held_out=True)
        listed = sent_identifiers(connection).people(held_by(connection, audience.list))
        leaked = len(held_out & listed)
    if leaked:
        raise Leaked(
            f"{audience.name}: {leaked} people who are held out may stand in its Criteo list; "
            "run `holdouts sync` again to take them off, and `holdouts audit firewall` to see why",
            audience=audience.name,
            people=leaked,
        )


def held_by(connection: Connection, name: str) -> DigestSet:
    """The keys that may stand in a list that the audiences file calls so, or in one that a refresh put beside it."""
    found = EMPTY
    for known in lists_named(connection, name):
        found |= pushes.holding(connection, known.id).at_most
    return found


def _sender(courier: Courier, target: Target, operation: pushes.Operation) -> Callable[[Parcel], Sent]:
    def send(parcel: Parcel) -> Sent:
        with writing(courier.engine) as connection:
            if operation == "add" and target.guarded_for is not None:
                _guard(connection, target.guarded_for, parcel)
            number = pushes.write_ahead(connection, target.list_id, operation, parcel.keys, courier.at)
        try:
            answer = _amend(courier.criteo, target.list_id, operation, parcel)
        except HoldoutsError as error:
            if not error.may_have_acted:
                with writing(courier.engine) as connection:
                    pushes.settle(connection, number, "void", at=courier.at)
            raise
        with writing(courier.engine) as connection:
            pushes.settle(
                connection, number, "confirmed", at=courier.at, valid=answer.valid, invalid=answer.invalid
            )
            if operation == "add":
                sampled = parcel.keys_of(answer.samples)
                note_rejections(connection, target.list_id, sampled, found_by="sample", at=courier.at)
        return Sent(len(parcel.keys), answer.invalid, (Accepted(parcel.people, courier.now()),))

    return send


def _amend(criteo: Criteo, list_id: str, operation: pushes.Operation, parcel: Parcel) -> Amendment:
    if parcel.form == SHA256.name:
        return criteo.amend(list_id, operation, parcel.keys)
    kind, caller = form_type(parcel.form), caller_id(parcel.form)
    return criteo.amend_encoded(list_id, operation, parcel.texts, kind, caller)


def _guard(connection: Connection, audience: str, parcel: Parcel) -> None:
    """The last look, by the phase that stands in the ledger and not by what the plan believes."""
    phase = current_phase(connection, audience)
    if phase is None:
        raise Refused(f"{audience}: no phase is open, so nobody can be told apart; nothing was sent")
    check_add(audience, parcel.people, phase.holdout)
    check_add(audience, units_written(parcel.form, parcel.texts), phase.holdout)
    own, everyone = holdout_log(connection, audience), holdout_log(connection, UNIVERSAL)
    is_raised = (own and own[-1].to_ppm > phase.holdout.ppm) or (
        everyone and everyone[-1].to_ppm > phase.holdout.universal_ppm
    )
    if is_raised:
        raise Refused(
            f"{audience}: its holdout was raised while the sync ran, so nobody else was added; run it again"
        )
