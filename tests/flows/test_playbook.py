"""The playbook over a sandbox's shop: it finds the mistakes that the shop is told to make, and only those."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.report.window_picture import draw_windows
from analysis.volume import arrivals, weekly_units, window_shares
from experiments.audiences import Offer
from experiments.digests import DigestSet
from experiments.errors import Refused
from experiments.playbook.facts import Snapshot
from experiments.playbook_log import last_check
from flows.check_playbook import check_playbook
from flows.command import main
from flows.demo_mistakes import EDITS, IN_THE_DEMO, with_mistakes
from flows.demo_shop import audiences_yaml
from flows.load_orders import load_orders_flow
from flows.load_spend import load_spend
from flows.measure_lift import measure_lift
from flows.playbook import Told, consult, findings, new_and_severe, read_snapshot
from flows.playbook_vendors import noted_by, sample_of
from flows.session import open_criteo, open_session, seconds
from flows.sync_audiences import sync_audiences
from sandbox.mistakes import Mistakes
from sandbox.world import Sandbox, Switches
from sync.customerio import Member

Codes = set[tuple[str, str | None]]
FREE: dict[str, Any] = {
    "customerio_rps": None,
    "criteo_per_minute": None,
    "criteo_reports_per_minute": None,
}
SMALL = {"design.too-small", "design.too-small-to-measure"}
"""What a shop of so few people cannot help."""
DAILY: Codes = {("timing.thin", "cart-0-4h")}
"""What a shop that syncs once a day cannot help: four hours are over before most of its people are seen."""


@dataclass
class Shop:
    box: Sandbox
    folder: Path

    def live(self, days: int) -> None:
        """A sync a day."""
        for _ in range(days):
            self.box.advance(24)
            self.sync()

    def sync(self) -> None:
        """Whatever a fuse says to so few people."""
        with suppress(Refused):
            sync_audiences.fn(now=self.box.clock.now())

    def load(self) -> None:
        """An hour after the last sync, when the media buyer has linked what appeared."""
        self.box.advance(1)
        load_orders_flow.fn(now=self.box.clock.now())
        load_spend.fn(now=self.box.clock.now())

    def snapshot(self) -> Snapshot:
        with open_session() as session:
            return read_snapshot(session, seconds(self.box.clock.now()))

    def consult(self) -> Told:
        return consult(self.snapshot())

    def found(self) -> Codes:
        """Open findings, but for those of a small shop."""
        told = self.consult().findings
        return {(each.code, each.audience) for each in told if each.is_open and each.code not in SMALL}


@contextmanager
def shop(
    folder: Path,
    *,
    profiles: int = 1_500,
    edits: Iterable[str] = (),
    mistakes: Mistakes | None = None,
    **switches: Any,
) -> Iterator[Shop]:
    start = datetime(2026, 9, 7, tzinfo=UTC)
    chosen = Switches(**FREE, mistakes=mistakes or Mistakes(), **switches)
    with (
        Sandbox.start(
            profiles=profiles, start=start, orders_path=folder / "shop.sqlite", switches=chosen
        ) as box,
        use(box, folder, edits),
    ):
        yield Shop(box, folder)


@contextmanager
def use(box: Sandbox, folder: Path, edits: Iterable[str] = ()) -> Iterator[None]:
    """The environment of one programme in its own folder, with a ledger of its own."""
    text = audiences_yaml(box.advertiser_id, box.segment_ids, box.ad_sets, box.orders_path, edits)
    # So few people come and go by larger shares than the fuse of an exclusion expects.
    text = text.replace("    role: exclude\n", "    role: exclude\n    bounds: {shrink: 80%}\n")
    (folder / "audiences.yaml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "HOLDOUTS_AUDIENCES": str(folder / "audiences.yaml"),
            "HOLDOUTS_RATE_LIMITS": "off",
            "CUSTOMERIO_APP_KEY": box.app_key,
            "CUSTOMERIO_BASE_URL": box.customerio_url,
            "CRITEO_CLIENT_ID": box.client_id,
            "CRITEO_CLIENT_SECRET": box.client_secret,
            "CRITEO_BASE_URL": box.criteo_url,
        }.items():
            patch.setenv(name, value)
        for name in ("PREFECT_API_URL", "HOLDOUTS_DATABASE_URL", "CRITEO_API_VERSION"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(tmp_path_factory.mktemp("sound"), profiles=4_000) as opened:
        opened.live(1)
        opened.load()
        yield opened


@pytest.fixture
def committing(sound: Shop) -> Iterator[Callable[..., Shop]]:
    """The sound shop under a file with these mistakes."""
    with ExitStack() as stack:

        def commit(*edits: str) -> Shop:
            stack.enter_context(use(sound.box, sound.folder, edits))
            return sound

        yield commit


def test_a_sound_shop_has_no_findings(committing: Callable[..., Shop]) -> None:
    assert committing().found() == set()


IN_THE_FILE: list[tuple[str, Codes]] = [
    ("nobody excludes purchasers", {("suppression.missing", None)}),
    ("browsers who just bought are not excluded", {("suppression.unused", "browse-no-cart")}),
    ("nobody looked at the gap between two windows", {("design.windows-gap", "cart-2-7d")}),
    ("two windows overlap", {("design.windows-overlap", "cart-4-24h")}),
    (
        "the first ad carries the discount",
        {("offers.too-early", "cart-4-24h"), ("offers.journey-conflict", "cart-2-7d")},
    ),
    ("the last ad carries a discount, for VIPs too", {("suppression.vip-discount", "cart-2-7d")}),
    ("a first-order code for people who come back", {("offers.wrong-buyers", "lapsed")}),
    ("an offer that is over", {("offers.dates", "lapsed")}),
    ("nobody is held out", {("measurement.no-holdout", "lapsed")}),
    ("Criteo tests the same ad sets", {("measurement.criteo-test", "lapsed")}),
    ("Criteo's clock is forgotten", {("timing.unreachable", "cart-0-4h")}),
    ("Criteo takes three hours", {("timing.thin", "cart-0-4h")}),
    (
        "Criteo takes three days",
        {
            ("timing.unreachable", "cart-0-4h"),
            ("timing.unreachable", "cart-4-24h"),
            ("timing.late-exit", None),
        },
    ),
]


@pytest.mark.parametrize(("mistake", "expected"), IN_THE_FILE, ids=[name for name, _ in IN_THE_FILE])
def test_a_mistake_in_the_file_is_found_and_nothing_else(
    committing: Callable[..., Shop], mistake: str, expected: Codes
) -> None:
    assert committing(mistake).found() == expected


def test_every_mistake_of_the_file_is_tried_here() -> None:
    elsewhere = {"everybody is advertised to", "journeys note what they offered"}
    assert {name for name, _ in IN_THE_FILE} | elsewhere == set(EDITS)


def test_a_mistake_that_no_longer_fits_the_file_is_told() -> None:
    with pytest.raises(ValueError, match="does not stand in the file"):
        with_mistakes("audiences: []", ["nobody is held out"])


AT_THE_VENDORS: list[tuple[str, dict[str, Any], int, Codes]] = [
    (
        "a journey mails a discount",
        {"mistakes": Mistakes(mailed_offer="cart-10")},
        0,
        {("offers.conflict", "cart-2-7d")},
    ),
    (
        "an offer that nobody listed",
        {"mistakes": Mistakes(mailed_offer="friends")},
        0,
        {("offers.unlisted", None)},
    ),
    (
        "the purchase event was renamed",
        {"mistakes": Mistakes(deaf_exclusion=True)},
        2,
        {("suppression.empty", "recent-purchasers")},
    ),
    (
        "addresses are stale",
        {"mistakes": Mistakes(stale_addresses=True), "profiles": 4_000},
        0,
        {("identity.match-low", "lapsed")},
    ),
    (
        "retargeting by the site tag",
        {"site_tag_adset": True},
        8,
        {("measurement.site-tag", None), ("measurement.spend-without-audience", None)},
    ),
    (
        "an ad set that never wins",
        {"mistakes": Mistakes(idle_ad_set="lapsed")},
        8,
        {("measurement.audience-without-spend", "lapsed")},
    ),
]


@pytest.mark.parametrize(
    ("switches", "days", "expected"),
    [row[1:] for row in AT_THE_VENDORS],
    ids=[name for name, *_ in AT_THE_VENDORS],
)
def test_a_mistake_at_the_vendors_is_found_and_nothing_else(
    tmp_path: Path, switches: dict[str, Any], days: int, expected: Codes
) -> None:
    with shop(tmp_path, **switches) as opened:
        opened.sync()
        opened.box.advance(24 * days)
        opened.sync()
        opened.load()
        assert opened.found() == expected


@pytest.mark.parametrize(
    ("mistakes", "code"),
    [
        (Mistakes(nameless_leads=True), "identity.coverage"),
        (Mistakes(twin_profiles=True), "identity.duplicates"),
    ],
    ids=["leads without an e-mail", "a second profile for many"],
)
def test_what_is_wrong_with_many_profiles_shows_in_the_large_segments(
    tmp_path: Path, mistakes: Mistakes, code: str
) -> None:
    with shop(tmp_path, profiles=3_000, mistakes=mistakes) as opened:
        opened.live(1)
        opened.load()
        found = opened.found()
    assert {each for each, _ in found} == {code}
    assert (code, "browse-no-cart") in found


def test_an_exclusion_that_loses_half_of_its_people_at_once_shrinks(tmp_path: Path) -> None:
    at = datetime(2026, 9, 11, 12, tzinfo=UTC).timestamp()
    with shop(tmp_path, profiles=4_000, mistakes=Mistakes(halved_exclusion_from=at)) as opened:
        opened.live(4)
        opened.load()
        assert opened.found() == DAILY
        opened.live(1)
        opened.load()
        assert opened.found() == {("suppression.shrinks", "recent-purchasers"), *DAILY}


def test_an_exclusion_that_a_fuse_holds_back_goes_stale(tmp_path: Path) -> None:
    with shop(tmp_path) as opened:
        opened.live(2)
        file = tmp_path / "audiences.yaml"
        file.write_text(file.read_text().replace("bounds: {shrink: 80%}", "bounds: {shrink: 0%}"))
        opened.live(3)
        opened.load()
        found = opened.found()
    assert {code for code, _ in found - DAILY} == {"suppression.stale"}


def test_criteo_that_knows_half_as_many_people_from_one_day_to_the_next_is_told(tmp_path: Path) -> None:
    with shop(tmp_path, profiles=3_000) as opened:
        opened.live(3)
        opened.load()
        assert opened.found() == DAILY
        opened.box.market.account.matchable[::2] = False
        opened.live(1)
        opened.load()
        found = opened.found()
    assert {code for code, _ in found - DAILY} == {"identity.match-fell"}
    assert ("identity.match-fell", "browse-no-cart") in found


def test_a_list_that_somebody_else_fills_too_is_told_with_that_cause(tmp_path: Path) -> None:
    with shop(tmp_path) as opened:
        opened.live(2)
        with open_session() as session, open_criteo(session) as criteo:
            lapsed = next(
                each for each in criteo.segments(session.programme.advertiser) if each.name == "lapsed"
            )
            criteo.amend(lapsed.id, "add", DigestSet.of(bytes([at]) * 32 for at in range(200)))
        opened.live(1)
        opened.load()
        found = opened.found()
        assert ("identity.count-gap", "lapsed") in found
        # Criteo does not know the strangers either.
        assert {code for code, _ in found - DAILY} <= {
            "identity.count-gap",
            "identity.match-low",
            "identity.match-fell",
        }
        (told,) = (each for each in opened.consult().findings if each.code == "identity.count-gap")
        assert "most likely somebody else writes to the list" in told.sentence


def test_syncs_every_other_day_remove_buyers_late(tmp_path: Path) -> None:
    with shop(tmp_path, profiles=6_000, ad_effect=2.0) as opened:
        for _ in range(8):
            opened.box.advance(48)
            opened.sync()
        opened.load()
        found = opened.found()
    assert ("suppression.slow", "browse-no-cart") in found
    assert {code for code, _ in found} <= {"suppression.slow", "timing.unreachable", "timing.thin"}


def test_a_form_without_checks_shows_in_the_e_mails_of_the_large_segments(tmp_path: Path) -> None:
    with shop(tmp_path, profiles=3_000, mistakes=Mistakes(sloppy_form=True)) as opened:
        opened.live(1)
        opened.load()
        found = opened.found()
    assert {code for code, _ in found} == {"identity.malformed", "identity.typos"}
    assert ("identity.typos", "browse-no-cart") in found


def test_an_offer_that_journeys_note_in_an_attribute_conflicts_with_the_ad_s(tmp_path: Path) -> None:
    edits = ["journeys note what they offered"]
    with shop(tmp_path, edits=edits, mistakes=Mistakes(noted_offer="CART10")) as opened:
        opened.sync()
        opened.load()
        assert opened.found() == {("offers.conflict", "cart-2-7d")}
        (told,) = (each for each in opened.consult().findings if each.code == "offers.conflict")
        assert "by their 'last_offer', were offered 10% (cart-10), the ad says 15% (cart-15)" in told.sentence


def test_an_attribute_that_holds_no_offer_is_told_and_not_repeated(tmp_path: Path) -> None:
    edits = ["journeys note what they offered"]
    with shop(tmp_path, edits=edits, mistakes=Mistakes(noted_offer="ann@example.com")) as opened:
        opened.sync()
        opened.load()
        assert opened.found() == {("offers.unlisted", "cart-2-7d")}
        assert "example.com" not in repr(opened.consult())


def test_everybody_in_one_audience_is_a_giant_that_overlaps_the_others(tmp_path: Path) -> None:
    edits = ["everybody is advertised to"]
    with shop(tmp_path, edits=edits, mistakes=Mistakes(everyone=True)) as opened:
        opened.live(1)
        opened.load()
        found = opened.found()
        assert ("design.giant", "everyone") in found
        assert {code for code, _ in found} == {"design.giant", "design.overlap"}
        opened.live(8)
        opened.load()
        assert ("design.vague", "everyone") in opened.found()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Three weeks with the demo's two mistakes."""
    folder = tmp_path_factory.mktemp("lived")
    with shop(
        folder, profiles=6_000, edits=IN_THE_DEMO, mistakes=Mistakes(mailed_offer="cart-10"), ad_effect=2.0
    ) as opened:
        opened.live(21)
        opened.load()
        yield opened


