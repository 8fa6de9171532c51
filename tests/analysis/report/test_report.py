"""The files of a report: whole, equal in their numbers, and an index of all weeks."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report_documents as made
from page_reading import read_page, text_of

from analysis.document import document
from analysis.early import Seen, SeenSpan
from analysis.estimators.balance import Covariates
from analysis.estimators.dilution import MatchRate
from analysis.estimators.sums import ArmSums
from analysis.facts import ArmOutcomes, Claims, Entered, Experiment, Facts, OrderCap, SpanOutcomes, SpendTotal
from analysis.measurement import measure
from analysis.planned import Look, Plan
from analysis.report.files import write_report
from analysis.timeline import FOREVER, Span
from experiments.audiences import Audience, Programme
from experiments.phases import Holdout, Phase


def table(path: Path) -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["experiment"]: row for row in csv.DictReader(lines)}


def test_a_report_is_a_page_json_csv_and_an_index(tmp_path: Path) -> None:
    weeks = made.eight_weeks()
    page = write_report(tmp_path / "report", weeks[-1], weeks[:-1])
    assert page == tmp_path / "report" / "2026-11-23" / "index.html"
    names = sorted(each.relative_to(tmp_path / "report").as_posix() for each in tmp_path.rglob("*.*"))
    assert names == ["2026-11-23/index.html", "2026-11-23/report.csv", "2026-11-23/report.json", "index.html"]
    assert json.loads((page.parent / "report.json").read_text(encoding="utf-8")) == weeks[-1]


def test_a_report_of_one_of_several_brands_says_whose_it_is(tmp_path: Path) -> None:
    weeks = [{**each, "brand": "acme"} for each in made.eight_weeks()]
    page = write_report(tmp_path, weeks[-1], weeks[:-1])
    for each in (page, tmp_path / "index.html"):
        text = each.read_text(encoding="utf-8")
        assert "<title>acme · What the ads added" in text
        assert "acme · <strong>What the ads added</strong>" in text


def test_the_table_has_the_documents_numbers_and_leaves_out_what_may_not_be_said(tmp_path: Path) -> None:
    told = made.every_state()
    found = table(write_report(tmp_path, told, []).with_name("report.csv"))
    for each in told["experiments"]:
        row, state = found[each["name"]], each["verdict"]["state"]
        assert row["verdict"] == state
        if state in {"invalid", "not enough data"}:
            assert {row[key] for key in ("lift", "lift_low", "incremental_revenue", "iroas")} == {""}
        elif each["money"] is not None:
            assert float(row["incremental_revenue"]) == each["money"]["increment"]["total"]
            assert row["lift"] == str(each["conversions"]["estimate"])
    assert found["subscribers"]["iroas_high"] == ""
    assert found["newsletter"]["iroas"] == ""
    assert found["cart-0-4h"]["spend"] == ""


def test_the_index_links_the_weeks_that_are_there(tmp_path: Path) -> None:
    weeks = made.eight_weeks()
    for at in (6, 7):
        write_report(tmp_path, weeks[at], weeks[:at])
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    found = read_page(html)
    assert len(found.ids) == len(set(found.ids))
    assert [each for each in found.addresses if each.endswith("index.html")] == [
        "2026-11-23/index.html",
        "2026-11-16/index.html",
    ]
    text = text_of(html)
    assert "5 Oct 2026" in text
    assert text.index("23 Nov 2026") < text.index("5 Oct 2026")


def test_writing_a_date_again_replaces_it_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    first, second = made.report([made.not_enough()]), made.report([made.unprofitable()])
    write_report(tmp_path, first, [])
    page = write_report(tmp_path, second, [first])
    assert "Adds sales, loses money" in page.read_text(encoding="utf-8")
    assert not list(tmp_path.rglob(".*"))
    assert text_of((tmp_path / "index.html").read_text(encoding="utf-8")).count("23 Nov 2026") >= 1


def test_a_number_that_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    told = made.full_report()
    told["experiments"][0]["conversions"]["p_value"] = float("nan")
    with pytest.raises(ValueError, match="JSON"):
        write_report(tmp_path, told, [])


def test_reports_of_another_format_are_not_compared_with(tmp_path: Path) -> None:
    old = made.eight_weeks()[0] | {"version": 0, "experiments": "something else"}
    page = write_report(tmp_path, made.full_report(), [old])
    assert "This is the first report." in page.read_text(encoding="utf-8")


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    weeks = made.eight_weeks()
    pages = [write_report(tmp_path / name, weeks[-1], weeks[:-1]).read_bytes() for name in ("a", "b")]
    assert pages[0] == pages[1]


def test_no_person_shows_up_in_any_file(tmp_path: Path) -> None:
    write_report(tmp_path, made.every_state(), made.eight_weeks()[:-1])
    for path in tmp_path.rglob("*.*"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"[\w.+-]+@[\w-]+\.\w+|\b[0-9a-f]{64}\b", text), path


def measured_document() -> dict[str, Any]:
    """A document made by the real estimators."""
    phase = Phase(1, "lapsed", 0, "lapsed", Holdout("s", 100_000, "u", 0), 1_790_000_000)
    held, treated = (
        ArmSums.from_sums(
            n,
            60.0 * bought,
            6_000.0 * bought,
            9e5 * bought,
            conversions=bought,
            x=60.0 * bought,
            xx=6_000.0 * bought,
            xy=5_000.0 * bought,
        )
        for n, bought in ((5_000, 90), (45_000, 990))
    )
    arms = [
        ArmOutcomes(sums, ArmSums.from_sums(sums.n, *(3 * [float(sums.conversions)]), conversions=sums.conversions, x=sums.x, xx=sums.xx, xy=0.03 * sums.x), ArmSums.empty(), sums, Covariates(sums.n, np.ones(3), np.eye(3)))
        for sums in (held, treated)
    ]  # fmt: skip
    span = SpanOutcomes(Span(0, FOREVER, 429_496_729, 429_496_729, 0), *arms)
    facts = Facts(
        experiment=Experiment("lapsed", "audience", ("lapsed",), 14 * 86_400, ("1",), has_money=True),
        watermark=1_796_000_000,
        entered=(Entered(phase, 5_000, 45_000, 0),),
        matured=(span, span),
        since_entry=(span,),
        spend=SpendTotal(9_000.0, 55_000.0, 900),
        ever_treated=45_000,
        margin=0.45,
        planned_information=4_500.0,
        early=(SeenSpan(Seen({14: 10}), Seen({14: 90})),),
        plan=Plan(1_790_000_000, 1_800_000_000, (Look(1_796_000_000, 4_500.0),)),
        claims=Claims(),
        match=MatchRate(0.6, 0.5, 0.7),
        cap=OrderCap(44_000, 5_120, 1_789_000_000, 1_790_000_000),
    )
    audience = Audience("lapsed", 7, "include", "lapsed", 100_000, "lapsed")
    programme = Programme("1", "EUR", 0.45, (audience,))
    return document(programme, [measure(facts)], 1_796_000_000, 1_796_000_000)


def shape(value: Any) -> Any:
    """Keys without values."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_what_the_estimators_tell_has_the_shape_of_these_fixtures_and_can_be_written(tmp_path: Path) -> None:
    told = measured_document()
    fixture = made.report([made.unprofitable()])
    for added_by_the_flow in ("operations", "outlooks", "firewall", "suppression"):
        del fixture[added_by_the_flow]
    assert shape(told) == shape(fixture)
    assert "What the ads added:" in text_of(write_report(tmp_path, told, []).read_text(encoding="utf-8"))
