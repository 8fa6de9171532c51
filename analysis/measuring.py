"""Gathers what a measurement rests on from the ledger, for every experiment of the programme. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from sqlalchemy import Engine, case, func, insert, select

from analysis.cap_freezing import cap_of, freeze_caps
from analysis.claims import claimed_by_arm, claims_are_known
from analysis.early import WORTH_BELOW, SeenSpan
from analysis.early_outcomes import count_seen
from analysis.estimators.gates import NO_STATEMENT_BELOW, control_conversions
from analysis.estimators.sequential import information, planned_information
from analysis.facts import Claims, Entered, Experiment, Facts, Kind, OrderCap, SpanOutcomes
from analysis.matching import matched_share
from analysis.outcomes import Outcomes, Strata
from analysis.plan_freezing import freeze_plan, plan_of, record_look
from analysis.planned import Look, Plan
from analysis.questions import AT_ONCE, Asking, Question, ask, ask_in_threads, outcomes_by_epoch
from analysis.readings import strata_of
from analysis.slices import slices
from analysis.spend import total_spend
from analysis.timeline import Epoch, Level, epochs
from experiments.audiences import Audience, Programme
from experiments.database import reading, writing
from experiments.ledger import phases_of
from experiments.phases import Phase, Rule
from experiments.schema import entrants, tunings

TUNED_TO_WEEKS = 13
PROGRAMME = "programme"
SLICE = 1_000_000
"""Entries that are summed by one statement; more of them are asked for in slices of the units."""
_WEEK = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One experiment with all that is to be asked of the ledger about it."""

    experiment: Experiment
    level: Level
    entered: tuple[Entered, ...]
    epochs: tuple[Epoch, ...]
    """One for each salt, of everyone who entered under it."""
    cap: OrderCap | None
    plan: Plan | None
    questions: tuple[Question, ...]
    """For each epoch its slices, in turn."""


def experiments_of(programme: Programme) -> tuple[Experiment, ...]:
    """What is compared: each group of several windows, then each audience, then the whole programme."""
    found = []
    for group, windows in programme.groups.items():
        if len(windows) > 1:
            found.append(_experiment(group, "group", windows, has_money=True))
        found += [
            _experiment(each.name, "audience", (each,), has_money=len(windows) == 1) for each in windows
        ]
    if programme.universal_holdout_ppm:
        found.append(_experiment(PROGRAMME, "programme", programme.includes, has_money=True))
    return tuple(found)


def gather_all(
    engine: Engine,
    programme: Programme,
    watermark: int,
    failed_audit: str | None = None,
    *,
    asking: Asking | None = None,
    slice_size: int = SLICE,
) -> Iterator[Facts]:
    """The facts of every experiment; `asking` says where its questions are answered, here if nowhere else."""
    found = experiments_of(programme)
    starts = {each.name: _started(_phases(engine, each), watermark) for each in found}
    freeze_caps(engine, starts, watermark)
    largest_first = sorted(found, key=lambda each: -len(each.audiences))
    inquiries = [inquire(engine, each, watermark, slice_size) for each in largest_first]
    questions = [one for each in inquiries for one in each.questions]
    answers = iter((asking or ask_in_threads(engine))(questions))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming = {}
        for each in inquiries:
            outcomes = outcomes_by_epoch(each.questions, answers)
            coming[each.experiment.name] = pool.submit(
                _facts, engine, programme, each, outcomes, watermark, failed_audit
            )
        for experiment in found:
            yield coming[experiment.name].result()


def gather_facts(
    engine: Engine,
    programme: Programme,
    experiment: Experiment,
    watermark: int,
    failed_audit: str | None = None,
) -> Facts:
    """The sums, spend and counts of one experiment up to the watermark (seconds), asked one after the other."""
    inquiry = inquire(engine, experiment, watermark)
    outcomes = outcomes_by_epoch(inquiry.questions, (ask(engine, each) for each in inquiry.questions))
    return _facts(engine, programme, inquiry, outcomes, watermark, failed_audit)


