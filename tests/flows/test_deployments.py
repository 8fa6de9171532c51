"""Everything deployed on a real Prefect server, run by a real worker against the sandbox, read through REST."""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml
from chromium import chromium
from notices import BLOCK, Notice, receiving, wait_for
from postgres import binaries, cluster, fresh_database
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import PrefectServer
from sqlalchemy import text

from experiments.database import connect, reading
from flows.local_server import child
from sandbox.world import Sandbox, Switches

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
NAMES = [each["name"] for each in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]]
FREE = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
PATIENCE = 90.0
OVER = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def programme(box: Sandbox, segment: str) -> str:
    """The audiences file, with the people of `segment` in the audience `browsing`."""
    orders = {
        "url": f"sqlite:///{box.orders_path.resolve()}",
        "query": "select order_id, email, ordered_at, revenue from orders where ordered_at >= :since and ordered_at < :until",
    }
    browsing = {
        "name": "browsing",
        "segment": box.segment_ids[segment],
        "holdout": "10%",
        "ad_sets": [box.ad_sets["browse-no-cart"]],
        "exclude": ["recent-purchasers"],
    }
    recent = {
        "name": "recent-purchasers",
        "segment": box.segment_ids["recent-purchasers"],
        "role": "exclude",
        "bounds": {"shrink": "95%"},
    }
    return yaml.safe_dump(
        {
            "advertiser": box.advertiser_id,
            "currency": "EUR",
            "margin": "45%",
            "orders": orders,
            "groups": {"browsing": {"write_back": "attribute"}},
            "audiences": [browsing, recent],
        }
    )


@dataclass
class Team:
    """A data engineer with a shell, and a marketer with forms."""

    server: PrefectServer
    environment: dict[str, str]
    deployments: dict[str, str]

    def shell(self, *module: str) -> str:
        command = [sys.executable, "-m", *module]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{module}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, name: str, **parameters: Any) -> str:
        asked = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        run: str = self.server.post(f"/deployments/{self.deployments[name]}/create_flow_run", asked)["id"]
        return run

    def wait(self, *runs: str) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            wanted = {"flow_runs": {"id": {"any_": list(runs)}}}
            found = {each["id"]: each for each in self.server.post("/flow_runs/filter", wanted)}
            if all(found[run]["state"]["type"] in OVER for run in runs):
                return [found[run] for run in runs]
            time.sleep(0.2)
        raise AssertionError(f"not over after {PATIENCE:.0f} s: {[each['state'] for each in found.values()]}")

    def run(self, name: str, **parameters: Any) -> dict[str, Any]:
        (run,) = self.wait(self.start(name, **parameters))
        return run


