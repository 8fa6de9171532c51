"""The command line: `holdouts COMMAND`. It answers people in sentences and machines in JSON. I/O.

Exit status: 0 done; 1 refused by a fuse or a failed audit; 2 wrong use or configuration; 3 a remote
service failed. Modules are imported where a command needs them, so that each answers fast.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from experiments.errors import HoldoutsError
from flows.command_audit import audit
from flows.command_holdouts import holdouts
from flows.command_playbook import playbook
from flows.terminal import AsJson, AudienceName, Reason, run_flow, show, user

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Criteo audiences from Customer.io with a holdout that is kept, and the lift that it measures.",
)
app.add_typer(audit, name="audit")
app.add_typer(holdouts)
app.add_typer(playbook)


def main() -> None:
    """Runs a command and ends with the contract's exit status, never with a traceback of an expected error."""
    try:
        app()
    except HoldoutsError as error:
        print(f"holdouts: {error}", file=sys.stderr)  # noqa: T201 - the command's own words
        raise SystemExit(error.exit_status) from None


@app.command()
def plan(as_json: AsJson = False) -> None:
    """Show what a sync would change now. Nothing is changed anywhere.

    Example: holdouts plan --json
    """
    from flows.preview import plan_document, plan_text, preview

    found = preview()
    show(plan_document(found), plan_text(found), as_json)
    for failure in found.gathered.failures.values():
        raise failure
    raise typer.Exit(1 if found.plan.refused else 0)


@app.command()
def sync(
    refresh: Annotated[
        str | None,
        typer.Option("--refresh", metavar="AUDIENCE", help="Rebuild its list beside the one that is there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring Criteo's lists in step with the segments, minus the people held out.

    With --refresh a second list is filled, checked and swapped in, and the first drained; the list that
    ads use is never empty. Criteo takes hours to take a list over: the next syncs go on by themselves.

    Example: holdouts sync --refresh cart-0-4h
    """
    from flows.presentation import rejected_text
    from flows.preview import table_text
    from flows.sync_audiences import sync_audiences

    rows = run_flow(sync_audiences, **({"refresh": refresh} if refresh else {}))
    show(rows, f"{table_text(rows)}\n{rejected_text(rows)}".rstrip(), as_json)


@app.command()
def approve(
    audience: AudienceName,
    plan: Annotated[str, typer.Option("--plan", help="The plan's hash, as `holdouts plan` shows it.")],
    reason: Reason = "approved on the command line",
) -> None:
    """Let exactly this refused plan through the fuses, once.

    Example: holdouts approve cart-0-4h --plan 0123456789abcdef --reason "season's end, the segment is right"
    """
    from flows.approve_plan import approve_plan

    run_flow(approve_plan, audience=audience, plan=plan, reason=reason, who=user())
    typer.echo(f"{audience}: plan {plan} is approved for the next sync")


@app.command("load-orders")
def load_orders(as_json: AsJson = False) -> None:
    """Take in the orders since the last load.

    Example: holdouts load-orders
    """
    from flows.load_orders import load_orders_flow

    load = run_flow(load_orders_flow)
    lines = [f"{load['accepted']:,} orders and {load['refunds']:,} refunds taken in"]
    lines += [f"{rows:,} rows left out: {reason}" for reason, rows in load["rejected"].items()]
    lines += [f"  row {each['row']}: {each['reason']}" for each in load["examples"]]
    show(load, "\n".join(lines), as_json)


@app.command("load-spend")
def load_spend() -> None:
    """Take in what Criteo charged and claimed in the last thirty days.

    Example: holdouts load-spend
    """
    from flows.load_spend import load_spend as load_spend_flow

    typer.echo(f"{run_flow(load_spend_flow):,} rows of spend taken in")


@app.command()
def report(
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where reports stand; `report`, or `report/BRAND`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure what the ads added and write the report of today.

    Example: holdouts report --folder report
    """
    from experiments.settings import brand_in_force
    from flows.measure_lift import lift_text, measure_lift

    found = run_flow(measure_lift, report_folder=str(folder or Path("report", brand_in_force())))
    show(found["document"], f"{lift_text(found['document'])}\n{found['page']}", as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show each audience on one screen: holdout now and since when and by whom, the last sync and its age
    against its promise, sizes, match rate, the last verdict and open refusals. No vendor is asked.

    Example: holdouts status

    Example: holdouts status --json
    """
    from flows.status import read_status

    found = read_status()
    if as_json:
        show(found, "", as_json)
        return
    from rich.console import Console

    from flows.status_screen import show_status

    show_status(Console(highlight=False), found)


@app.command()
def lift(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet, one row a unit.")],
    arm: Annotated[str, typer.Option("--arm", help="Column that names the arm.")],
    control: Annotated[str, typer.Option("--control", help="Its value for the people held out.")],
    treatment: Annotated[str, typer.Option("--treatment", help="Its value for the people advertised to.")],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the outcome.")],
    covariate: Annotated[str | None, typer.Option("--covariate", help="Column fixed before entry.")] = None,
    stratum: Annotated[str | None, typer.Option("--stratum", help="Column of phases or cohorts.")] = None,
    weight: Annotated[str | None, typer.Option("--weight", help="Column: units a row stands for.")] = None,
    capacity: Annotated[
        float | None, typer.Option("--capacity", help="Units to tune the sequence to.")
    ] = None,
    alpha: Annotated[float, typer.Option("--alpha", help="Share of errors allowed.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Read the lift of any holdout experiment from a table.

    Example: holdouts lift hillstrom.csv --arm segment --control "No E-Mail" --treatment "Mens E-Mail" --outcome visit
    """
    from analysis.lift import analyse_table
    from analysis.lift_text import render_lift

    found = analyse_table(
        file,
        arm=arm,
        control=control,
        treatment=treatment,
        outcome=outcome,
        covariate=covariate,
        stratum=stratum,
        weight=weight,
        capacity=capacity,
        alpha=alpha,
    )
    show(found, render_lift(found), as_json)


@app.command()
def erase(
    email: Annotated[
        str,
        typer.Argument(metavar="[E-MAIL]", help="Left out, it is asked for, or read from standard input."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Take one person off every list and out of the ledger, for good; the totals of the arms stay.

    Example: holdouts erase < address.txt
    """
    from flows.erasing import erase_person

    asked = email or (typer.prompt("E-mail", err=True) if sys.stdin.isatty() else sys.stdin.read())
    found = erase_person(asked.strip())
    show(found, f"taken off {found['lists']} lists and out of the ledger", as_json)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Replaced by the demo.")] = Path("demo"),
) -> None:
    """Run the whole job against a sandbox on this machine: eight weeks in a few minutes.

    Example: holdouts demo
    """
    from flows.demo import run_demo

    raise typer.Exit(run_demo(folder))
