import re
from pathlib import Path

import yaml

from experiments.settings import Settings
from sync.limits import SHARED_RATES

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def test_the_document_names_every_deployment() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert [each["name"] for each in deployments if f"`{each['name']}`" not in DOCUMENT] == []


def test_the_document_names_every_event_of_an_automation() -> None:
    automations = yaml.safe_load((ROOT / "flows" / "automations.yaml").read_text(encoding="utf-8"))
    events = [event for each in automations for event in each["trigger"]["expect"] if "holdouts." in event]
    assert [event for event in events if f"`{event}`" not in DOCUMENT] == []


def test_the_shared_limits_are_those_that_the_clients_keep() -> None:
    written = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| ([\d.]+) \|$", DOCUMENT, re.MULTILINE)
    assert {name: (int(burst), float(pace)) for name, burst, pace in written} == {
        name: (rate.burst, rate.per_second) for name, rate in SHARED_RATES.items()
    }


def test_the_variables_are_ones_that_the_product_reads() -> None:
    named = set(re.findall(r"\b((?:HOLDOUTS|CUSTOMERIO|CRITEO)_[A-Z_]+)\b", DOCUMENT))
    assert named <= {name.upper() for name in Settings.model_fields}
