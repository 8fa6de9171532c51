"""The commands that change or plan holdouts: `set`, `power` and `rerandomise`. I/O."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.terminal import AsJson, AudienceName, percentage, run_flow, share, show, user

holdouts = typer.Typer()


@holdouts.command("set")
def set_(
    audience: AudienceName,
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="0 to 50, like 20 or 2.5%.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log for good.")] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Say what would follow, change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change the holdout of one audience; nobody but the band between the percentages moves.

    Example: holdouts set cart-0-4h 20% --reason "decide before Christmas"
    """
    from experiments.errors import Rejected
    from flows.change_preview import change_text, preview_change
    from flows.holdout_change import set_holdout

    ppm = share(percent)
    if preview:
        found = preview_change(audience, ppm)
        show(found, change_text(found), as_json)
        return
    if len(reason) < 3:
        raise Rejected("give a reason with --reason; it stands in the log for good")
    change = set_holdout(audience, ppm, reason=reason, who=user(), route="command", now=None)
    asked = f"{change['to_percent']:g} %"
    show(change, f"{audience}: {asked} from the next sync on; earlier data stay in the estimate", as_json)


@holdouts.command()
def power(
    lift: Annotated[str, typer.Option("--lift", help="Smallest lift worth knowing.")] = "10%",
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=104, help="When the answer is wanted.")] = 13,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, help="Contribution that may be forgone in a week.")
    ] = None,
    entrants_per_week: Annotated[
        float | None, typer.Option("--entrants-per-week", min=1, help="Plan without a ledger: people.")
    ] = None,
    conversion: Annotated[str, typer.Option("--conversion", help="Share of people that buy.")] = "1%",
    holdout: Annotated[str, typer.Option("--holdout", help="Share of people held out.")] = "10%",
    as_json: AsJson = False,
) -> None:
    """Say what lift shows when, what a holdout costs, and recommend one for each audience.

    Example: holdouts power --lift 10% --weeks 13 --budget 500

    Example: holdouts power --entrants-per-week 20000 --conversion 1% --holdout 10%
    """
    from flows.plan_holdouts import plan_holdouts, power_of_text, power_text, quick_power

    if entrants_per_week is not None:
        sketch = quick_power(
            entrants_per_week, percentage(conversion), share(holdout), lift=percentage(lift), weeks=weeks
        )
        show(sketch, power_of_text(sketch), as_json)
        return
    found = run_flow(plan_holdouts, lift_percent=100 * percentage(lift), weeks=weeks, budget=budget)
    show(found, power_text(found), as_json)


@holdouts.command()
def rerandomise(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="A holdout group, or `universal`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log for good.")],
    as_json: AsJson = False,
) -> None:
    """Draw anew who is held out of a group, on purpose; it asks twice. Earlier data stay as they are.

    Only where the arms are no longer what they seem, as after a leak. Percentages never need it.

    Example: holdouts rerandomise cart --reason "held-out people were mailed the ads"
    """
    from flows.holdout_change import rerandomise_group, rerandomise_warning

    typer.echo(rerandomise_warning(group, reason), err=True)
    typer.confirm("Draw the arms anew?", abort=True, err=True)
    if typer.prompt("Type the group's name to confirm", err=True) != group:
        raise typer.Abort
    made = rerandomise_group(group, reason=reason, who=user())
    show(made, f"{group}: drawn anew (number {made['salt_number']}) from the next sync on", as_json)