def inquire(engine: Engine, experiment: Experiment, watermark: int, slice_size: int = SLICE) -> Inquiry:
    """What is to be asked about one experiment: a question for each salt and slice of its units."""
    level: Level = "universal" if experiment.kind == "programme" else "group"
    phases = _phases(engine, experiment)
    window = experiment.window
    matured = epochs(phases, window=window, washout=window, watermark=watermark, level=level)
    everyone = epochs(phases, window=None, washout=window, watermark=watermark, level=level)
    if phases:
        freeze_plan(engine, experiment.name, _started(phases, watermark), experiment.lasts, watermark)
    plan = plan_of(engine, experiment.name, watermark)
    if plan is not None:
        matured = tuple(_entered_before(each, plan.ends_at - window) for each in matured)
    cap = cap_of(engine, experiment.name)
    entered = _entered(engine, phases)
    sizes = {each.phase.id: each.holdout + each.treatment + each.universal for each in entered}
    questions = [
        Question(
            tuple(still_open.phases),
            Strata(tuple(closed.spans), tuple(still_open.spans), window),
            still_open.until,
            level,
            None if cap is None else cap.cents,
            units,
        )
        for closed, still_open in zip(matured, everyone, strict=True)
        for units in slices(sum(sizes[phase.id] for phase in still_open.phases), slice_size)
    ]
    return Inquiry(experiment, level, entered, tuple(everyone), cap, plan, tuple(questions))


def _facts(
    engine: Engine,
    programme: Programme,
    inquiry: Inquiry,
    outcomes: Sequence[Outcomes],
    watermark: int,
    failed_audit: str | None,
) -> Facts:
    experiment, plan = inquiry.experiment, inquiry.plan
    closed = [span for each in outcomes for span in each.matured]
    entered_ever = [span for each in outcomes for span in each.since_entry]
    began = _started([each.phase for each in inquiry.entered], watermark)
    return Facts(
        experiment=experiment,
        watermark=watermark,
        entered=inquiry.entered,
        matured=tuple(closed),
        since_entry=tuple(entered_ever),
        spend=total_spend(engine, experiment.ad_sets, began, watermark),
        ever_treated=sum(_ever_treated(engine, epoch) for epoch in inquiry.epochs),
        margin=programme.margin,
        planned_information=_tuning(engine, experiment, inquiry.entered, watermark),
        failed_audit=failed_audit,
        cap=inquiry.cap,
        early=_early(engine, inquiry.epochs, experiment.window, inquiry.level)
        if _units(closed) < WORTH_BELOW * _units(entered_ever)
        else None,
        plan=None if plan is None else _look(engine, experiment.name, plan, closed, watermark),
        claims=_claims(engine, inquiry.epochs, inquiry.level),
        match=matched_share(engine, experiment.audiences, watermark),
    )


def _phases(engine: Engine, experiment: Experiment) -> tuple[Phase, ...]:
    """The experiment's phases; a group's without those that one of its audiences had in another group."""
    with reading(engine) as connection:
        found = phases_of(connection, experiment.audiences)
    return tuple(
        each for each in found if experiment.kind != "group" or each.holdout_group == experiment.name
    )


def _entered_before(epoch: Epoch, last: int) -> Epoch:
    """The epoch with the spans of entry up to and including a moment, so that later windows do not count."""
    kept = [
        replace(span, entered_until=min(span.entered_until, last + 1))
        for span in epoch.spans
        if span.entered_from <= last
    ]
    return replace(epoch, spans=tuple(kept))


def _look(engine: Engine, name: str, plan: Plan, closed: Sequence[SpanOutcomes], watermark: int) -> Plan:
    """The plan with this look, if enough is known for it to be one."""
    strata = strata_of(closed, lambda arm: arm.conversions)
    if control_conversions(strata) >= NO_STATEMENT_BELOW:
        record_look(engine, name, Look(min(watermark, plan.ends_at), information(strata)))
    return plan_of(engine, name, watermark) or plan


