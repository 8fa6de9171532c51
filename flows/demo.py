"""The whole job on one machine, with a sandbox in place of the vendors: eight weeks in a few minutes. I/O."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from analysis.measuring import experiments_of
from experiments.errors import Refused
from flows.demo_mistakes import IN_THE_DEMO
from flows.demo_screen import show
from flows.demo_shop import audiences_yaml
from flows.demo_truth import LeakWatch, true_incremental_revenue
from flows.local_server import local_server
from flows.session import Session, open_session, seconds
from sandbox.mistakes import Mistakes
from sandbox.world import Sandbox, Switches

START = datetime(2026, 9, 7, tzinfo=UTC)
RAISED = "browse-no-cart"
EFFECT = 2.0
"""The shop's ads work well: eight weeks of 60,000 profiles would not show a weak effect."""


@dataclass(frozen=True, slots=True)
class Length:
    """How much the demo simulates."""

    profiles: int = 60_000
    weeks: int = 8
    syncs_a_day: int = 3


def run_demo(
    folder: Path, length: Length | None = None, meddle: Callable[[Sandbox], None] | None = None
) -> int:
    """Runs the main job from segments to lift and prints what the ads added; gives the exit status.

    `meddle` is called after each simulated day: a test plants a leak with it.
    """
    length = length or Length()
    console = Console()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    console.print("A Customer.io, a Criteo and a shop are started on this machine, and a Prefect server.")
    with ExitStack() as stack:
        api = stack.enter_context(local_server(folder / "prefect"))
        box = stack.enter_context(_sandbox(folder, length))
        stack.enter_context(_environment(folder, box, api))
        told, watch = _simulate(box, folder, length, console, meddle or (lambda _: None))
        return _conclude(box, folder, told, watch, console)


@contextmanager
def _sandbox(folder: Path, length: Length) -> Iterator[Sandbox]:
    switches = Switches(
        customerio_rps=None,
        criteo_per_minute=None,
        criteo_reports_per_minute=None,
        ad_effect=EFFECT,
        mistakes=Mistakes(mailed_offer="cart-10"),
    )
    orders = folder / "shop.sqlite"
    with Sandbox.start(profiles=length.profiles, start=START, orders_path=orders, switches=switches) as box:
        text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, orders, mistakes=IN_THE_DEMO)
        (folder / "audiences.yaml").write_text(text)
        yield box


@contextmanager
def _environment(folder: Path, box: Sandbox, api: str) -> Iterator[None]:
    given = {
        "HOLDOUTS_BRAND": "",
        "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
        "HOLDOUTS_DATABASE_URL": f"sqlite:///{(folder / 'holdouts.sqlite').resolve()}",
        "HOLDOUTS_RATE_LIMITS": "off",
        "CUSTOMERIO_APP_KEY": box.app_key,
        "CUSTOMERIO_BASE_URL": box.customerio_url,
        "CRITEO_CLIENT_ID": box.client_id,
        "CRITEO_CLIENT_SECRET": box.client_secret,
        "CRITEO_BASE_URL": box.criteo_url,
        "PREFECT_API_URL": api,
        "PREFECT_HOME": str((folder / "prefect").resolve()),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        # A synchronous flow run waits out a second for its heartbeat, which no run of the demo needs.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _simulate(
    box: Sandbox, folder: Path, length: Length, console: Console, meddle: Callable[[Sandbox], None]
) -> tuple[dict[str, Any], LeakWatch]:
    from flows.adjust_holdout import adjust_holdout
    from flows.check_playbook import check_playbook
    from flows.load_orders import load_orders_flow
    from flows.load_spend import load_spend
    from flows.measure_lift import measure_lift

    watch, told = LeakWatch(), {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, open_session() as session:
        shown = progress.add_task("", total=None)
        for day in range(1, length.weeks * 7 + 1):
            for _ in range(length.syncs_a_day):
                box.advance(24 / length.syncs_a_day)
                _sync(box, console)
            meddle(box)
            now = box.clock.now()
            watch.look(session.engine, session.programme, box.books())
            load_orders_flow(now=now)
            load_spend(now=now)
            if day % 7 == 0:
                check_playbook(now=now)
                told = measure_lift(now=now, report_folder=str(folder / "report"))
            if day == length.weeks * 7 // 2:
                reason = "half-way: measure browsing sooner"
                adjust_holdout(audience=RAISED, percent=20, reason=reason, who="demo", now=now)
            progress.update(shown, description=_status(session, box, day))
        watch.look_back(session.engine, session.programme, box.books())
    return told, watch


def _sync(box: Sandbox, console: Console) -> None:
    from flows.sync_audiences import sync_audiences

    try:
        sync_audiences(now=box.clock.now())
    except Refused as refused:
        console.print(f"{box.clock.now():%a %d %b %H:%M}  {refused}")


def _status(session: Session, box: Sandbox, day: int) -> str:
    week, weekday = divmod(day - 1, 7)
    return f"week {week + 1}, day {weekday + 1}: {len(session.programme.audiences)} segments kept equal to Criteo's lists, {box.clock.now():%d %b}"


def _conclude(box: Sandbox, folder: Path, told: dict[str, Any], watch: LeakWatch, console: Console) -> int:
    document = told["document"]
    books = box.books()
    names = {ad_set: name for name, ad_set in box.ad_sets.items()}
    truths: dict[str, float | None] = {}
    with open_session() as session:
        watermark = seconds(datetime.fromisoformat(document["watermark"]))
        for each in experiments_of(session.programme):
            found = next(row for row in document["experiments"] if row["name"] == each.name)
            if found["money"] and found["money"]["spend"]:
                revenue = true_incremental_revenue(session.engine, each, books, names, watermark)
                truths[each.name] = revenue / found["money"]["spend"]
    show(console, document, truths)
    result = {
        "leaked": watch.total,
        "leaked_by_audience": watch.leaked,
        "true_iroas": truths,
        "document": document,
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1))
    console.print(f"\nReport: {told['page']}")
    console.print(
        f"Held-out people who ever stood in a list that Criteo advertises from, by the sandbox's own books "
        f"({watch.looks} looks): {watch.total}"
    )
    if watch.total:
        console.print("[bold red]That must never happen: the demo has failed.[/]")
    return 1 if watch.total else 0
