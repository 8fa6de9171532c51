"""Customer.io in step with who is held out: over real HTTP, through faults, and only what changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from programmes import include, programme
from pydantic import SecretStr
from sqlalchemy import Engine

from experiments.audiences import Programme
from experiments.database import writing
from experiments.erasures import mark_erased
from experiments.errors import HoldoutsError, Rejected, Retryable
from experiments.identity import resolve
from experiments.ledger import open_phase
from experiments.phases import Holdout
from sandbox.world import Sandbox, Switches
from sync.customerio import CustomerIO
from sync.customerio_track import Track
from sync.limits import Unlimited
from sync.write_back import held_out
from sync.writing_back import Workspace, WrittenBack, write_back

FREE = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
START = datetime(2026, 9, 7, tzinfo=UTC)
SOURCE = "browse-no-cart"
ATTRIBUTE = "criteo_holdout_browsing"


class Wire(httpx.HTTPTransport):
    """The real wire, which counts what left."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        return super().handle_request(request)


class Team:
    """A ledger with one audience in its phase, and both APIs of a workspace."""

    def __init__(self, engine: Engine, box: Sandbox, where: str) -> None:
        self.engine, self.box = engine, box
        self.wire = Wire()
        self.workspace = Workspace(
            CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited()),
            Track(
                box.customerio_url,
                SecretStr(box.track_site_id),
                SecretStr(box.track_api_key),
                Unlimited(),
                transport=self.wire,
            ),
        )
        self.audience = include("browsing", box.segment_ids[SOURCE])
        self.programme: Programme = replace(programme(self.audience), write_back={"browsing": where})  # type: ignore[dict-item]  # a parameter

    def hold_out(self, percent: int, universal: int = 0) -> Holdout:
        holdout = Holdout(
            "holdout:v1:browsing:s0", percent * 10_000, "holdout:v1:universal:s0", universal * 10_000
        )
        with writing(self.engine) as connection:
            open_phase(connection, self.audience, holdout, 1)
        return holdout

    def write(self) -> WrittenBack:
        return write_back(self.engine, self.workspace, self.programme, "browsing")

    def profiles(self) -> dict[str, str]:
        pages = self.workspace.app.membership(self.audience.segment)
        return {each.cio_id: each.email for page in pages for each in page.members if each.email}

    def units(self) -> dict[str, bytes]:
        found = {who: resolve([email]).units for who, email in self.profiles().items()}
        return {who: units[0] for who, units in found.items() if units}

    def expected(self, holdout: Holdout) -> set[str]:
        return set(held_out(self.units(), holdout))

    def marked(self) -> set[str]:
        """Read one by one from the profiles, where the product searches."""
        everyone = list(self.workspace.app._members(self.audience.segment, 30_000, "").identifiers)
        found = self.workspace.app.attributes([each.cio_id for each in everyone], [ATTRIBUTE])
        return {each.cio_id for each in found if each.values == ("yes",)}

    def close(self) -> None:
        self.workspace.app.close()
        self.workspace.track.close()


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    orders = tmp_path_factory.mktemp("shop") / "orders.sqlite"
    switches = replace(FREE, **getattr(request, "param", {}))
    with Sandbox.start(profiles=3_000, seed=3, start=START, orders_path=orders, switches=switches) as box:
        box.advance(30)
        yield box


@pytest.fixture
def team(engine: Engine, box: Sandbox) -> Iterator[Team]:
    team = Team(engine, box, "attribute")
    yield team
    team.close()


@pytest.fixture
def by_segment(engine: Engine, box: Sandbox) -> Iterator[Team]:
    team = Team(engine, box, "segment")
    yield team
    team.close()


def test_the_held_out_are_marked_once_and_a_second_run_sends_nothing(team: Team) -> None:
    expected = team.expected(team.hold_out(20, universal=2))
    found = team.write()
    assert (found.held_out, found.marked, found.unmarked) == (len(expected), len(expected), 0)
    assert team.marked() == expected
    assert len(expected) > 20
    sent = team.wire.sent
    assert (team.write().marked, team.wire.sent) == (0, sent)


def test_a_moved_holdout_sends_only_the_band(team: Team) -> None:
    less = team.expected(team.hold_out(10))
    team.write()
    more = team.expected(team.hold_out(30))
    raised = team.write()
    assert (raised.marked, raised.unmarked) == (len(more - less), 0)
    team.hold_out(10)
    assert (team.write().unmarked, team.marked()) == (len(more - less), less)


def test_whoever_left_the_segment_is_unmarked(team: Team) -> None:
    holdout = team.hold_out(50)
    before = team.expected(holdout)
    team.write()
    team.box.advance(24 * 5)
    now = team.expected(holdout)
    found = team.write()
    assert before - now
    assert (found.marked, found.unmarked) == (len(now - before), len(before - now))
    assert set(team.workspace.app.people_with(ATTRIBUTE, "yes")) == now
    assert set(team.workspace.app.people_with(ATTRIBUTE, "no")) == before - now


