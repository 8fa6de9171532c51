import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import parameter_schema

from flows.adjust_holdout import adjust_holdout
from flows.approve_plan import approve_plan
from flows.load_orders import load_orders_flow
from flows.measure_lift import measure_lift
from flows.sync_audiences import sync_audiences

PROGRAMME = """
advertiser: "12345"
currency: EUR
margin: 45%
audiences:
  - {name: lapsed, segment: 7, holdout: 10%}
  - {name: browsing, segment: 8, holdout: 10%}
  - {name: recent-purchasers, segment: 12, role: exclude}
"""


@pytest.fixture(autouse=True)
def audiences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "audiences.yaml"
    path.write_text(PROGRAMME)
    monkeypatch.setenv("HOLDOUTS_AUDIENCES", str(path))
    return path


def field(flow: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = parameter_schema(flow).properties[name]
    return found


def test_a_holdout_is_adjusted_for_an_include_audience_or_universally() -> None:
    assert field(adjust_holdout, "audience")["enum"] == ["browsing", "lapsed", "universal"]
    assert field(adjust_holdout, "audience")["type"] == "string"


def test_a_plan_is_approved_for_any_audience() -> None:
    assert field(approve_plan, "audience")["enum"] == ["lapsed", "browsing", "recent-purchasers"]


def test_without_a_readable_file_the_audience_is_plain_text(audiences: Path) -> None:
    audiences.unlink()
    assert "enum" not in field(adjust_holdout, "audience")


def test_a_file_with_a_mistake_breaks_no_form(audiences: Path) -> None:
    audiences.write_text("audiences: [")
    assert "enum" not in field(adjust_holdout, "audience")


def test_settings_with_a_mistake_break_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDOUTS_RATE_LIMITS", "perhaps")
    assert "enum" not in field(adjust_holdout, "audience")


def test_a_flow_can_be_imported_where_no_file_is(tmp_path: Path) -> None:
    imported = [sys.executable, "-c", "import flows.adjust_holdout, flows.approve_plan"]
    subprocess.run(imported, cwd=tmp_path, check=True, timeout=60)


def test_a_percentage_lies_between_0_and_50() -> None:
    percent = field(adjust_holdout, "percent")
    assert (percent["minimum"], percent["maximum"], percent["type"]) == (0, 50, "number")
    with pytest.raises(ParameterTypeError):
        adjust_holdout.validate_parameters({"audience": "lapsed", "percent": 50.5, "reason": "test"})


def test_a_reason_is_required_and_has_a_few_letters() -> None:
    for flow in (adjust_holdout, approve_plan):
        assert "reason" in (parameter_schema(flow).required or [])
        assert field(flow, "reason")["minLength"] == 3


def test_a_plan_is_named_by_its_sixteen_digits() -> None:
    parameters = {"audience": "lapsed", "reason": "it is right"}
    approve_plan.validate_parameters({**parameters, "plan": "0123456789abcdef"})
    with pytest.raises(ParameterTypeError):
        approve_plan.validate_parameters({**parameters, "plan": "0123456789ABCDEF"})


def test_a_sync_can_be_rehearsed_with_a_switch() -> None:
    rehearsal = field(sync_audiences, "dry_run")
    assert (rehearsal["type"], rehearsal["default"]) == ("boolean", False)


@pytest.mark.parametrize(
    ("flow", "name", "kind"), [(measure_lift, "now", "date-time"), (load_orders_flow, "since", "date")]
)
def test_a_time_is_picked_from_a_calendar_and_may_stay_empty(flow: Any, name: str, kind: str) -> None:
    assert field(flow, name)["anyOf"] == [{"type": "string", "format": kind}, {"type": "null"}]
    assert field(flow, name).get("default") is None
