"""Decides what each Criteo list should hold, and which of these plans may go. Pure.

Members − unusable − excluded − claimed by a sibling − held out universally − held out by the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from experiments.audiences import Audience, Programme
from experiments.digests import EMPTY, DigestSet
from experiments.identifiers import NONE, Identifiers
from experiments.phases import Entered, Holdout, Rule, place
from sync.beside import beside_plan
from sync.fuses import BEYOND_APPROVAL, DOUBTING_SOURCE, Case, former_refusal, refusals
from sync.plan import Beside, Counts, Former, Holding, ListPlan, Membership, Plan

UNIVERSAL_LIST = "holdout · universal"


class Moves(NamedTuple):
    """Keys to add and to remove, and what the adds are sent as."""

    adds: DigestSet
    removes: DigestSet
    identifiers: Identifiers


def holdout_list(group: str) -> str:
    """Name of the Criteo list of people held out of a group."""
    return f"holdout · {group}"


def former_list(name: str) -> str:
    """Name of the plan that empties a list which no audience keeps any more."""
    return f"former · {name}"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision rests on, gathered before it is taken."""

    programme: Programme
    memberships: Mapping[str, Membership]
    """By audience; one that could not be read is absent, gets no plan and keeps its list."""
    holdings: Mapping[str, Holding]
    """What each list holds, by audience name or `holdout · GROUP`."""
    holdouts: Mapping[str, Holdout]
    entered: Mapping[str, Entered] = field(default_factory=dict)
    """Who entered so far, by audience, where its open phase has this very holdout."""
    list_ids: Mapping[str, str] = field(default_factory=dict)
    """Criteo's id of each list that the ledger knows, by the same names."""
    formers: tuple[Former, ...] = ()
    """Lists that no audience keeps any more."""
    besides: tuple[Beside, ...] = ()
    """Lists beside a current one, while it is refreshed."""
    last_units: Mapping[str, int] = field(default_factory=dict)
    """Usable units of each audience in its last applied sync."""
    approved: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Hashes of plans that a person let through, by audience."""
    identifiers: Identifiers = NONE
    """What the members are sent as, beside the SHA-256 of their e-mail."""
    sent: Identifiers = NONE
    """What the lists may hold beside it."""

    def holding(self, name: str) -> Holding:
        """What a list holds; nothing where it is new."""
        return self.holdings.get(name, Holding())

    @property
    def is_sha256_alone(self) -> bool:
        """Whether every key is a unit, as it is unless the audiences file asks for more."""
        return not self.identifiers and not self.sent

    def people_on(self, name: str) -> DigestSet:
        """Everybody who may stand in a list, whatever they were sent as."""
        return self.sent.people(self.holding(name).at_most)

    def standing(self, audience: Audience) -> DigestSet:
        """Everybody who may stand in an audience's list, or in one beside it."""
        found = self.people_on(audience.name)
        for each in self.besides:
            if each.name == audience.list:
                found |= self.sent.people(each.holding.at_most)
        return found

    def moves(self, name: str, wanted: DigestSet) -> Moves:
        """What makes a list hold these keys and nothing else."""
        holding = self.holding(name)
        adds = wanted - holding.surely
        return Moves(adds, holding.at_most - wanted, self.identifiers.of_keys(adds))


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Whom the exclude audiences keep out, as one sync found it."""

    units: Mapping[str, DigestSet]
    unsure: frozenset[str]
    """Those whose people are perhaps not all known: nobody new is advertised to by who names them."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """People who are held out by one rule now, and whether that is surely all of them."""

    units: DigestSet
    keys: DigestSet
    """What they are sent as; where that is SHA-256 alone, the units again."""
    is_all: bool
    """False where an audience was not read, was stopped or waits: then nobody is removed."""


def decide(facts: Facts) -> Plan:
    """The plan of every list: audiences to include, to exclude, the held-out people, and former lists.

    A source that failed, or that a fuse stopped, never makes an exclusion smaller: the units that its
    list still holds go on being excluded, and those of a stopped window go on being claimed. Where an
    exclusion may be incomplete, nobody new is advertised to by the audiences that name it.
    """
    excludes, exclusions = decide_exclusions(facts)
    includes = [plan for group in facts.programme.groups for plan in _plan_group(facts, group, exclusions)]
    guards = [
        *(_group_holdout_plan(facts, group, includes) for group in _public_groups(facts)),
        *_universal_plan(
            facts, [_held_out(facts, group, includes, Rule.UNIVERSAL) for group in _public_groups(facts)]
        ),
    ]
    lists = (*includes, *excludes, *_worth_keeping(facts, guards))
    return Plan((*lists, *_plan_besides(facts, lists), *_plan_formers(facts)))


def decide_exclusions(facts: Facts) -> tuple[tuple[ListPlan, ...], Exclusions]:
    """The plans of the exclude audiences, and whom they keep out of the others."""
    plans = [
        _fused(facts, each, _simple_plan(facts, each))
        for each in facts.programme.excludes
        if each.name in facts.memberships
    ]
    return tuple(plans), Exclusions(_exclusions(facts, plans), _unsure(facts, plans))


def decide_group(facts: Facts, group: str, exclusions: Exclusions) -> tuple[Plan, HeldOut]:
    """The plans of one holdout group, and its part of the people held out of everything; no list is refreshed."""
    includes = _plan_group(facts, group, exclusions)
    is_public = group in _public_groups(facts)
    guards = [_group_holdout_plan(facts, group, includes)] if is_public else []
    held = (
        _held_out(facts, group, includes, Rule.UNIVERSAL) if is_public else HeldOut(EMPTY, EMPTY, is_all=True)
    )
    return Plan((*includes, *_worth_keeping(facts, guards))), held


def decide_rest(facts: Facts, held: Sequence[HeldOut]) -> tuple[ListPlan, ...]:
    """The plans that need every group: the people held out of everything, by group, and former lists."""
    return (*_worth_keeping(facts, _universal_plan(facts, held)), *_plan_formers(facts))


def _exclusions(facts: Facts, plans: Sequence[ListPlan]) -> dict[str, DigestSet]:
    sure = {plan.name: plan.desired for plan in plans if not plan.refusals}
    doubtful = {plan.name: plan.desired for plan in plans if plan.refusals}
    return {
        each.name: sure[each.name]
        if each.name in sure
        else doubtful.get(each.name, EMPTY) | facts.people_on(each.name)
        for each in facts.programme.excludes
    }


def _unsure(facts: Facts, plans: Sequence[ListPlan]) -> frozenset[str]:
    """Exclusions whose people are perhaps not all known: not read, or stopped because the source is in doubt."""
    known = {plan.name for plan in plans if not any(each.fuse in DOUBTING_SOURCE for each in plan.refusals)}
    return frozenset(each.name for each in facts.programme.excludes if each.name not in known)


def _simple_plan(facts: Facts, audience: Audience) -> ListPlan:
    membership = facts.memberships[audience.name]
    counts = Counts(
        profiles=membership.profiles,
        unusable=membership.unusable,
        units=len(membership.units),
        eligible=len(membership.units),
    )
    return _towards(facts, audience, membership.units, counts)


def _towards(facts: Facts, audience: Audience, desired: DigestSet, counts: Counts) -> ListPlan:
    wanted = facts.identifiers.keys_of(desired, audience.form_names)
    moves = facts.moves(audience.name, wanted)
    return ListPlan(
        name=audience.name,
        list=audience.list,
        role=audience.role,
        desired=desired,
        adds=moves.adds,
        removes=moves.removes,
        identifiers=moves.identifiers,
        counts=counts,
        list_id=facts.list_ids.get(audience.name),
    )


def _fused(facts: Facts, audience: Audience, plan: ListPlan) -> ListPlan:
    people = facts.people_on(audience.name)
    case = Case(
        audience=audience,
        membership=facts.memberships[audience.name],
        plan=plan,
        last_units=facts.last_units.get(audience.name),
        held=len(people),
        leaving=len(plan.removes) if facts.is_sha256_alone else len(people - plan.desired),
        renamed=_renamed(facts, plan),
    )
    found = refusals(case)
    if plan.hash in facts.approved.get(audience.name, frozenset()):
        found = tuple(each for each in found if each.fuse in BEYOND_APPROVAL)
    return replace(plan, refusals=found)


def _renamed(facts: Facts, plan: ListPlan) -> int:
    """People who stay, but whom the list would not hold between the removes and the adds."""
    if facts.is_sha256_alone:
        return 0
    removed = facts.sent.people(plan.removes) & plan.desired
    standing = facts.sent.people(facts.holding(plan.name).at_most - plan.removes)
    return len(removed - standing)


def _plan_group(facts: Facts, group: str, exclusions: Exclusions) -> list[ListPlan]:
    plans: list[ListPlan] = []
    claims: dict[str, DigestSet] = {}
    for audience in facts.programme.groups[group]:
        standing = facts.standing(audience)
        if audience.name not in facts.memberships:
            claims[audience.name] = standing
            continue
        applying = {name: exclusions.units[name] for name in audience.exclude}
        plan, eligible = _plan_include(facts, audience, applying, claims)
        plan = _fused(facts, audience, _waiting(facts, plan, audience, exclusions.unsure))
        plans.append(plan)
        settled = not plan.refusals and not plan.waits_for
        claims[audience.name] = eligible if settled else eligible | standing
    return plans


def _waiting(facts: Facts, plan: ListPlan, audience: Audience, unsure: frozenset[str]) -> ListPlan:
    """Only removes, and no entrants of either arm, while an exclusion of the audience is in doubt.

    Whoever stays and is to be called something else keeps the old identifier until the new one may be added.
    """
    waits_for = tuple(name for name in audience.exclude if name in unsure)
    if not waits_for or plan.holdout is None:
        return plan
    arms, entering = place(EMPTY, plan.holdout, plan.entered)
    removes = plan.removes if facts.is_sha256_alone else plan.removes - _of_those_who_stay(facts, plan)
    return replace(
        plan,
        adds=EMPTY,
        removes=removes,
        identifiers=NONE,
        arms=arms,
        entering=entering,
        waits_for=waits_for,
        waiting=len(plan.adds),
    )


def _of_those_who_stay(facts: Facts, plan: ListPlan) -> DigestSet:
    """Keys that stand for people who should be on the list, and for nobody else."""
    leaving = facts.sent.people(plan.removes) - plan.desired
    return facts.sent.keys_of(plan.desired) - facts.sent.keys_of(leaving)


def _plan_include(
    facts: Facts, audience: Audience, exclusions: Mapping[str, DigestSet], claims: Mapping[str, DigestSet]
) -> tuple[ListPlan, DigestSet]:
    membership, holdout = facts.memberships[audience.name], facts.holdouts[audience.name]
    left, excluded = _take_away(membership.units, exclusions)
    eligible, claimed = _take_away(left, claims)
    entered = facts.entered.get(audience.name)
    arms, entering = place(eligible, holdout, entered)
    held_out = arms.held_out
    counts = Counts(
        profiles=membership.profiles,
        unusable=membership.unusable,
        units=len(membership.units),
        excluded=excluded,
        claimed=claimed,
        eligible=len(eligible),
        held_out=len(held_out),
        held_out_universally=len(arms.by(Rule.UNIVERSAL)),
    )
    plan = _towards(facts, audience, arms.treated, counts)
    return replace(
        plan,
        arms=arms,
        entering=entering,
        entered=entered,
        holdout=holdout,
        band=len(facts.sent.people(plan.removes) & held_out),
    ), eligible


def _take_away(units: DigestSet, others: Mapping[str, DigestSet]) -> tuple[DigestSet, dict[str, int]]:
    taken = {}
    for name, other in others.items():
        left = units - other
        taken[name] = len(units) - len(left)
        units = left
    return units, taken


def _public_groups(facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.holdout_group for each in facts.programme.public_includes))


def _held_out(facts: Facts, group: str, includes: Sequence[ListPlan], rule: Rule) -> HeldOut:
    settled = {plan.name: plan.arms for plan in includes if not plan.refusals and not plan.waits_for}
    windows = facts.programme.groups[group]
    units = keys = EMPTY
    for each in windows:
        arms = settled.get(each.name)
        held = EMPTY if arms is None else arms.by(rule)
        units |= held
        keys |= facts.identifiers.keys_of(held, each.form_names)
    return HeldOut(units, keys, all(each.name in settled for each in windows))


def _group_holdout_plan(facts: Facts, group: str, includes: Sequence[ListPlan]) -> ListPlan:
    return _holdout_plan(facts, holdout_list(group), [_held_out(facts, group, includes, Rule.GROUP)])


def _universal_plan(facts: Facts, held: Sequence[HeldOut]) -> list[ListPlan]:
    return [_holdout_plan(facts, UNIVERSAL_LIST, held)] if _public_groups(facts) else []


def _worth_keeping(facts: Facts, plans: Iterable[ListPlan]) -> list[ListPlan]:
    refreshed = {each.name for each in facts.besides}
    return [
        plan
        for plan in plans
        if len(plan.desired) or len(facts.holding(plan.name).at_most) or plan.list in refreshed
    ]


def _holdout_plan(facts: Facts, name: str, parts: Sequence[HeldOut]) -> ListPlan:
    """A held-out unit stands there while its treated twin stands in an include list, and as what the twin does.

    Where one of the audiences was not read, was stopped or waits, nobody is removed: its twins stay too.
    """
    is_all = all(each.is_all for each in parts)
    desired = EMPTY if is_all else facts.people_on(name)
    wanted = EMPTY if is_all else facts.holding(name).at_most
    for part in parts:
        desired |= part.units
        wanted |= part.keys
    moves = facts.moves(name, wanted)
    return ListPlan(
        name=name,
        list=name,
        role="holdout",
        desired=desired,
        adds=moves.adds,
        removes=moves.removes,
        identifiers=moves.identifiers,
        counts=Counts(eligible=len(desired)),
        list_id=facts.list_ids.get(name),
    )


def _plan_besides(facts: Facts, plans: Sequence[ListPlan]) -> list[ListPlan]:
    """Where a current list keeps its state, refused or not read, the one beside it does too."""
    current = {plan.list: plan for plan in plans if not plan.refusals}
    found = []
    for each in facts.besides:
        plan = current.get(each.name)
        if plan is not None:
            found.append(beside_plan(each, plan, facts.holding(plan.name), facts.identifiers))
    return found


def _plan_formers(facts: Facts) -> list[ListPlan]:
    return [_former_plan(facts, each) for each in facts.formers if len(each.holding.at_most)]


def _former_plan(facts: Facts, former: Former) -> ListPlan:
    plan = ListPlan(
        name=former_list(former.name),
        list=former.name,
        role=former.role,
        desired=EMPTY,
        adds=EMPTY,
        removes=former.holding.at_most,
        list_id=former.id,
    )
    refusal = former_refusal(former)
    if refusal is None or plan.hash in facts.approved.get(plan.name, frozenset()):
        return plan
    return replace(plan, refusals=(refusal,))