def test_the_demo_s_mistakes_are_told_with_their_cost(lived: Shop) -> None:
    told = {each.code: each for each in lived.consult().findings}
    assert told["offers.conflict"].audience == told["suppression.vip-discount"].audience == "cart-2-7d"
    assert told["offers.conflict"].cost is not None
    assert told["offers.conflict"].cost.amount > 0
    assert told["suppression.vip-discount"].cost is not None


def test_the_ledger_says_how_long_buyers_stay_on_the_lists(lived: Shop) -> None:
    snapshot = lived.snapshot()
    removal = snapshot.of("browse-no-cart").removal
    assert removal is not None
    # Daily syncs: half wait twelve hours, nobody more than a day.
    assert 6 * 3_600 < removal.p50 < 18 * 3_600
    assert removal.p95 <= 86_400


def test_money_people_and_answers_are_known_after_three_weeks(lived: Shop) -> None:
    snapshot = lived.snapshot()
    browsing, cart = snapshot.of("browse-no-cart"), snapshot.of("cart-2-7d")
    assert browsing.spend is not None
    assert browsing.spend > 0
    assert browsing.answer is not None
    assert 0 < browsing.answer.weeks_at_half < browsing.answer.weeks
    assert cart.revenue is not None
    assert cart.answer is None, "a group answers once, with its first window"
    assert snapshot.of("cart-0-4h").answer is not None
    assert snapshot.overlaps is not None
    assert snapshot.overlaps["cart-4-24h", "cart-2-7d"] == 0
    assert browsing.bought_lately is not None
    assert browsing.ever_bought is not None
    assert browsing.bought_lately < 0.05 * (browsing.on_list or 0) < browsing.ever_bought