@dataclass
class Story:
    """What happened, as the server tells it."""

    team: Team
    box: Sandbox
    ledger: str
    reports: Path
    posted: list[Notice]
    runs: dict[str, dict[str, Any]]

    def artifacts(self, run: str) -> dict[str, Any]:
        return self.team.server.artifacts(self.runs[run]["id"])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        engine = connect(self.ledger)
        with reading(engine) as connection:
            found = [tuple(row) for row in connection.execute(text(query))]
        engine.dispose()
        return found


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """PostgreSQL, as in production; SQLite on a machine that has none and is not CI."""
    if binaries() is None and os.environ.get("CI") != "true":
        yield f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'holdouts.sqlite'}"
        return
    with cluster() as postgres, fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def story(server: PrefectServer, ledger: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Two weeks of a small shop, a holdout that is raised, and a segment that shrinks and is approved."""
    folder = tmp_path_factory.mktemp("deployed")
    audiences, reports = folder / "audiences.yaml", folder / "report"
    begin = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=14)
    with ExitStack() as stack:
        posted = stack.enter_context(receiving(server))
        box = stack.enter_context(
            Sandbox.start(profiles=3_000, start=begin, orders_path=folder / "shop.sqlite", switches=FREE)
        )
        audiences.write_text(programme(box, "browse-no-cart"))
        environment = {
            **server.environment(),
            "HOLDOUTS_AUDIENCES": str(audiences),
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CUSTOMERIO_TRACK_BASE_URL": box.customerio_url,
            "CRITEO_BASE_URL": box.criteo_url,
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        team = Team(server, environment, {})
        _save_secrets(server, box, ledger)
        _deploy(team)
        stack.enter_context(child(_WORKER, environment, folder / "worker.log"))
        told = Story(team, box, ledger, reports, posted, {})
        _live_through(told, audiences)
        yield told


_WORKER = ["prefect", "worker", "start", "--pool", "holdouts", "--install-policy", "never"]


def _save_secrets(server: PrefectServer, box: Sandbox, ledger: str) -> None:
    secrets = {
        "holdouts-database-url": ledger,
        "customerio-app-key": box.app_key,
        "customerio-track-site-id": box.track_site_id,
        "customerio-track-api-key": box.track_api_key,
        "criteo-client-id": box.client_id,
        "criteo-client-secret": box.client_secret,
    }
    with temporary_settings({PREFECT_API_URL: server.url}):
        for name, value in secrets.items():
            Secret(value=value).save(name, overwrite=True)


def _deploy(team: Team) -> None:
    team.shell("prefect", "work-pool", "create", "holdouts", "--type", "process")
    team.shell("prefect", "deploy", "--all", "--no-prompt")
    team.shell("flows.automations", BLOCK)
    for name in NAMES:
        found = team.server.get(f"/deployments/name/{name}/{name}")
        team.deployments[name] = found["id"]
    # Only what the test asks for runs, whatever the time of day.
    team.shell("prefect", "deployment", "schedule", "pause", "--all")


def _live_through(told: Story, audiences: Path) -> None:
    team, runs, box = told.team, told.runs, told.box
    runs["first sync"] = team.run("sync-audiences")
    box.advance(24 * 14)
    started = {
        "dry run": team.start("sync-audiences", dry_run=True),
        "playbook": team.start("check-playbook"),
        "orders": team.start("load-orders"),
        "spend": team.start("load-spend"),
        "raise": team.start(
            "adjust-holdout", audience="browsing", percent=20, reason="decide sooner", who="Mia"
        ),
    }
    runs.update(zip(started, team.wait(*started.values()), strict=True))
    served = "https://reports.example.com"
    measured = team.start("measure-lift", report_folder=str(told.reports), report_url=served)
    synced, planned = team.start("sync-audiences"), team.start("plan-holdouts")
    runs["report"], runs["second sync"], runs["plan"] = team.wait(measured, synced, planned)
    audiences.write_text(programme(box, "vip"))
    runs["refused"] = team.run("sync-audiences")
    runs["approval"] = team.run("approve-plan", **_filled_in(told), reason="the segment is right", who="Jo")
    runs["approved sync"] = team.run("sync-audiences")
    reconciled, proven = team.start("reconcile-lists"), team.start("audit-pipeline", draws=20)
    runs["lists"], runs["pipeline"] = team.wait(reconciled, proven)


def _filled_in(told: Story) -> dict[str, Any]:
    """The parameters of the form behind the link of the plan artifact, but for the reason."""
    link = re.search(r"\]\((http\S+)\)", told.artifacts("refused")["holdouts-plan-browsing"]["data"])
    assert link
    address = urlsplit(link[1])
    assert address.path == f"/deployments/deployment/{told.team.deployments['approve-plan']}/run"
    parameters: dict[str, Any] = json.loads(parse_qs(address.query)["parameters"][0])
    assert parameters.pop("reason") == ""
    return parameters


def test_every_deployment_but_the_refused_sync_completes(story: Story) -> None:
    failed = {
        name: run["state"]["message"]
        for name, run in story.runs.items()
        if run["state"]["type"] != "COMPLETED"
    }
    assert list(failed) == ["refused"], failed


def test_a_run_is_named_after_its_flow_and_its_time_in_utc(story: Story) -> None:
    minute = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}"
    assert re.fullmatch(rf"sync-audiences · {minute}", story.runs["first sync"]["name"])
    assert re.fullmatch(rf"sync-audiences \(dry run\) · {minute}", story.runs["dry run"]["name"])
    assert re.fullmatch(rf"measure-lift · {minute}", story.runs["report"]["name"])
    assert story.runs["raise"]["name"] == "adjust-holdout · browsing · 20 %"


def test_a_dry_run_shows_what_would_move_and_writes_nothing(story: Story) -> None:
    table = json.loads(story.artifacts("dry run")["holdouts-dry-run"]["data"])
    assert next(row["adds"] for row in table if row["list"] == "browsing") > 0
    assert story.rows("select count(*) from syncs where audience = 'browsing'") == [(4,)]


def test_a_sync_shows_what_moved(story: Story) -> None:
    table = json.loads(story.artifacts("first sync")["holdouts-sync"]["data"])
    browsing = next(row for row in table if row["list"] == "browsing")
    assert browsing["entrants"] > browsing["adds"] > 0 < browsing["held out"]


def test_customer_io_is_told_who_is_held_out_and_the_run_shows_it(story: Story) -> None:
    (first,) = json.loads(story.artifacts("first sync")["holdouts-write-back"]["data"])
    assert first["marked"] == first["held out"] > 0 == first["unmarked"]
    assert (first["where"], first["not taken"]) == ("criteo_holdout_browsing", "")
    assert "holdouts-write-back" not in story.artifacts("dry run")
    assert "holdouts-write-back" not in story.artifacts("refused")


def test_a_holdout_from_the_form_is_in_force_from_the_next_sync_on(story: Story) -> None:
    log = story.rows("select to_ppm, route, who from holdout_changes where audience = 'browsing' order by id")
    assert log == [(100_000, "file", "audiences.yaml"), (200_000, "form", "Mia")]
    assert story.rows("select ppm from phases where audience = 'browsing' order by number") == [
        (100_000,),
        (200_000,),
    ]


def test_the_report_stands_in_its_folder_and_is_linked_from_its_run(story: Story) -> None:
    (page,) = story.reports.glob("*/index.html")
    shown = story.artifacts("report")
    assert f"https://reports.example.com/{page.parent.name}/index.html" in shown["holdouts-report"]["data"]
    assert "browsing" in shown["holdouts-lift"]["data"]


@pytest.mark.browser
def test_the_report_is_read_in_a_browser_and_says_what_the_ledger_knows(story: Story) -> None:
    (file,) = story.reports.glob("*/index.html")
    told = json.loads(file.with_name("report.json").read_text("utf-8"))
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(file.as_uri())
        assert "Break-even is 2.2." in page.locator("h1").inner_text()
        assert page.locator("table.first tbody th").all_inner_texts() == ["browsing"]
        phases = page.get_by_role("region", name="Entrants by phase of browsing")
        held = story.rows(
            "select count(*) from entrants e join phases p on p.id = e.phase_id where e.arm = 1 and p.ppm = 100000"
        )
        assert phases.locator("tbody tr").first.locator("data").last.get_attribute("value") == str(held[0][0])
        assert "Nobody who is held out stands on a list" in page.locator("#firewall").inner_text()
        assert told["firewall"]["checked_at"] is not None
        page.get_by_role("link", name="All weeks").click()
        assert page.locator("h1").inner_text()
        assert page.get_by_role("link", name=re.compile(r"\d{4}$")).count() == 1
        assert said == []


def test_every_scheduled_flow_has_run(story: Story) -> None:
    scheduled = {
        each["name"]
        for each in yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
        if each.get("schedules")
    }
    ran = {
        name
        for name, key in story.team.deployments.items()
        for run in story.runs.values()
        if run["deployment_id"] == key
    }
    assert scheduled <= ran


def test_a_refused_run_fails_with_the_refusal_s_sentence(story: Story) -> None:
    state = story.runs["refused"]["state"]
    assert (state["type"], state["name"]) == ("FAILED", "Failed")
    assert re.search(
        r"browsing \(plan [0-9a-f]{16}\): the segment shrank from [\d,]+ to [\d,]+", state["message"]
    )


def test_a_refused_plan_is_approved_from_the_form_and_applied_once(story: Story) -> None:
    outcomes = story.rows("select outcome, plan from syncs where audience = 'browsing' order by id")
    assert [outcome for outcome, _ in outcomes] == ["applied", "applied", "refused", "applied"]
    assert outcomes[2][1] == outcomes[3][1]
    assert story.rows("select who, reason, used_at is not null from approvals") == [
        ("Jo", "the segment is right", 1)
    ]


def test_a_refusal_is_told_to_people_with_the_way_to_approve_it(story: Story) -> None:
    def refusals() -> list[Notice]:
        return [each for each in story.posted if each["subject"] == "browsing: the sync was refused"]

    wait_for(lambda: bool(refusals()))
    (notice,) = refusals()
    assert "the segment shrank" in notice["body"]
    assert story.team.deployments["approve-plan"] in notice["body"]


def test_no_failure_and_no_leak_is_told(story: Story) -> None:
    alarms = ("failed", "crashed", "may be advertised to")
    assert not [each for each in story.posted if any(word in each["subject"] for word in alarms)]


def test_running_the_automations_again_makes_no_second_ones(story: Story) -> None:
    before = story.team.server.post("/automations/count")
    story.team.shell("flows.automations", BLOCK)
    assert story.team.server.post("/automations/count") == before


@pytest.mark.parametrize(
    "filled_in",
    [
        {"audience": "browsing", "percent": 80, "reason": "more"},
        {"audience": "nobody", "percent": 10, "reason": "more"},
        {"audience": "browsing", "percent": 10, "reason": ""},
    ],
    ids=["a percentage out of bounds", "an unknown audience", "no reason"],
)
def test_a_form_that_is_filled_in_wrongly_starts_no_run(story: Story, filled_in: dict[str, Any]) -> None:
    path = f"{story.team.server.url}/deployments/{story.team.deployments['adjust-holdout']}/create_flow_run"
    assert httpx.post(path, json={"parameters": filled_in}).status_code == httpx.codes.CONFLICT


def test_nothing_of_a_person_or_a_secret_is_in_prefect_s_database(story: Story) -> None:
    """Parameters, states, logs, artifacts, events, task inputs: the whole file, and its journal."""
    files = [each for each in story.team.server.home.iterdir() if each.name.startswith("prefect.db")]
    stored = b"".join(each.read_bytes() for each in files)
    with sqlite3.connect(story.box.orders_path) as shop:
        buyers = [row[0] for row in shop.execute("select distinct email from orders where email is not null")]
    units = [bytes(row[0]) for row in story.rows("select unit from entrants")]
    box = story.box
    secrets = [box.app_key, box.track_site_id, box.track_api_key, box.client_id, box.client_secret]
    assert buyers
    assert units
    told = [
        *(each.encode() for each in (*buyers, *secrets)),
        *units,
        *(unit.hex().encode() for unit in units),
    ]
    assert sum(each in stored for each in told) == 0
