"""Two brands on one Prefect server, one pool and one database: each one's runs see that brand and nothing else."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from postgres import fresh_database
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import PrefectServer
from sqlalchemy import func, select
from work_pool import ROOT, Pool, pool_of, server_on_postgres

from experiments.database import connect, reading
from experiments.schema import entrants, holdout_changes, owners, phases
from flows.brands import deployments_of, main
from sandbox.world import Sandbox, Switches

pytestmark = [pytest.mark.server, pytest.mark.postgres, pytest.mark.timeout(600)]

FREE = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
SEGMENTS = {"acme": "browse-no-cart", "zeta": "lapsed"}
"""Both call their audience `visitors`, and only acme has `vips` as well."""
EVERYONE = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))


def programme(box: Sandbox, brand: str) -> str:
    visitors = {"name": "visitors", "segment": box.segment_ids[SEGMENTS[brand]], "holdout": "20%"}
    vips = {"name": "vips", "segment": box.segment_ids["vip"], "holdout": "5%"}
    audiences = [visitors, vips] if brand == "acme" else [visitors]
    return yaml.safe_dump(
        {"advertiser": box.advertiser_id, "currency": "EUR", "margin": "45%", "audiences": audiences}
    )


def may_be_advertised_to(box: Sandbox, brand: str) -> frozenset[bytes]:
    def bucket(unit: bytes) -> int:
        return int(hashlib.sha256(f"holdout:v1:visitors:s0|{unit.hex()}".encode()).hexdigest()[:8], 16)

    return frozenset(
        unit for unit in box.members(SEGMENTS[brand]) if bucket(unit) >= 200_000 * 2**32 // 10**6
    )


@dataclass
class Agency:
    """Two shops, their ledgers as two schemas of one database, and one pool that works for both."""

    pool: Pool
    boxes: dict[str, Sandbox]
    ledgers: dict[str, str]
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    people_at_first: dict[str, int] = field(default_factory=dict)

    def run(self, name: str, deployment: str, **parameters: Any) -> None:
        self.runs[name] = self.pool.wait(self.pool.start(deployment, **parameters), 180)

    def count(self, brand: str, table: Any) -> int:
        engine = connect(self.ledgers[brand])
        with reading(engine) as connection:
            found = connection.scalar(select(func.count()).select_from(table)) or 0
        engine.dispose()
        return found

    def save(self, **secrets: str) -> None:
        with temporary_settings({PREFECT_API_URL: self.pool.server.url}):
            for name, value in secrets.items():
                Secret(value=value).save(name.replace("_", "-"), overwrite=True)


@pytest.fixture(scope="module")
def agency(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    folder = tmp_path_factory.mktemp("agency")
    with ExitStack() as stack:
        server = stack.enter_context(server_on_postgres(postgres_server, folder / "prefect"))
        database = stack.enter_context(fresh_database(postgres_server))
        boxes = {
            brand: stack.enter_context(
                Sandbox.start(
                    profiles=1_500,
                    seed=seed,
                    start=datetime(2026, 9, 7, tzinfo=UTC),
                    orders_path=folder / f"{brand}.sqlite",
                    switches=FREE,
                )
            )
            for seed, brand in enumerate(SEGMENTS)
        }
        ledgers = {brand: f"{database}?options=-csearch_path%3D{brand}" for brand in boxes}
        with psycopg.connect(database, autocommit=True) as connection:
            for brand in boxes:
                connection.execute(f"CREATE SCHEMA {brand}")
        entries = []
        for brand, box in boxes.items():
            (folder / f"{brand}.yaml").write_text(programme(box, brand))
            addresses = {"customerio_base_url": box.customerio_url, "criteo_base_url": box.criteo_url}
            report = str(folder / "report" / brand)
            entries.append(
                {"name": brand, "audiences": f"{brand}.yaml", "report_folder": report, **addresses}
            )
        (folder / "brands.yaml").write_text(yaml.safe_dump({"brands": entries}))
        environment = {
            **server.environment(),
            "HOLDOUTS_BRANDS": str(folder / "brands.yaml"),
            # What a machine says for everybody counts for no brand.
            "HOLDOUTS_AUDIENCES": str(folder / "nobody.yaml"),
            "HOLDOUTS_DATABASE_URL": f"sqlite:///{folder / 'nobody.sqlite'}",
            "CUSTOMERIO_APP_KEY": "nobody",
            "CRITEO_CLIENT_SECRET": "nobody",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
        }
        pool = stack.enter_context(pool_of(server, environment, 2, folder, ("flows.brands",)))
        told = Agency(pool, boxes, ledgers)
        for brand, box in boxes.items():
            told.save(**{f"{brand}_{name}": value for name, value in _secrets(box, ledgers[brand]).items()})
        _live_through(told)
        yield told
        assert not (folder / "nobody.sqlite").exists()


def _secrets(box: Sandbox, ledger: str) -> dict[str, str]:
    return {
        "holdouts_database_url": ledger,
        "customerio_app_key": box.app_key,
        "criteo_client_id": box.client_id,
        "criteo_client_secret": box.client_secret,
    }


def _live_through(told: Agency) -> None:
    first = told.pool.start("sync-audiences/acme")
    second = told.pool.start("sync-audiences/zeta", by_group=True)
    told.runs["acme's sync"], told.runs["zeta's sync"] = (
        told.pool.wait(first, 180),
        told.pool.wait(second, 180),
    )
    told.people_at_first = {brand: told.count(brand, entrants) for brand in told.boxes}
    told.run(
        "zeta's change", "adjust-holdout/zeta", audience="visitors", percent=30, reason="sooner", who="Mia"
    )
    told.save(zeta_holdouts_database_url=told.ledgers["acme"])
    told.run("zeta on acme's ledger", "sync-audiences/zeta")
    told.save(
        zeta_holdouts_database_url=told.ledgers["zeta"], zeta_customerio_app_key=told.boxes["acme"].app_key
    )
    told.run("zeta with acme's key", "sync-audiences/zeta")


def advertised_to(agency: Agency, brand: str) -> frozenset[bytes]:
    """By the brand's own ledger."""
    wanted = select(entrants.c.unit).join(phases).where(entrants.c.arm == 0, phases.c.audience == "visitors")
    engine = connect(agency.ledgers[brand])
    with reading(engine) as connection:
        units = frozenset(bytes(unit) for unit in connection.scalars(wanted))
    engine.dispose()
    assert units
    return units


