"""The pipeline's report card, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analysis.report.wording import Place, Sentence, between, count, moment_text, percent, signed_percent

_OUTCOMES = {"conversions": "buyers", "revenue": "revenue"}


@dataclass(frozen=True, slots=True)
class CardRow:
    """One experiment's outcome: what was found where nothing was added, and where something was."""

    name: str
    outcome: str
    single_look: Sentence
    headline: Sentence
    found: Sentence
    held: Sentence


@dataclass(frozen=True, slots=True)
class CardView:
    """The section of the report."""

    lead: Sentence
    verdict: str
    failures: tuple[str, ...]
    rows: tuple[CardRow, ...]


def card_view(root: Place) -> CardView | None:
    """The newest card; None where the pipeline was never audited, or in a report of before."""
    if root.value.get("report_card") is None:
        return None
    card = root["report_card"]
    at = moment_text(datetime.fromisoformat(card.value["audited_at"]))
    lead: Sentence = (
        "The arms of ", count(card["entrants"]), " entrants were drawn anew ", count(card["draws"]),
        " times with other salts, people and orders left as they are, and everything was measured again by the",
        " same statements and formulas: nothing was added there, so nothing should be found. In ",
        count(card["effect_draws"]), " more draws a lift of ", signed_percent(card["effect"]), " was put in. ",
        f"Audited {at} by version {card.value['program']} with seed {card.value['seed']}.",
    )  # fmt: skip
    return CardView(lead, _verdict(card), tuple(card.value["failures"]), _rows(card))


def _verdict(card: Place) -> str:
    if not card.value["passed"]:
        return "The pipeline failed its own audit. Do not act on this report until the cause is found."
    if not card.value["is_judged"]:
        return "Too few held-out people have bought to judge it."
    return "The pipeline passed its own audit."


def _rows(card: Place) -> tuple[CardRow, ...]:
    return tuple(
        CardRow(
            name=each.value["experiment"],
            outcome=_OUTCOMES[each.value["outcome"]],
            single_look=_rate(each["single_look"]),
            headline=_rate(each["always_valid"]),
            found=(signed_percent(each["recovered"]),)
            if each["recovered"].value is not None
            else ("nobody bought",),
            held=_rate(each["always_missed"]),
        )
        for each in card["rows"].each()
        if each.value["is_judged"]
    )


def _rate(rate: Place) -> Sentence:
    """A share of the draws, with the range that so few draws leave."""
    if rate["share"].value is None:
        return ("not drawn",)
    return (percent(rate["share"]), " (", *between(rate["interval"], percent), ")")