def test_a_window_has_the_part_of_its_group_s_people_that_it_has_of_the_entries(lived: Shop) -> None:
    names = ("cart-0-4h", "cart-4-24h", "cart-2-7d")
    until = seconds(lived.box.clock.now())
    with open_session() as session:
        shares = window_shares(session.engine, names, until)
        everybody = arrivals(session.engine, names, until).per_week
        each = {name: weekly_units(session.engine, [name], names, until) for name in names}
        nobody = window_shares(session.engine, ["never-synced"], until)
    assert sum(shares.values()) == pytest.approx(1)
    assert {name: shares[name] * everybody for name in names} == pytest.approx(each)
    assert nobody == {"never-synced": 0.0}


def test_the_nightly_check_keeps_its_findings_and_the_report_tells_them(lived: Shop) -> None:
    now = lived.box.clock.now()
    with open_session() as session:
        assert findings(session) == []
    first = check_playbook.fn(now=now)
    again = check_playbook.fn(now=now.replace(minute=30))
    seen = {each["code"]: each["first_seen"] for each in again["findings"]}
    assert seen["offers.conflict"] == first["checked_at"]
    told = measure_lift.fn(now=now.replace(minute=45), report_folder=str(lived.folder / "report"))
    assert told["document"]["playbook"] == again
    page = Path(told["page"]).read_text(encoding="utf-8")
    for at, each in enumerate(again["findings"]):
        if each["code"] in ("offers.conflict", "suppression.vip-discount"):
            assert each["cost_per_week"] > 0
            assert f'data-json="/playbook/findings/{at}/cost_per_week"' in page
    assert "What the clock leaves of each window" in page
    assert '<svg class="windows"' in page
    with open_session() as session:
        assert findings(session) == again["findings"]
        assert last_check(session.engine, seconds(now) - 1) is None