def _claims(engine: Engine, since_entry: Sequence[Epoch], level: Level) -> Claims | None:
    """What Criteo claims of each arm, under all salts together."""
    if not claims_are_known(engine):
        return None
    found = Claims()
    for epoch in since_entry:
        ids = [phase.id for phase in epoch.phases]
        found += claimed_by_arm(engine, ids, epoch.spans, watermark=epoch.until, level=level)
    return found


def _units(spans: Sequence[SpanOutcomes]) -> int:
    return sum(each.holdout.revenue.n + each.treatment.revenue.n for each in spans)


def _early(engine: Engine, since_entry: Sequence[Epoch], window: int, level: Level) -> tuple[SeenSpan, ...]:
    """Who was seen on which day of the window, under each salt."""
    return tuple(
        span
        for epoch in since_entry
        for span in count_seen(
            engine,
            [phase.id for phase in epoch.phases],
            epoch.spans,
            window,
            watermark=epoch.until,
            level=level,
        )
    )


def _experiment(name: str, kind: Kind, audiences: Sequence[Audience], *, has_money: bool) -> Experiment:
    return Experiment(
        name=name,
        kind=kind,
        audiences=tuple(each.name for each in audiences),
        window=max(each.window for each in audiences),
        ad_sets=tuple(ad_set for each in audiences for ad_set in each.ad_sets),
        has_money=has_money,
        lasts=audiences[0].planned_end if kind != "programme" else None,
    )


def _entered(engine: Engine, phases: Sequence[Phase]) -> tuple[Entered, ...]:
    counts = [
        func.sum(case((entrants.c.arm == rule, 1), else_=0)).label(rule.name)
        for rule in (Rule.GROUP, Rule.TREATMENT, Rule.UNIVERSAL)
    ]
    chosen = (
        select(entrants.c.phase_id, *counts)
        .where(entrants.c.phase_id.in_([phase.id for phase in phases]))
        .group_by(entrants.c.phase_id)
    )
    with reading(engine) as connection:
        by_phase = {row[0]: row[1:] for row in connection.execute(chosen)}
    return tuple(
        Entered(phase, *(int(count) for count in by_phase.get(phase.id, (0, 0, 0)))) for phase in phases
    )


def _ever_treated(engine: Engine, epoch: Epoch) -> int:
    chosen = select(func.count(func.distinct(entrants.c.unit))).where(
        entrants.c.phase_id.in_([phase.id for phase in epoch.phases]),
        entrants.c.arm == Rule.TREATMENT,
        entrants.c.entered_at < epoch.until,
    )
    with reading(engine) as connection:
        return connection.scalar(chosen) or 0


def _tuning(engine: Engine, experiment: Experiment, entered: Sequence[Entered], watermark: int) -> float:
    """The information expected after thirteen weeks, from the volume at the first measurement, frozen."""
    with reading(engine) as connection:
        frozen = connection.scalar(
            select(tunings.c.information).where(tunings.c.experiment == experiment.name)
        )
    if frozen is not None:
        return float(frozen)
    held = sum(each.universal if experiment.kind == "programme" else each.holdout for each in entered)
    units = sum(each.holdout + each.treatment + each.universal for each in entered)
    weeks = (watermark - _started([each.phase for each in entered], watermark)) / _WEEK
    if weeks <= 0 or not 0 < held < units:
        return 1.0
    planned = planned_information(units / weeks * TUNED_TO_WEEKS, held / units)
    with writing(engine) as connection:
        connection.execute(
            insert(tunings).values(experiment=experiment.name, information=planned, frozen_at=watermark)
        )
    return planned


def _started(phases: Sequence[Phase], watermark: int) -> int:
    return min((phase.opened_at for phase in phases), default=watermark)