def state(agency: Agency, run: str) -> tuple[str, str]:
    found = agency.runs[run]["state"]
    return found["type"], found["message"] or ""


def test_every_flow_is_deployed_for_each_brand_with_its_own_reports_and_tag(agency: Agency) -> None:
    found = agency.pool.server.post("/deployments/filter", {"limit": 100})
    names = [each["name"] for each in found]
    assert {name: names.count(name) for name in set(names)} == dict.fromkeys(
        SEGMENTS, len(EVERYONE["deployments"])
    )
    assert all(f"brand-{each['name']}" in each["tags"] for each in found)
    reports = {each["parameters"]["report_folder"] for each in found if "report_folder" in each["parameters"]}
    assert {Path(each).name for each in reports} == set(SEGMENTS)


@pytest.mark.parametrize("brand", SEGMENTS)
def test_each_brand_s_people_are_on_that_brand_s_list_alone(agency: Agency, brand: str) -> None:
    assert state(agency, f"{brand}'s sync")[0] == "COMPLETED", state(agency, f"{brand}'s sync")
    box = agency.boxes[brand]
    assert box.books().now_on("visitors") == advertised_to(agency, brand)
    assert advertised_to(agency, brand) <= may_be_advertised_to(box, brand)
    assert ("vips" in box.books().list_names()) == (brand == "acme")
    engine = connect(agency.ledgers[brand])
    with reading(engine) as connection:
        assert connection.execute(select(owners.c.brand, owners.c.advertiser)).all() == [
            (brand, box.advertiser_id)
        ]
    engine.dispose()


def test_a_brand_s_groups_are_synced_by_its_own_deployment(agency: Agency) -> None:
    (group,) = agency.pool.runs_of("sync-group")
    zeta = agency.pool.server.get("/deployments/name/sync-group/zeta")
    assert (group["deployment_id"], group["parameters"]["group"]) == (zeta["id"], "visitors")


def test_a_form_offers_the_brand_s_audiences_and_the_server_takes_no_other(agency: Agency) -> None:
    server = agency.pool.server
    forms = {brand: server.get(f"/deployments/name/adjust-holdout/{brand}") for brand in SEGMENTS}
    offered = {
        brand: form["parameter_openapi_schema"]["properties"]["audience"]["enum"]
        for brand, form in forms.items()
    }
    assert offered == {"acme": ["vips", "visitors", "universal"], "zeta": ["visitors", "universal"]}
    asked = {"parameters": {"audience": "vips", "percent": 50, "reason": "not mine"}}
    answer = httpx.post(
        f"{server.url}/deployments/{forms['zeta']['id']}/create_flow_run", json=asked, timeout=30
    )
    assert answer.status_code == 409


def test_a_change_of_one_brand_s_holdout_is_in_no_other_s_log(agency: Agency) -> None:
    assert state(agency, "zeta's change")[0] == "COMPLETED", state(agency, "zeta's change")
    log = {}
    for brand, ledger in agency.ledgers.items():
        engine = connect(ledger)
        with reading(engine) as connection:
            log[brand] = list(connection.scalars(select(holdout_changes.c.who)))
        engine.dispose()
    assert [brand for brand, who in log.items() if "Mia" in who] == ["zeta"]


