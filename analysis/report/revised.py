"""What the last report said beside what this one says, each number with its interval. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.report.page import JUDGEMENTS, Judgement, Ways, silence
from analysis.report.weeks import named, says_lift, says_return
from analysis.report.wording import Place, Sentence, estimated, short_between, signed_percent

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Revised:
    """One experiment then and now."""

    name: str
    judgement_before: Judgement
    judgement_now: Judgement
    lift_before: Sentence
    lift_now: Sentence
    return_before: Sentence
    return_now: Sentence


def revised(before: Document | None, now: Document, said: Ways) -> tuple[Revised, ...]:
    """Experiments that stand in both reports."""
    if before is None:
        return ()
    pairs = [(named(before, each["name"]), each) for each in now["experiments"]]
    return tuple(_revised(then, each, said) for then, each in pairs if then is not None)


def _revised(then: Document, now: Document, said: Ways) -> Revised:
    return Revised(
        name=now["name"],
        judgement_before=JUDGEMENTS[then["verdict"]["state"]],
        judgement_now=JUDGEMENTS[now["verdict"]["state"]],
        lift_before=_lift(then),
        lift_now=_lift(now),
        return_before=_return(then, said),
        return_now=_return(now, said),
    )


def _lift(found: Document) -> Sentence:
    if not says_lift(found):
        return silence(found)
    return _short(Place(found["conversions"]), signed_percent)


def _return(found: Document, said: Ways) -> Sentence:
    if found["money"] is None:
        return ()
    return _short(Place(found["money"]["iroas"]), said.ratio) if says_return(found) else silence(found)


def _short(place: Place, way: Any) -> Sentence:
    if place["estimate"].value is None:
        return estimated(place["estimate"], place["interval"], way)
    return (way(place["estimate"]).text, " (", *_words(short_between(place["interval"], way)), ")")


def _words(sentence: Sentence) -> Sentence:
    return tuple(piece if isinstance(piece, str) else piece.text for piece in sentence)
