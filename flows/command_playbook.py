"""The commands of the first day and of every Friday: `init` and `check`. I/O."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.terminal import AsJson, show

playbook = typer.Typer()


@playbook.command()
def check(
    page: Annotated[
        bool, typer.Option("--checklist", help="One page: done, not done, unknown, with the evidence.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say in plain words what is wrong with the set-up, and what a retention consultant would improve.

    Only a broken set-up ends with a status other than 0; the playbook's findings are advice.

    Example: holdouts check

    Example: holdouts check --checklist
    """
    from flows.checking import check_set_up
    from flows.consulting import consult_now, consulted_document, consulted_text

    set_up = check_set_up()
    status = max((finding.exit_status for finding in set_up), default=0)
    told = consult_now(ask_vendors=not status)
    show(consulted_document(set_up, told), consulted_text(set_up, told, page_only=page), as_json)
    raise typer.Exit(status)


@playbook.command()
def init(
    file: Annotated[Path, typer.Option("--file", help="Where to write it; never overwritten.")] = Path(
        "audiences.yaml"
    ),
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: take the segments whose names fit best.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write an audiences.yaml of high-intent audiences, with the segments of your Customer.io workspace.

    It asks for the number of each segment and offers those whose names fit. A wrong answer is asked again.

    Example: holdouts init --file audiences.yaml
    """
    from flows.starting import start, started_text

    found = start(file, ask=None if yes else _ask)
    show(found, started_text(found), as_json)


def _ask(question: str, default: str) -> str:
    from experiments.errors import Rejected

    try:
        answer: str = typer.prompt(question, default=default, err=True)
    except typer.Abort as interrupted:
        raise Rejected(
            "the questions were left before their end, so nothing is written; --yes takes the segments whose "
            "names fit best"
        ) from interrupted
    return answer