def test_a_ledger_of_another_brand_is_refused_and_stays_as_it_is(agency: Agency) -> None:
    kind, message = state(agency, "zeta on acme's ledger")
    assert kind == "FAILED"
    assert "this ledger belongs to the brand acme" in message
    assert {brand: agency.count(brand, entrants) for brand in SEGMENTS} == agency.people_at_first


def test_another_workspace_s_key_opens_nothing(agency: Agency) -> None:
    kind, message = state(agency, "zeta with acme's key")
    assert (kind, "Customer.io" in message) == ("FAILED", True)
    # What stands on the list is what stood there: the wrong workspace moved nobody.
    assert agency.boxes["zeta"].books().now_on("visitors") == advertised_to(agency, "zeta")


def test_each_brand_has_limits_of_its_own(agency: Agency) -> None:
    found = agency.pool.server.post("/v2/concurrency_limits/filter", {})
    names = ("customerio", "customerio-track", "criteo", "criteo-reports")
    assert {each["name"] for each in found} >= {f"{brand}-{name}" for brand in SEGMENTS for name in names}


def test_artifacts_are_kept_under_the_brand(agency: Agency) -> None:
    run = agency.runs["acme's sync"]["id"]
    assert "holdouts-acme-sync" in agency.pool.server.artifacts(run)


@pytest.mark.parametrize(
    ("names", "text", "reason"),
    [
        (["omega"], None, "has no brand 'omega'; it has acme, zeta"),
        ([], "brands:\n  - {name: acme, audiences: acme.yaml}\n  - {name: zeta, audiences: acme.yaml}\n", "line 3: audiences"),
        ([], "brands:\n  - {name: acme, audiences: gone.yaml}\n", "gone.yaml does not exist"),
    ],
)  # fmt: skip
def test_a_wrong_file_or_name_deploys_nobody(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    names: list[str],
    text: str | None,
    reason: str,
) -> None:
    two = "brands:\n  - {name: acme, audiences: acme.yaml}\n  - {name: zeta, audiences: zeta.yaml}\n"
    (tmp_path / "brands.yaml").write_text(text or two)
    for number, brand in enumerate(SEGMENTS):
        (tmp_path / f"{brand}.yaml").write_text(
            f'advertiser: "{number + 1}"\ncurrency: EUR\nmargin: 45%\naudiences: [{{name: a, segment: 1}}]\n'
        )
    monkeypatch.setenv("HOLDOUTS_BRANDS", str(tmp_path / "brands.yaml"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert main(names) == 2
    said = capsys.readouterr()
    assert (said.out, reason in said.err) == ("", True), said.err


def test_where_prefect_refuses_the_brand_and_its_words_are_told(
    tmp_path: Path,
    in_process: PrefectServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.yaml").write_text(
        'advertiser: "1"\ncurrency: EUR\nmargin: 45%\naudiences: [{name: a, segment: 1}]\n'
    )
    (tmp_path / "brands.yaml").write_text(
        "brands:\n  - {name: acme, audiences: a.yaml, work_pool: nowhere}\n"
    )
    monkeypatch.setenv("HOLDOUTS_BRANDS", str(tmp_path / "brands.yaml"))
    assert main([]) == 2
    said = capsys.readouterr().err
    assert "acme could not be deployed; Prefect said:" in said
    assert "nowhere" in said


def test_what_prefect_yaml_says_of_a_deployment_holds_for_the_brand_s(tmp_path: Path) -> None:
    from experiments.brands import Brand

    everyone = {
        "definitions": {"x": 1},
        "deployments": [
            {"name": "measure-lift", "tags": ["holdouts"], "parameters": {"report_folder": "r", "report_url": "", "x": 1},
             "work_pool": {"name": "p", "work_queue_name": "q", "job_variables": {"image": "i", "env": {"A": "b"}}}},
            {"name": "sync-audiences", "work_pool": {"name": "p"}, "schedules": [1]},
        ],
    }  # fmt: skip
    brand = Brand("acme", tmp_path / "a", "acme", None, None, "/r", "https://r", "big")
    first, second = deployments_of(brand, tmp_path / "brands.yaml", everyone)["deployments"]
    environment = {
        "HOLDOUTS_BRAND": "acme",
        "HOLDOUTS_BRANDS": str(tmp_path / "brands.yaml"),
        "HOLDOUTS_AUDIENCES": "",
    }
    assert first == {
        "name": "acme",
        "tags": ["holdouts", "brand-acme"],
        "parameters": {"report_folder": "/r", "report_url": "https://r", "x": 1},
        "work_pool": {"name": "big", "work_queue_name": "q",
                      "job_variables": {"image": "i", "env": {"A": "b", **environment}}},
    }  # fmt: skip
    assert second["schedules"] == [1]
    assert second["parameters"] == {}
