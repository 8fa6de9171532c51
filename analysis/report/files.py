"""Writes the weekly report: a page, the same numbers as JSON and CSV, and an index of all weeks. I/O."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from analysis.report.rendering import render_index, render_page
from analysis.report.sheet import COLUMNS, sheet
from analysis.report.weeks import day_of, moment_of, one_a_day

Document = Mapping[str, Any]


def write_report(folder: Path, told: Document, earlier: Sequence[Document]) -> Path:
    """Writes `<folder>/<date>/` and rewrites `<folder>/index.html`; returns the report's page.

    `earlier` holds the previous reports, oldest first. Each file appears whole or not at all, and writing
    a date again replaces it. Raises ValueError for a number that JSON cannot hold.
    """
    past = [each for each in earlier if moment_of(each) < moment_of(told)]
    past = [each for each in past if each["version"] == told["version"]]
    week = folder / day_of(told).isoformat()
    week.mkdir(parents=True, exist_ok=True)
    _replace(week / "report.json", json.dumps(told, indent=2, allow_nan=False) + "\n")
    _replace(week / "report.csv", _csv(told))
    page = _replace(week / "index.html", render_page(told, past))
    all_weeks = one_a_day([*past, told])
    kept = {each.name for each in folder.iterdir() if (each / "index.html").is_file()}
    _replace(folder / "index.html", render_index(all_weeks, kept))
    return page


def _csv(told: Document) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sheet(told))
    return text.getvalue()


def _replace(path: Path, text: str) -> Path:
    """The file appears whole: written beside itself first, then renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="\n")
    return beside.replace(path)
