"""Criteo's published contract: every request that we can send is one that it allows."""

import hashlib
import json
import re
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30WriteValidator
from pydantic import SecretStr

from experiments.digests import DigestSet
from experiments.errors import HoldoutsError
from sync.algebra import And, In, Not, Or
from sync.criteo import Criteo
from sync.limits import Unlimited

SPECIFICATION = Path(__file__).parents[2].parent / "shared" / "reference" / "criteo-openapi-2026-07.json"
DIGESTS = DigestSet.of(hashlib.sha256(f"p{n}@example.com".encode()).digest() for n in range(4))
ALGEBRA = And((Or((In("1"), In("2"))), Not(In("3"))))

pytestmark = pytest.mark.skipif(
    not SPECIFICATION.exists(), reason="Criteo's OpenAPI file is not on this machine"
)


def every_request() -> list[httpx.Request]:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 900})
        sent.append(request)
        return httpx.Response(200, json={"data": [], "errors": [], "warnings": []})

    criteo = Criteo(
        "https://api.criteo.test",
        "client",
        SecretStr("secret"),
        Unlimited(),
        Unlimited(),
        transport=httpx.MockTransport(handle),
    )
    week = (date(2026, 11, 1), date(2026, 11, 8))
    acts = (
        criteo.advertisers,
        criteo.application,
        lambda: list(criteo.segments("12345")),
        lambda: criteo.contact_list("777"),
        lambda: criteo.find_or_create_list("12345", "cart", "d"),
        lambda: criteo.amend("777", "add", DIGESTS),
        lambda: criteo.amend("777", "remove", DIGESTS),
        lambda: criteo.amend_encoded("777", "add", ["ada@example.com"]),
        lambda: criteo.amend_encoded("777", "add", ["6d92078a-8246-4ba4-ae5b-76104861e7dc"], "madid"),
        lambda: criteo.amend_encoded("777", "remove", ["XY1000bPS7"], "identityLink"),
        lambda: criteo.amend_encoded("777", "add", ["k-abc"], "gum", 42),
        lambda: criteo.statistics("777"),
        lambda: criteo.delete_segments(["777"]),
        lambda: criteo.segment("777"),
        lambda: criteo.rename_segment("777", "cart"),
        lambda: criteo.audiences_naming("12345", "777"),
        lambda: list(criteo.audiences("12345")),
        lambda: criteo.create_audience("12345", "a", ALGEBRA),
        lambda: criteo.update_audience("888", ALGEBRA),
        lambda: criteo.ad_sets("12345"),
        lambda: criteo.link_audience("401", "888"),
        lambda: criteo.link_audience("401", None),
        lambda: criteo.spend_report("12345", "EUR", *week),
        lambda: criteo.transactions("12345", "EUR", *week),
    )
    for act in acts:
        before = len(sent)
        with suppress(HoldoutsError):  # the answers are empty; only what was asked is looked at
            act()
        assert len(sent) > before
    return sent


def operation(specification: dict[str, Any], request: httpx.Request) -> dict[str, Any]:
    for template, operations in specification["paths"].items():
        pattern = re.sub(r"\{[^}]*\}", "[^/]+", template)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in operations:
            found: dict[str, Any] = operations[request.method.lower()]
            return found
    raise AssertionError(f"{request.method} {request.url.path} is not in the contract")


def test_every_request_is_one_that_the_contract_allows() -> None:
    specification = json.loads(SPECIFICATION.read_text())
    checked = set()
    for request in every_request():
        expected = operation(specification, request)
        query = {one["name"] for one in expected.get("parameters", ()) if one["in"] == "query"}
        assert set(request.url.params) <= query
        body = expected.get("requestBody")
        if body is None:
            assert not request.content
            continue
        schema = {**body["content"]["application/json"]["schema"], "components": specification["components"]}
        errors = [
            error.message for error in OAS30WriteValidator(schema).iter_errors(json.loads(request.content))
        ]
        assert not errors, f"{request.method} {request.url.path}: {errors}"
        checked.add((request.method, request.url.path))
    assert len(checked) == 12


def test_the_validator_would_notice_a_wrong_request() -> None:
    specification = json.loads(SPECIFICATION.read_text())
    schema = {
        "$ref": "#/components/schemas/ContactlistAmendmentRequest",
        "components": specification["components"],
    }
    wrong = {
        "data": {"type": "ContactlistAmendment", "attributes": {"operation": "replace", "identifiers": []}}
    }
    assert list(OAS30WriteValidator(schema).iter_errors(wrong))


@pytest.mark.parametrize(
    "metric", ["AdvertiserCost", "RevenueGeneratedAllPc30d", "SalesAllPc30d", "Displays", "Clicks"]
)
def test_every_metric_that_we_ask_for_exists(metric: str) -> None:
    enums = json.loads(SPECIFICATION.with_name("criteo-report-enums-2026-07.json").read_text())
    assert metric in enums["metrics"]
