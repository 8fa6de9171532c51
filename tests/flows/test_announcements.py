from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from notices import BLOCK, Notice, receiving, wait_for
from prefect import flow, tags
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect_server import PrefectServer

from experiments.digests import EMPTY
from experiments.errors import Leaked, Refused, Rejected, Retryable
from flows import announcements
from flows.automations import create_automations, main
from sync.plan import Counts, ListPlan, Refusal

pytestmark = pytest.mark.server

REFUSED = ListPlan(
    name="lapsed",
    list="lapsed",
    role="include",
    desired=EMPTY,
    adds=EMPTY,
    removes=EMPTY,
    counts=Counts(profiles=40),
    refusals=(Refusal("shrink", "the segment shrank from 100 to 40"),),
)
MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def posted(server: PrefectServer) -> Iterator[list[Notice]]:
    with receiving(server) as notices, temporary_settings({PREFECT_API_URL: server.url}):
        create_automations(BLOCK)
        yield notices


def tell(*words: Callable[[], None]) -> None:
    @flow(name="telling")
    def telling() -> None:
        for each in words:
            each()

    telling()


@pytest.mark.parametrize(
    ("announce", "subject", "body"),
    [
        (
            lambda: announcements.sync_refused(REFUSED, "https://prefect.example.com/approve"),
            "lapsed: the sync was refused",
            [
                "the segment shrank from 100 to 40",
                "of 40 in the segment",
                REFUSED.hash,
                "https://prefect.example.com/approve",
            ],
        ),
        (
            lambda: announcements.leak_found(Leaked("lapsed: 3 people leaked", audience="lapsed", people=3)),
            "lapsed: people who are held out may be advertised to",
            ["lapsed: 3 people leaked"],
        ),
        (
            lambda: announcements.verdict_changed("group", "cart", "inconclusive", "incremental", "It adds."),
            "cart: incremental",
            ["It adds.", "It was: inconclusive."],
        ),
        (
            lambda: announcements.match_rate_fell("lapsed", 0.65, 0.5, 1_000),
            "lapsed: Criteo recognises fewer people",
            ["from 65.0% to 50.0% of 1000 identifiers"],
        ),
        (
            lambda: announcements.source_stale("source", "orders", "no orders were loaded since", MONDAY),
            "orders: nothing new came in",
            ["no orders were loaded since", "Last seen: 2026-11-23 05:00 UTC"],
        ),
    ],
    ids=["refused", "leak", "verdict", "match rate", "stale"],
)
def test_an_event_becomes_a_notification(
    in_process: PrefectServer,
    posted: list[Notice],
    announce: Callable[[], None],
    subject: str,
    body: list[str],
) -> None:
    before = len(posted)
    tell(announce)
    wait_for(lambda: len(posted) > before)
    (notice,) = posted[before:]
    assert notice["subject"] == subject
    assert all(part in notice["body"] for part in body), notice["body"]


def test_an_event_names_its_audience_as_a_resource_and_carries_counts(
    in_process: PrefectServer, posted: list[Notice]
) -> None:
    found: list[dict[str, Any]] = []
    other = replace(REFUSED, name="vip-window")

    def look() -> bool:
        wanted = {"filter": {"resource": {"id": ["holdouts.audience.vip-window"]}}}
        found[:] = in_process.post("/events/filter", wanted)["events"]
        return bool(found)

    tell(lambda: announcements.sync_refused(other, None))
    wait_for(look)
    assert found[0]["event"] == "holdouts.sync.refused"
    assert found[0]["payload"] == {
        "plan": other.hash,
        "fuses": ["shrink"],
        "reason": "the segment shrank from 100 to 40",
        "members": 40,
        "adds": 0,
        "removes": 0,
        "approval": "see the run, or `holdouts plan`",
    }


def test_a_run_that_fails_is_told_and_a_refusal_is_not_told_twice(
    in_process: PrefectServer, posted: list[Notice]
) -> None:
    def refuse() -> None:
        raise Refused("refused, the other audiences were synced: lapsed (plan 0): it shrank")

    def fail() -> None:
        raise Retryable("criteo.example did not answer")

    before = len(posted)
    with tags("holdouts"):
        with pytest.raises(Refused):
            tell(refuse)
        with pytest.raises(Retryable):
            tell(fail)
    wait_for(lambda: len(posted) > before)
    (notice,) = posted[before:]
    assert "criteo.example did not answer" in notice["body"]


def test_without_a_flow_run_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def emit(*_: object, **__: object) -> None:
        raise AssertionError("an event was sent")

    monkeypatch.setattr("flows.announcements.emit_event", emit)
    announcements.sync_refused(REFUSED, None)


def test_automations_need_a_notification_block_that_exists(
    in_process: PrefectServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Rejected, match="Prefect has no block 'slack-webhook/nowhere'"):
        create_automations("slack-webhook/nowhere")
    assert main(["slack-webhook/nowhere"]) == Rejected.exit_status
    assert main([]) == Rejected.exit_status
    assert "usage: python -m flows.automations BLOCK" in capsys.readouterr().err


def test_a_brand_s_automations_hear_of_that_brand_alone(
    server: PrefectServer, posted: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDOUTS_BRAND", "acme")
    names = create_automations(BLOCK)
    assert all(name.startswith("holdouts acme: ") for name in names)
    before = len(posted)
    tell(lambda: announcements.sync_refused(REFUSED, None))
    wait_for(lambda: len(posted) > before)
    assert [each["subject"] for each in posted[before:]] == ["acme: lapsed: the sync was refused"]

    before = len(posted)
    monkeypatch.setenv("HOLDOUTS_BRAND", "zeta")
    tell(lambda: announcements.sync_refused(REFUSED, None))
    monkeypatch.delenv("HOLDOUTS_BRAND")
    tell(lambda: announcements.sync_refused(REFUSED, None))
    wait_for(lambda: len(posted) > before)
    assert [each["subject"] for each in posted[before:]] == ["lapsed: the sync was refused"]


def test_a_run_that_failed_is_told_to_its_brand(
    server: PrefectServer, posted: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDOUTS_BRAND", "acme")
    create_automations(BLOCK)

    @flow(name="failing", flow_run_name="failing")
    def failing() -> None:
        raise Retryable("criteo.example did not answer")

    for names, told in (
        (("brand-zeta",), set()),
        (("holdouts", "brand-acme"), {"failing failed", "acme: failing failed"}),
    ):
        before = len(posted)
        with tags(*names), pytest.raises(Retryable):
            failing()
        wait_for(lambda before=before, told=told: len(posted) >= before + len(told))
        assert {each["subject"] for each in posted[before:]} == told


def test_no_brand_s_silence_is_covered_by_another_brand_s_syncs(
    server: PrefectServer, posted: list[Notice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOLDOUTS_BRAND", "acme")
    create_automations(BLOCK)
    (found,) = [each for each in server.post("/automations/filter") if "acme: no sync" in each["name"]]
    related = [
        each["prefect.resource.id" if "prefect.resource.id" in each else "prefect.resource.name"]
        for each in found["trigger"]["match_related"]
    ]
    assert related == ["sync-audiences", "prefect.tag.brand-acme"]
    assert found["actions"][0]["subject"] == "acme: No sync has completed for nine hours"
