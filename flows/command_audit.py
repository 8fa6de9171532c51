"""The commands of `holdouts audit`: check that what must never happen has not happened. I/O."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flows.terminal import AsJson, AudienceName, percentage, run_flow, show

OneAudience = Annotated[
    str | None, typer.Argument(metavar="[AUDIENCE]", help="Its name in audiences.yaml; left out, all.")
]

audit = typer.Typer(no_args_is_help=True, help="Check that what must never happen has not happened.")


@audit.command("arms")
def audit_arms(
    sql: Annotated[
        str | None, typer.Option("--sql", help="postgresql, duckdb, bigquery or snowflake.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every recorded arm from its hash; any mismatch fails.

    With --sql it prints the query that does the same in your warehouse, over a table `units` with the
    columns unit (64 hex characters), salt, ppm, universal_salt and universal_ppm.

    Example: holdouts audit arms --sql duckdb
    """
    from flows.auditing import arms_sql, check_arms

    if sql is not None:
        query = arms_sql(sql)
        show({"dialect": sql, "query": query}, query, as_json)
        return
    found = check_arms()
    text = f"{found['checked']:,} entrants checked, {found['mismatched']:,} do not agree with their hash"
    show(found, text, as_json)
    raise typer.Exit(1 if found["mismatched"] else 0)


@audit.command("firewall")
def audit_firewall(
    fix: Annotated[
        bool, typer.Option("--fix", help="Show the changed algebra, and write it once you say yes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Name each ad set that could reach people held out, and prove that no list holds one of them.

    --fix changes audiences that are there; it creates and links nothing.

    Example: holdouts audit firewall --fix
    """
    from flows.firewall import apply_changes, check_firewall, firewall_document, firewall_text

    found = check_firewall()
    if fix and found.audit.changes:
        typer.echo(firewall_text(found), err=as_json)
        many = f"{len(found.audit.changes)} audience{'s' if len(found.audit.changes) > 1 else ''}"
        if typer.confirm(f"Write the changed algebra of {many} to Criteo?", err=True):
            found = apply_changes(found.audit.changes)
    show(firewall_document(found), firewall_text(found), as_json)
    raise typer.Exit(0 if found.is_tight else 1)


@audit.command("identity")
def audit_identity(audience: OneAudience = None, as_json: AsJson = False) -> None:
    """Count what the profiles of each segment give as e-mails: missing, malformed, hashed, misspelt, merged.

    It fails where more profiles are unusable than `bounds.unusable` of the audience allows, which is where a
    sync would refuse it. Nothing is changed, and no e-mail is shown.

    Example: holdouts audit identity cart-0-4h
    """
    from flows.identity_audit import audit_identity, identity_text

    found = audit_identity(audience)
    show({"audiences": found}, identity_text(found), as_json)
    raise typer.Exit(1 if any(each["finding"] for each in found) else 0)


@audit.command("rejected")
def audit_rejected(
    audience: AudienceName,
    requests: Annotated[
        int, typer.Option("--requests", min=1, help="How many requests may be made to find them.")
    ] = 200,
    as_json: AsJson = False,
) -> None:
    """Name the profiles whose identifiers Criteo rejects, though they look right to us.

    Criteo counts them and quotes a few; the others are found by adding parts of the list again, ever smaller
    ones. Only people who are on the list and stay there by the plan of now are added, so the list stays as it
    was. It fails where Criteo rejects anybody. Profiles are shown by their cio_id, never by an e-mail.

    Example: holdouts audit rejected cart-0-4h --requests 100
    """
    from flows.rejected_audit import audit_rejected, rejected_text

    found = audit_rejected(audience, requests)
    show(found, rejected_text(found), as_json)
    raise typer.Exit(1 if found["rejected"] or found["unfound"] else 0)


@audit.command("reconcile")
def audit_reconcile(as_json: AsJson = False) -> None:
    """Compare the ledger's count of every list with Criteo's, and each match rate with its own past.

    It keeps the counts, as the nightly run does. Anything that drifted fails, with what to do about it.

    Example: holdouts audit reconcile
    """
    from flows.reconcile_lists import reconcile_lists, reconciliation_text

    found = run_flow(reconcile_lists)
    show(found, reconciliation_text(found), as_json)
    raise typer.Exit(1 if found["drifted"] or found["fallen"] else 0)


@audit.command("pipeline")
def audit_pipeline(
    draws: Annotated[int, typer.Option("--draws", min=20, max=5_000, help="Draws without an effect.")] = 200,
    effect: Annotated[str, typer.Option("--effect", help="The lift that is put in.")] = "20%",
    people: Annotated[int, typer.Option("--people", min=100, help="Entrants drawn at most.")] = 100_000,
    seed: Annotated[int | None, typer.Option("--seed", help="Repeats an audit; default: the date.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure your own people with arms drawn anew: nothing may be found, and what is put in must be.

    Nobody's arm changes: the ledger is read, and the drawn arms stand in temporary tables. The card is kept and
    shown in the next report. A pipeline that errs too often ends with status 1.

    Example: holdouts audit pipeline --draws 500
    """
    from flows import audit_pipeline as auditing

    wanted = {"draws": draws, "effect_percent": 100 * percentage(effect), "people": people, "seed": seed}
    try:
        told, status = run_flow(auditing.audit_pipeline, **wanted), 0
    except auditing.Unsound as unsound:
        told, status = unsound.card, unsound.exit_status
    show(told, auditing.card_text(told), as_json)
    raise typer.Exit(status)


@audit.command("unit")
def audit_unit(as_json: AsJson = False) -> None:
    """Tell which arm one person was in, of which audience, since when and by which rule.

    The e-mail is asked for, or read from standard input: as an argument it would stay in the shell's
    history and in the list of processes.

    Example: holdouts audit unit < email.txt
    """
    from flows.auditing import unit_history, unit_text

    email = typer.prompt("E-mail", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    found = unit_history(email)
    show(found, unit_text(found), as_json)
