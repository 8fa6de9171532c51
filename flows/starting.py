"""Writes a first audiences.yaml of high-intent audiences, with the segments that the workspace has. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from experiments.audience_file import parse_programme
from experiments.errors import HoldoutsError, Rejected
from experiments.settings import Settings
from flows.session import open_criteo, open_customerio
from flows.starter_kit import KIT, Found, Start, best_matches, yaml_text
from flows.starting_answers import LIST, NO_SEGMENT, Ask, advertiser, answered, currency, margin, segment_of

ACCEPTED_FOR = timedelta(days=90)


def start(file: Path, ask: Ask | None) -> dict[str, Any]:
    """Asks, writes and says what was written; without `ask` the offered answers are taken.

    Raises Rejected where the file is there already, or no audience to advertise to has a segment.
    """
    if file.exists():
        raise Rejected(f"{file} is there already and is never overwritten; name another with --file")
    if not file.parent.is_dir():
        raise Rejected(f"{file} cannot be written: there is no folder {file.parent}")
    settings = Settings.read()
    with open_customerio(settings) as customerio:
        workspace = {each.id: Found(each.id, each.name) for each in customerio.segments()}
    answer = ask or (lambda _question, offered: offered)
    chosen = _choose(workspace, answer)
    if not any(kit.role == "include" and kit.name in chosen for kit in KIT):
        raise Rejected(
            "no segment of the workspace is an audience to advertise to; make one in Customer.io, such as "
            "people who left a cart 4 to 24 hours ago"
        )
    text = yaml_text(
        Start(
            advertiser=answered(answer, "Criteo advertiser id", _advertiser(settings), advertiser),
            currency=answered(answer, "Currency", "EUR", currency),
            margin=answered(answer, "Contribution margin", "45%", margin),
            segments=chosen,
            accepted_until=(datetime.now(UTC) + ACCEPTED_FOR).date(),
        )
    )
    parse_programme(text, str(file))
    _write(file, text)
    return _told(file, chosen)


def started_text(found: Mapping[str, Any]) -> str:
    """For a person."""
    lines = [f"{found['file']} is written, with {len(found['audiences'])} audiences:"]
    lines += [
        f"  {each['name']}: segment {each['segment']} ({each['called']})" for each in found["audiences"]
    ]
    if found["left_out"]:
        lines.append(f"without a segment yet: {', '.join(found['left_out'])}")
    return "\n".join([*lines, "fill in ad_sets and orders, then: holdouts check"])


def _choose(workspace: Mapping[int, Found], answer: Ask) -> dict[str, Found]:
    offered = best_matches(tuple(workspace.values()))
    chosen: dict[str, Found] = {}
    for kit in KIT:
        match = offered.get(kit.name)
        hint = "" if match is None else f"; likely {match.name!r}"
        question = (
            f"{kit.name}: segment of people who {kit.people} ({NO_SEGMENT} for none, {LIST} to see all{hint})"
        )
        default = NO_SEGMENT if match is None or match in chosen.values() else str(match.id)
        found = answered(answer, question, default, segment_of(workspace, chosen))
        if found is not None:
            chosen[kit.name] = found
    return chosen


def _advertiser(settings: Settings) -> str:
    """The first advertiser with consent; the contract's example where Criteo's credentials are not there yet."""
    try:
        with open_criteo(settings) as criteo:
            return next((each.id for each in criteo.advertisers()), "12345")
    except HoldoutsError:
        return "12345"


def _write(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise Rejected(f"{file} cannot be written: {error.strerror}") from error


def _told(file: Path, chosen: Mapping[str, Found]) -> dict[str, Any]:
    return {
        "file": str(file),
        "audiences": [
            {"name": name, "segment": each.id, "called": each.name} for name, each in chosen.items()
        ],
        "left_out": [kit.name for kit in KIT if kit.name not in chosen],
    }
