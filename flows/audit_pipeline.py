"""Measures the team's own people with arms drawn anew: nothing should be found, and what is put in should be. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from analysis.card_log import record_card
from analysis.document import METHOD
from analysis.measuring import experiments_of
from analysis.orders import orders_watermark
from analysis.redrawing import Request, World, mismatched_arms, read_world, redraw
from analysis.report_card import OUTCOMES, ReportCard, card_document, report_card
from experiments.errors import Refused
from flows.presentation import show_run, tracked
from flows.preview import table_text
from flows.runs import timed
from flows.session import Session, moment, open_session, seconds
from flows.steps import step

PEOPLE = 100_000
"""Entrants that are drawn at most; of more people a random part is."""


class Unsound(Refused):
    """The pipeline failed its own audit; `card` has what it found."""

    def __init__(self, message: str = "", *, card: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.card = dict(card or {})


@step("read entrants and orders")
def read_people(session: Session, most: int) -> World:
    """Who entered and what they bought, of a part of the people where there are many."""
    return read_world(session.engine, session.programme, most)


@step("draw arms anew and measure")
def measure_draws(session: Session, world: World, watermark: int, asked: Request) -> ReportCard:
    """Every draw, and the judgement over all of them."""
    coming = redraw(session.engine, session.programme, watermark, world, asked)
    total = (asked.draws + asked.effect_draws) * len(OUTCOMES) * len(experiments_of(session.programme))
    drawn = list(tracked("Experiments measured", coming, total))
    return report_card(drawn, mismatched_arms(session.engine, session.programme, world, asked))


@flow(name="audit-pipeline", flow_run_name=timed("audit-pipeline"), persist_result=False)
def audit_pipeline(
    now: datetime | None = None,
    draws: Annotated[int, Field(ge=20, le=5_000)] = 200,
    effect_percent: Annotated[float, Field(gt=0, le=100)] = 20.0,
    people: Annotated[int, Field(ge=100)] = PEOPLE,
    seed: int | None = None,
) -> dict[str, Any]:
    """Draws the arms anew many times, measures all of it as the report does, and keeps the report card.

    Args:
        now: The time of the audit; empty means the time of the run.
        draws: How often arms are drawn where nothing is added; half as often with an effect put in.
        effect_percent: The lift that is put in.
        people: Entrants that are drawn at most; of more, a random part of the people is taken.
        seed: What the draws come from, so that they can be repeated; empty means the date, as a number.
    """
    at = moment(now)
    chosen = int(f"{at:%Y%m%d}") if seed is None else seed
    asked = Request(draws, draws // 2, effect_percent / 100, people, chosen)
    with open_session() as session:
        watermark = orders_watermark(session.engine)
        if watermark is None:
            raise Refused(
                "no orders were ever loaded, so nothing can be audited; run `holdouts load-orders` first"
            )
        world = read_people(session, people)
        card = measure_draws(session, world, min(watermark, seconds(at)), asked)
        told = card_document(card, _about(at, asked, world))
        record_card(session.engine, told, seconds(at))
    show_run("report-card", card_rows(told), "How often the pipeline errs")
    if not card.passed:
        raise Unsound(f"the pipeline failed its own audit: {'; '.join(card.failures)}", card=told)
    return told


def card_rows(told: Mapping[str, Any]) -> list[dict[str, object]]:
    """One row per experiment and outcome, for people."""
    return [
        {
            "experiment": each["experiment"],
            "outcome": each["outcome"],
            "held-out buyers": round(each["control_conversions"]),
            "one look finds": _rate(each["single_look"]),
            "headline finds": _rate(each["always_valid"]),
            "put in": f"{each['effect']:.0%}",
            "found": "-" if each["recovered"] is None else f"{each['recovered']:.1%}",
            "95 % misses": _rate(each["missed"]),
            "headline misses": _rate(each["always_missed"]),
            "judged": "yes" if each["is_judged"] else "too few buyers",
        }
        for each in told["rows"]
    ]


def card_text(told: Mapping[str, Any]) -> str:
    """The card as the command shows it."""
    opening = (
        f"{told['entrants']:,} entrants, {told['draws']} draws without an effect and {told['effect_draws']} with one, "
        f"seed {told['seed']}"
    )
    rows = card_rows(told)
    table = table_text(rows) if rows else "the programme has no audience to measure"
    return "\n".join([opening, table, *_ending(told)])


def _ending(told: Mapping[str, Any]) -> Sequence[str]:
    if told["failures"]:
        return ["The pipeline failed its own audit:", *(f"- {each}" for each in told["failures"])]
    return [
        "The pipeline passed its own audit."
        if told["is_judged"]
        else "Too few held-out people have bought to judge it."
    ]


def _about(at: datetime, asked: Request, world: World) -> dict[str, Any]:
    return {
        "audited_at": at.astimezone(UTC).isoformat(),
        "program": version("criteo-holdouts"),
        "method": METHOD,
        "seed": asked.seed,
        "draws": asked.draws,
        "effect_draws": asked.effect_draws,
        "effect": asked.effect,
        "entrants": world.entrants,
        "share_of_people": world.share,
    }


def _rate(rate: Mapping[str, Any]) -> str:
    if rate["share"] is None:
        return "-"
    low, high = rate["interval"]
    return f"{rate['share']:.1%} ({low:.1%} to {high:.1%})"


if __name__ == "__main__":
    audit_pipeline()
