from datetime import UTC, datetime
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml
from cronsim import CronSim
from prefect import Flow
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

ROOT = Path(__file__).parents[2]
PREFECT_YAML = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
DEPLOYMENTS: list[dict[str, Any]] = PREFECT_YAML["deployments"]
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)

each_deployment = pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda each: each["name"])


def flow_of(deployment: dict[str, Any]) -> Flow[..., Any]:
    return load_flow_from_entrypoint(deployment["entrypoint"])


def named(name: str) -> dict[str, Any]:
    return next(each for each in DEPLOYMENTS if each["name"] == name)


def test_every_flow_of_the_product_is_deployed() -> None:
    modules = {path.stem for path in (ROOT / "flows").glob("*.py") if "@flow(" in path.read_text("utf-8")}
    assert {each["entrypoint"].split(".")[1] for each in DEPLOYMENTS} == modules


@each_deployment
def test_a_deployment_has_the_name_of_its_flow(deployment: dict[str, Any]) -> None:
    assert flow_of(deployment).name == deployment["name"]


@each_deployment
def test_a_deployment_s_parameters_are_parameters_of_its_flow(deployment: dict[str, Any]) -> None:
    assert set(deployment.get("parameters", {})) <= set(signature(flow_of(deployment).fn).parameters)


@each_deployment
def test_a_deployment_s_parameters_are_values_that_its_flow_takes(deployment: dict[str, Any]) -> None:
    flow = flow_of(deployment)
    required = parameter_schema(flow).required or []
    if not required:
        flow.validate_parameters(deployment.get("parameters", {}))
    else:
        assert not deployment.get("schedules"), "nobody would fill the form in"


@each_deployment
def test_a_deployment_goes_to_the_one_work_pool_and_says_what_happens_at_a_collision(
    deployment: dict[str, Any],
) -> None:
    assert deployment["work_pool"] == {"name": "holdouts"}
    assert deployment["description"]
    if deployment["name"] == "sync-group":
        return
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_limit"]["collision_strategy"] in ("CANCEL_NEW", "ENQUEUE")
    assert "holdouts" in deployment["tags"]


def test_the_runs_of_groups_go_side_by_side_and_only_their_sync_is_told_about() -> None:
    assert "concurrency_limit" not in named("sync-group")
    assert "holdouts" not in named("sync-group")["tags"]


@each_deployment
def test_a_form_is_never_cancelled_because_another_runs(deployment: dict[str, Any]) -> None:
    if "form" in deployment["tags"]:
        assert deployment["concurrency_limit"]["collision_strategy"] == "ENQUEUE"


@each_deployment
def test_every_parameter_is_explained_in_its_form(deployment: dict[str, Any]) -> None:
    fields = parameter_schema(flow_of(deployment)).properties
    assert all(field.get("description") for field in fields.values())


def test_orders_and_spend_are_loaded_before_the_report_of_monday() -> None:
    report = _next_run("measure-lift")
    assert report.weekday() == 0
    assert MONDAY < _next_run("load-orders") < report
    assert MONDAY < _next_run("load-spend") < report


def test_lists_are_synced_every_four_hours() -> None:
    runs = CronSim(named("sync-audiences")["schedules"][0]["cron"], MONDAY)
    first, second = next(runs), next(runs)
    assert (second - first).total_seconds() == 4 * 3600


def _next_run(name: str) -> datetime:
    (schedule,) = named(name)["schedules"]
    assert schedule["timezone"] == "UTC"
    found: datetime = next(CronSim(schedule["cron"], MONDAY))
    return found