def test_without_a_phase_nobody_is_held_out_yet(team: Team) -> None:
    assert team.write().held_out == 0
    assert team.wire.sent == 0


def test_an_erased_person_is_not_written_to(team: Team) -> None:
    holdout = team.hold_out(50)
    someone = sorted(team.expected(holdout))[0]
    units = team.units()
    same = {who for who, unit in units.items() if unit == units[someone]}
    with writing(team.engine) as connection:
        mark_erased(connection, units[someone], 1)
    team.write()
    assert team.marked() == team.expected(holdout) - same


@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "status", "truncated-json", "html", "cut-body"]
)
@pytest.mark.parametrize("path", ["/api/v2/batch", "/v1/customers$", "/membership"])
def test_a_fault_that_passes_changes_nothing_of_the_outcome(team: Team, path: str, kind: str) -> None:
    expected = team.expected(team.hold_out(20))
    team.box.faults.add("customerio", path, kind=kind)  # type: ignore[arg-type]  # a parameter
    team.write()
    assert team.box.faults.pending("customerio") == 0
    assert team.marked() == expected


@pytest.mark.parametrize("status", [429, 503])
def test_a_run_that_breaks_off_is_finished_by_the_next(
    team: Team, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("sync.customerio_track.BATCH", 10)
    expected = team.expected(team.hold_out(50))
    team.box.faults.add("customerio", "/api/v2/batch", kind="status", times=60, skip=2, status=status)
    with pytest.raises(Retryable):
        team.write()
    team.box.faults.clear()
    assert len(team.marked()) == 20
    assert team.write().marked == len(expected) - 20
    assert team.marked() == expected


@pytest.mark.parametrize("box", [{"track_refuses_every": 4}], indirect=True)
def test_what_customer_io_does_not_take_is_told_and_sent_again(team: Team) -> None:
    expected = team.expected(team.hold_out(50))
    found = team.write()
    assert found.refused == {"invalid attributes": len(expected) // 4}
    assert len(team.marked()) == len(expected) - len(expected) // 4
    assert team.write().marked == len(expected) // 4


def test_a_segment_that_is_being_built_unmarks_nobody(team: Team) -> None:
    team.hold_out(20)
    team.write()
    before = team.marked()
    team.box.rebuild(SOURCE, 6)
    with pytest.raises(Retryable, match="is being built"):
        team.write()
    assert set(team.workspace.app.people_with(ATTRIBUTE, "yes")) == before


@pytest.mark.parametrize("box", [{"workspace": "id_only"}], indirect=True)
def test_a_workspace_without_e_mails_in_its_pages_is_marked_too(team: Team) -> None:
    team.hold_out(20)
    assert team.write().marked > 20
    assert team.write().marked == 0


def test_a_manual_segment_is_made_once_and_kept_in_step(by_segment: Team) -> None:
    expected = by_segment.expected(by_segment.hold_out(20))
    assert by_segment.write().marked == len(expected)
    app = by_segment.workspace.app
    (made,) = [each for each in app.segments() if each.name == "Held out of Criteo ads: browsing"]
    assert {m.cio_id for page in app.membership(made.id) for m in page.members} == expected
    fewer = by_segment.expected(by_segment.hold_out(5))
    assert by_segment.write().unmarked == len(expected - fewer)
    assert app.customer_count(made.id) == len(fewer)
    assert len([each for each in app.segments() if each.type == "manual"]) == 1


def test_an_edit_of_the_segment_by_hand_is_put_right(by_segment: Team) -> None:
    expected = by_segment.expected(by_segment.hold_out(20))
    by_segment.write()
    app, track = by_segment.workspace.app, by_segment.workspace.track
    segment = next(each.id for each in app.segments() if each.type == "manual")
    track.remove_from_segment(segment, sorted(expected)[:3])
    stranger = next(iter(set(by_segment.profiles()) - expected))
    track.add_to_segment(segment, [stranger])
    found = by_segment.write()
    assert (found.marked, found.unmarked) == (3, 1)


def test_a_segment_with_conditions_of_that_name_is_ours_to_mend(
    by_segment: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_segment.hold_out(20)
    monkeypatch.setattr("sync.writing_back.segment_of", lambda _: SOURCE)
    with pytest.raises(Rejected, match="has conditions"):
        by_segment.write()


def test_a_wrong_track_key_is_ours_to_mend_and_names_nobody(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    team.hold_out(20)
    wrong = Track(team.box.customerio_url, SecretStr("a"), SecretStr("b"), Unlimited())
    with pytest.raises(HoldoutsError, match="CUSTOMERIO_TRACK_API_KEY") as caught:
        write_back(team.engine, Workspace(team.workspace.app, wrong), team.programme, "browsing")
    wrong.close()
    assert not any(email in str(caught.value) + caplog.text for email in team.profiles().values())
