"""`holdouts status` as one screen: a table where there is room, a few lines for each audience where not. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from analysis.report.page import JUDGEMENTS
from analysis.report.wording import short_day
from sync.drift import GOOD

Row = Mapping[str, Any]
_COLUMNS = (
    "audience", "holdout", "since", "last sync of promise", "95 % within", "segment", "list", "Criteo", "match",
    "last verdict",
)  # fmt: skip
_ENDLESS = 10_000
_NUMBERS = ("holdout", "95 % within", "segment", "list", "Criteo", "match")
NOTHING = Text("–", style="dim")
_STYLES = {"good": "green", "bad": "red", "open": "yellow", "quiet": "dim", "alarm": "bold magenta"}


def show_status(console: Console, found: Mapping[str, Any]) -> None:
    """Prints the screen; words from people are never read as markup."""
    audiences: Mapping[str, Row] = found["audiences"]
    table = _table(found)
    endless = console.options.update(width=_ENDLESS)
    fits = Measurement.get(console, endless, table).maximum <= console.width
    console.print(table if fits else Group(*_lines(found)))
    console.print(_foot(found), soft_wrap=False)
    for name, each in audiences.items():
        for told in _troubles(each):
            console.print(Text.assemble(("✗ ", "bold red"), (name, "bold"), f": {told}"))
    if any(each["refusals"] for each in audiences.values()):
        console.print(
            Text(
                "`holdouts plan` shows each refused plan and its hash; `holdouts approve AUDIENCE --plan HASH` lets it through once"
            ),
        )


def _troubles(each: Row) -> Iterator[str]:
    """What is open: refusals of the last sync, identifiers that Criteo rejected, a list that drifted."""
    yield from (f"refused: {reason}" for reason in each["refusals"])
    if each["rejected"]:
        yield f"Criteo rejected {each['rejected']:,} identifiers of its last sync"
    if each["list_check"] and each["list_check"]["verdict"] not in GOOD:
        yield f"{each['list_check']['sentence']}; see `holdouts audit reconcile`"


def _table(found: Mapping[str, Any]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", no_wrap=True)
    for name, each in found["audiences"].items():
        table.add_row(
            Text(name, style="bold"),
            _holdout(each),
            _since(each),
            _sync(each, found["promise_hours"]),
            _wait(each["delay_p95"]),
            _count(each["units"]),
            _count(each["pushed"]),
            _count(each["identifiers"]),
            _share(each["match_rate"]),
            _verdict(each),
        )
    return table


def _lines(found: Mapping[str, Any]) -> Iterator[RenderableType]:
    for name, each in found["audiences"].items():
        is_include = each["role"] == "include"
        head = Text.assemble((name, "bold"), "  ", _holdout(each))
        yield head.append("  ").append_text(_since(each)) if is_include else head
        yield Text.assemble(
            "  synced ", _sync(each, found["promise_hours"]), ", 95 % within ", _wait(each["delay_p95"])
        )
        sizes = (
            ("segment", _count(each["units"])),
            ("list", _count(each["pushed"])),
            ("Criteo", _count(each["identifiers"])),
            ("match", _share(each["match_rate"])),
        )
        yield Text("  ").append_text(
            Text(", ").join(Text.assemble(f"{word} ", value) for word, value in sizes)
        )
        if is_include:
            yield Text.assemble("  ", _verdict(each))


def _foot(found: Mapping[str, Any]) -> Text:
    universal, report = found["universal"], found["last_report"]
    held = "no universal holdout is in force"
    if universal is not None and universal["percent"]:
        day = short_day(datetime.fromisoformat(universal["at"]))
        held = f"{universal['percent']:g} % are held out of everything since {day} by {universal['who']}"
    if all(each["last_sync"] is None for each in found["audiences"].values()):
        synced = "nothing was synced yet: holdouts sync"
    else:
        late = [name for name, each in found["audiences"].items() if each["is_late"]]
        within = f"within {found['promise_hours']:.0f} h"
        synced = f"late: {', '.join(late)}" if late else f"every list is up to date {within}"
    told = "no report yet" if report is None else f"report of {short_day(datetime.fromisoformat(report))}"
    return Text(f"{held}; {synced}; {told}", style="dim")


def _holdout(each: Row) -> Text:
    if each["role"] == "exclude":
        return Text("kept out", style="dim")
    percent = each["holdout_percent"]
    return NOTHING if percent is None else Text(f"{percent:g} %", style="bold")


def _since(each: Row) -> Text:
    change = each["since"]
    if each["role"] == "exclude" or change is None:
        return NOTHING
    return Text(f"{short_day(datetime.fromisoformat(change['at']))}, {change['who']}")


def _sync(each: Row, promise: float) -> Text:
    """The age with a mark that says without colour whether it is in time; a promise that is broken is named."""
    if each["age_hours"] is None:
        return Text("○ never", style="yellow")
    age = _hours(each["age_hours"])
    if each["outcome"] != "applied":
        return Text(f"✗ {each['outcome']} {age} ago", style="bold red")
    if each["is_late"]:
        return Text(f"▲ {age} of {_hours(promise)}", style="yellow")
    return Text(f"● {age} of {_hours(promise)}", style="green")


def _wait(seconds: int | None) -> Text:
    """From first seen in the segment to Criteo's answer."""
    if seconds is None:
        return NOTHING
    if seconds < 120:
        return Text(f"{seconds} s")
    return Text(f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h")


def _verdict(each: Row) -> Text:
    if each["role"] == "exclude":
        return NOTHING
    found = each["verdict"]
    if found is None:
        return Text("not measured yet", style="dim")
    judgement = JUDGEMENTS[found["state"]]
    return Text(judgement.words, style=_STYLES[judgement.tone])


def _count(number: int | None) -> Text:
    return NOTHING if number is None else Text(f"{number:,}")


def _share(rate: float | None) -> Text:
    return NOTHING if rate is None else Text(f"{rate:.0%}")


def _hours(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d"