def test_without_the_vendors_their_part_is_unknown(lived: Shop) -> None:
    with open_session() as session:
        blind = consult(read_snapshot(session, seconds(lived.box.clock.now()), ask_vendors=False))
    assert "offers.conflict" not in {each.code for each in blind.findings}
    states = {each.title: each.state for each in blind.checklist}
    assert states["Ad sets cannot reach people held out"] == "unknown"


@pytest.fixture
def holdouts(
    sound: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str]]]:
    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["holdouts", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    with use(sound.box, sound.folder):
        yield run


def test_check_tells_the_set_up_first_then_the_playbook_and_ends_well(
    holdouts: Callable[..., tuple[int, str]],
) -> None:
    status, said = holdouts("check")
    assert status == 0
    assert said.index("audiences file") < said.index("accepted  design.windows-gap cart-2-7d:")
    assert "the second day belongs to the cart e-mails" in said
    assert "people reached" in said
    assert (
        "reckoned with a sync every 4 h, as deployed, which is assumed; no time from segment to list" in said
    )


def test_the_checklist_is_one_page_of_boxes(holdouts: Callable[..., tuple[int, str]]) -> None:
    status, said = holdouts("check", "--checklist")
    assert status == 0
    assert all(line.startswith(("[x] ", "[ ] ", "[?] ")) for line in said.splitlines())
    assert "[x] Every audience has a holdout" in said


def test_check_answers_machines_with_one_document(holdouts: Callable[..., tuple[int, str]]) -> None:
    status, said = holdouts("check", "--json")
    told = json.loads(said)
    assert status == 0
    assert {"set_up", "playbook"} == set(told)
    parts = {"checked_at", "findings", "checklist", "windows", "waits", "basis", "overrun_hours", "overlaps"}
    assert parts == set(told["playbook"])
    assert draw_windows(told["playbook"]).startswith("<svg")


def test_a_broken_set_up_keeps_its_status_and_the_playbook_what_it_knows(
    holdouts: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUSTOMERIO_APP_KEY", "wrong")
    status, said = holdouts("check", "--json")
    assert status == 2
    states = {each["title"]: each["state"] for each in json.loads(said)["playbook"]["checklist"]}
    assert states["Ad sets cannot reach people held out"] == "unknown"


def test_init_is_a_command(holdouts: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    status, said = holdouts("init", "--yes", "--file", str(tmp_path / "new.yaml"))
    assert status == 0
    assert "then: holdouts check" in said
    assert holdouts("init", "--yes", "--file", str(tmp_path / "new.yaml"))[0] == 2


@pytest.mark.parametrize("typed", ["", "-\n" * 5], ids=["nothing", "some answers"])
def test_init_that_is_left_before_its_end_writes_nothing_and_says_so(
    sound: Shop, tmp_path: Path, typed: str
) -> None:
    file = tmp_path / "left.yaml"
    with use(sound.box, sound.folder):
        command = [str(Path(sys.executable).with_name("holdouts")), "init", "--file", str(file)]
        ended = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "nothing is written; --yes takes the segments whose names fit best" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not file.exists()


def severe(code: str, **changes: Any) -> dict[str, Any]:
    found = {
        "code": code,
        "audience": "a",
        "subject": "",
        "severity": "high",
        "accepted": None,
        "sentence": "s",
    }
    return {**found, **changes}


def test_only_an_open_severe_finding_that_was_not_there_is_new() -> None:
    now = {
        "findings": [
            severe("old"),
            severe("worse"),
            severe("new", sentence="with a figure"),
            severe("mild", severity="low"),
            severe("accepted", accepted={"reason": "r", "until": "u"}),
        ]
    }
    before = {"findings": [severe("old", sentence="another figure"), severe("worse", severity="medium")]}
    assert [each["code"] for each in new_and_severe(now, before)] == ["worse", "new"]
    assert [each["code"] for each in new_and_severe(now, None)] == ["old", "worse", "new"]


def test_an_attribute_names_an_offer_or_its_code_and_anything_else_is_only_counted() -> None:
    offers = (Offer("ten", 0.1, code="TEN-OFF"), Offer("gift", 0.2))
    values = ["ten", " TEN-off ", "gift", "none", "", None, "ann@example.com", "10"]
    found = noted_by(values, offers)
    assert (found.looked_at, found.people, found.unlisted) == (8, {"ten": 2, "gift": 1}, 2)
    assert "example.com" not in repr(found)


def test_a_sample_counts_what_is_wrong_and_keeps_no_e_mail() -> None:
    emails = ["a@example.com", "A@example.com ", None, " ", "no e-mail", "b@gmial.com", "0" * 32, "0" * 64]
    members = [Member(str(number), email=email) for number, email in enumerate(emails)]
    found = sample_of(members)
    assert (found.looked_at, found.missing, found.malformed, found.hashed) == (8, 2, 1, 1)
    assert (found.typos, found.repeated) == (1, 1)
    assert "@" not in repr(found)
