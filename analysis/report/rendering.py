"""Puts what a page says into its template. Pure but for the templates, which it reads from this package. I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.advice import advices
from analysis.report.card_page import card_view
from analysis.report.delivery import lists
from analysis.report.details import section
from analysis.report.glossary import GLOSSARY
from analysis.report.index import index_view
from analysis.report.orders_page import converted_sentences, late_sentence
from analysis.report.page import axis_of, headline, left_out, measured_from, row, rows, verdict_on_total, ways
from analysis.report.pictures import Subject, draw
from analysis.report.playbook_tables import matrix, window_rows
from analysis.report.revised import revised
from analysis.report.safeguards import firewall, removals
from analysis.report.together_page import together_view
from analysis.report.weeks import day_of, history, moment_of, one_a_day
from analysis.report.window_picture import draw_windows
from analysis.report.wording import (
    Place,
    count,
    day_text,
    holdout_text,
    moment_text,
    plain,
    ratio_tick,
    short_day,
)

Document = Mapping[str, Any]


def render_page(told: Document, earlier: Sequence[Document]) -> str:
    """One week's page, complete in itself; compared with the last report of an earlier day."""
    root, said = Place(told), ways(told)
    before = next((each for each in reversed(earlier) if day_of(each) < day_of(told)), None)
    weeks = one_a_day([*earlier, told])
    axis = axis_of(told)
    shown = rows(root, before)
    sections = [
        section(each, root, row(each, root, said, axis, before), said, history(each.value["name"], weeks))
        for each in root["experiments"].each()
    ]
    return _environment().get_template("report.html").render(
        told=told,
        brand=_brand(told),
        root=root,
        said=said,
        at=moment_of(told),
        since=measured_from(told),
        until=datetime.fromisoformat(told["watermark"]),
        sentence=headline(root, said),
        summary=verdict_on_total(told),
        left_out=left_out(told),
        axis=axis,
        rows=shown,
        sections=[each for each in sections if each.row.title != "Whole programme"],
        programme=next((each for each in sections if each.row.title == "Whole programme"), None),
        lists=lists(root),
        firewall=firewall(root),
        removals=removals(root, said.money),
        advices=advices(root, said.money),
        together=together_view(root),
        window_rows=window_rows(root),
        window_picture=_windows(told),
        matrix=matrix(root),
        late=late_sentence(root, said),
        converted=converted_sentences(root, said),
        card=card_view(root),
        revised=revised(before, told, said),
        before=None if before is None else moment_of(before),
        glossary=GLOSSARY,
    )  # fmt: skip


def render_index(weeks: Sequence[Document], kept: Collection[str]) -> str:
    """All weeks, newest first; those whose page is kept are links."""
    return _environment().get_template("index.html").render(
        view=index_view(weeks, kept), glossary=GLOSSARY, at=moment_of(weeks[-1]), brand=_brand(weeks[-1])
    )  # fmt: skip


def _brand(told: Document) -> str:
    """Whose report it is, where an installation serves several brands."""
    return f"{told['brand']} · " if told.get("brand") else ""


def _windows(told: Document) -> Markup:
    playbook = told.get("playbook")
    return Markup(draw_windows(playbook) if playbook else "")  # noqa: S704 - its words are escaped where it is drawn


def _picture(subject: Subject) -> Markup:
    return Markup(draw(subject))  # noqa: S704 - drawn from numbers and fixed words by this package


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("analysis.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "picture": _picture,
        "plain": plain,
        "count": count,
        "day": day_text,
        "short_day": short_day,
        "moment": moment_text,
        "holdout": holdout_text,
        "parsed": datetime.fromisoformat,
        "ratio_tick": ratio_tick,
    }
    return environment
