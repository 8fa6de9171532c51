"""The demo's last screen: three tables and one sentence, narrow enough for any terminal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from analysis.report.page import headline, ways
from analysis.report.wording import Place, plain


def show(console: Console, document: dict[str, Any], truths: Mapping[str, float | None]) -> None:
    """Who was compared, whether the ads add sales, and what they return; `truths` are true iROAS by name."""
    people = _table("Who was compared", ("audience", "held out", "advertised to", "match", "holdout"))
    lifts = _table("Whether the ads add sales", ("audience", "more buyers", "verdict"))
    money = _table(
        "What they return", ("audience", "added revenue", "Criteo", "blended", "iROAS", "true iROAS")
    )
    for row in document["experiments"]:
        people.add_row(*_people_cells(row, document["operations"]))
        lifts.add_row(row["name"], _lift_cell(row["conversions"]), row["verdict"]["state"])
        if row["money"] is not None:
            money.add_row(*_money_cells(row, truths.get(row["name"])))
    for table in (people, lifts, money):
        console.print(table)
    console.print(plain(headline(Place(document), ways(document))), style="bold", soft_wrap=True)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    for name in columns:
        is_text = name in ("audience", "verdict")
        table.add_column(name, justify="left" if is_text else "right", no_wrap=name == "audience")
    return table


def _people_cells(row: dict[str, Any], operations: dict[str, Any]) -> list[str]:
    own = [operations[name] for name in row["audiences"]]
    key = "universal_history" if row["kind"] == "programme" else "holdout_history"
    rates = [each["match_rate"] for each in own if each["match_rate"] is not None]
    return [
        row["name"],
        f"{row['since_entry']['n_holdout']:,}",
        f"{row['since_entry']['n_treatment']:,}",
        f"{sum(rates) / len(rates):.0%}" if rates else "–",
        " → ".join(f"{change['percent']:g} %" for change in own[0][key]),
    ]


def _lift_cell(lift: dict[str, Any]) -> str:
    if lift["estimate"] is None or lift["interval"] == [None, None]:
        return "too early to say"
    low, high = lift["interval"]
    return f"{lift['estimate']:+.0%} ({_percent(low)} to {_percent(high)})"


def _money_cells(row: dict[str, Any], truth: float | None) -> list[str]:
    money = row["money"]
    claimed, blended = _number(money["platform_roas"]), _number(money["blended_roas"])
    if money["iroas"]["estimate"] is None:
        return [row["name"], "not enough data", claimed, blended, "–", _number(truth)]
    total, (low, high) = money["increment"]["total"], money["increment"]["interval"]
    back, (least, most) = money["iroas"]["estimate"], money["iroas"]["interval"]
    return [
        row["name"],
        f"{total:,.0f} ({_number(low, 0)} to {_number(high, 0)})",
        claimed,
        blended,
        f"{back:.1f} ({_number(least)} to {_number(most)})",
        _number(truth),
    ]


def _number(value: float | None, digits: int = 1) -> str:
    return "open" if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return "open" if value is None else f"{value:+.0%}"
