"""What would follow from another percentage, said before anything happens. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from analysis.change import cost_of_change, known_of, wait_in_words, weekly_difference, weeks_until, worth_of
from analysis.history import newest_measurement
from analysis.measurement import PRACTICAL_LIFT
from analysis.volume import arrivals, weekly_units
from experiments.assignment import PPM
from experiments.audiences import Programme
from experiments.database import reading
from experiments.digests import DigestSet
from experiments.ledger import UNIVERSAL, current_phase, entrants_of
from flows.holdout_change import check_audience, group_of
from flows.session import Session, moment, open_session, seconds
from sync.decision import Facts
from sync.gathering import read_facts
from sync.moving import movement


def preview_change(audience: str, ppm: int, now: datetime | None = None) -> dict[str, Any]:
    """Who moves, what a week costs or saves, and when a lift shows; changes nothing."""
    until = seconds(moment(now))
    with open_session() as session:
        check_audience(session.programme, audience)
        facts = read_facts(session.engine, session.programme, {})
        told = newest_measurement(session.engine)
        windows = compared_with(session.programme, audience)
        own = windows if audience == UNIVERSAL else [audience]
        people = weekly_units(session.engine, own, windows, until)
        everybody = arrivals(session.engine, windows, until).per_week
        changed = None if audience == UNIVERSAL else audience
        moved = movement(facts, changed, ppm, _held_out(session, windows))
    before = _shares(facts, audience)
    after = before | {audience: ppm / PPM}
    experiment = None if told is None else money_experiment(told, audience)
    return {
        "audience": audience,
        "from_percent": before[audience] * 100,
        "to_percent": after[audience] * 100,
        "moves": asdict(moved),
        "people_a_week": people,
        "weekly": _weekly(session, experiment, after[audience] - before[audience], people),
        "answer": _answer(experiment, everybody, before, after),
        "keeps_earlier_data": True,
        "measured_at": None if told is None else told["measured_at"],
        "others": {name: share * 100 for name, share in before.items() if name != audience},
    }


def change_text(found: Mapping[str, Any]) -> str:
    """The same for a person, one line for each question."""
    change = f"from {found['from_percent']:g} % to {found['to_percent']:g} %"
    lines = [
        f"{found['audience']}: {change}; nothing is changed yet",
        f"who moves: {_moves_text(found['moves'])}",
        f"a week: {_weekly_text(found)}",
        f"the answer: {_answer_text(found['answer'])}",
        "earlier data: they stay in the estimate, for only the band between the percentages changes arms",
    ]
    others = {name: each for name, each in found["others"].items() if each != found["to_percent"]}
    if others:
        named = ", ".join(f"{name} {each:g} %" for name, each in others.items())
        lines.append(
            f"note: other windows of its group hold out another share ({named}); whoever is held out of "
            "one window and advertised to in the next leaves the comparison"
        )
    return "\n".join(lines)


def compared_with(programme: Programme, audience: str) -> list[str]:
    """The audiences that are measured together with this one: its group's, or all for `universal`."""
    if audience == UNIVERSAL:
        return [each.name for each in programme.includes]
    return [each.name for each in programme.groups[group_of(programme, audience)]]


def money_experiment(told: Mapping[str, Any], audience: str) -> Mapping[str, Any] | None:
    """The experiment of a report that carries the money of an audience, or of the programme."""
    for each in told["experiments"]:
        is_programme = each["kind"] == "programme"
        if each["money"] is None or is_programme != (audience == UNIVERSAL):
            continue
        if is_programme or audience in each["audiences"]:
            found: Mapping[str, Any] = each
            return found
    return None


def _shares(facts: Facts, audience: str) -> dict[str, float]:
    """The shares in force of everything that is measured together, by audience."""
    if audience == UNIVERSAL:
        return {UNIVERSAL: next(iter(facts.holdouts.values())).universal_ppm / PPM}
    return {name: facts.holdouts[name].ppm / PPM for name in compared_with(facts.programme, audience)}


def _held_out(session: Session, audiences: Sequence[str]) -> dict[str, DigestSet]:
    found = {}
    with reading(session.engine) as connection:
        for name in audiences:
            phase = current_phase(connection, name)
            if phase is not None:
                found[name] = entrants_of(connection, phase.id, held_out=True)
    return found


def _weekly(
    session: Session, experiment: Mapping[str, Any] | None, change: float, people: float
) -> dict[str, Any] | None:
    worth = None if experiment is None else worth_of(experiment, session.programme.margin)
    if worth is None:
        return None
    weekly = weekly_difference(change, people, worth)
    return {
        "estimate": weekly.estimate,
        "interval": [weekly.interval.low, weekly.interval.high],
        "currency": session.programme.currency,
        "sentence": cost_of_change(weekly, session.programme.currency),
    }


def _answer(
    experiment: Mapping[str, Any] | None,
    people: float,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> dict[str, Any] | None:
    known = None if experiment is None else known_of(experiment)
    if known is None:
        return None
    now, then = (weeks_until(PRACTICAL_LIFT, known, people, list(each.values())) for each in (before, after))
    return {"lift": PRACTICAL_LIFT, "weeks_now": now, "weeks_then": then}


def _moves_text(moves: Mapping[str, Any]) -> str:
    parts = [f"{moves['off']:,} people leave the list"] if moves["off"] else []
    if moves["back"]:
        most = "at most " if moves["back_is_at_most"] else ""
        parts.append(f"{most}{moves['back']:,} held-out people come onto it")
    return f"{' and '.join(parts) or 'nobody'}; {moves['listed']:,} people are advertised to now"


def _weekly_text(found: Mapping[str, Any]) -> str:
    weekly = found["weekly"]
    if weekly is None:
        return "nothing was measured yet, so nobody knows what it costs; `holdouts report` measures"
    centre = "" if weekly["estimate"] is None else f" (best estimate {weekly['estimate']:+,.0f})"
    return f"{weekly['sentence']}{centre}, with {found['people_a_week']:,.0f} new people a week"


def _answer_text(answer: Mapping[str, Any] | None) -> str:
    if answer is None:
        return "nothing was measured yet, so nobody knows when a lift shows"
    now, then = wait_in_words(answer["weeks_now"]), wait_in_words(answer["weeks_then"])
    return f"a lift of {answer['lift']:.0%} is detectable in {now} as things are, in {then} after the change"
