"""How a command answers: sentences for people, one JSON document for machines. I/O."""

from __future__ import annotations

import getpass
import json
import os
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


def audience_names(typed: str) -> list[str]:
    """Names of the audiences file that begin so, for the shell; none where there is no file to read."""
    from experiments.audience_file import read_programme
    from experiments.errors import HoldoutsError
    from experiments.settings import Settings

    try:
        programme = read_programme(Settings.read().audiences)
    except HoldoutsError:
        return []
    return [each.name for each in programme.audiences if each.name.startswith(typed)]


AudienceName = Annotated[
    str,
    typer.Argument(metavar="AUDIENCE", help="Its name in audiences.yaml.", autocompletion=audience_names),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stands in the log for good.")]


def show(document: Any, text: str, as_json: bool) -> None:
    """Prints one or the other on standard output."""
    typer.echo(json.dumps(document, indent=1, allow_nan=False) if as_json else text)


def run_flow(flow: Any, **parameters: Any) -> Any:
    """A flow run where a Prefect server is named, else the plain function."""
    return flow(**parameters) if os.environ.get("PREFECT_API_URL") else flow.fn(**parameters)


def share(text: str) -> int:
    """A holdout as people write it, in parts per million; raises Rejected."""
    from experiments.errors import Rejected
    from experiments.percent import parse_holdout

    try:
        return parse_holdout(text)
    except ValueError as error:
        raise Rejected(str(error)) from error


def percentage(text: str) -> float:
    """Any percentage as people write it, as a fraction; raises Rejected."""
    from experiments.errors import Rejected
    from experiments.percent import parse_percent

    try:
        return parse_percent(text) / 1_000_000
    except ValueError as error:
        raise Rejected(str(error)) from error


def user() -> str:
    """Who types."""
    return getpass.getuser()
