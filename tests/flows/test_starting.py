"""`holdouts init`: a first file from the workspace's own segments, never over another one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from experiments.audience_file import parse_programme, read_programme
from experiments.errors import Rejected
from experiments.playbook.checks import findings
from experiments.playbook.facts import Snapshot
from flows.starter_kit import KIT, Found, Start, best_matches, yaml_text
from flows.starting import start, started_text
from sandbox.world import Sandbox, Switches


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    orders = tmp_path_factory.mktemp("shop") / "shop.sqlite"
    free = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
    with Sandbox.start(
        profiles=200, start=datetime(2026, 9, 7, tzinfo=UTC), orders_path=orders, switches=free
    ) as box:
        yield box


@pytest.fixture
def file(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {
        "HOLDOUTS_RATE_LIMITS": "off",
        "CUSTOMERIO_APP_KEY": box.app_key,
        "CUSTOMERIO_BASE_URL": box.customerio_url,
        "CRITEO_CLIENT_ID": box.client_id,
        "CRITEO_CLIENT_SECRET": box.client_secret,
        "CRITEO_BASE_URL": box.criteo_url,
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "audiences.yaml"


def everything() -> Start:
    segments = {kit.name: Found(number, kit.people) for number, kit in enumerate(KIT, start=1)}
    return Start("12345", "EUR", "45%", segments, date(2027, 2, 28))


def test_the_kit_is_eight_audiences_to_advertise_to_and_their_exclusions() -> None:
    found = parse_programme(yaml_text(everything()))
    assert len(found.includes) == 8
    assert [each.name for each in found.groups["cart"]] == ["cart-0-4h", "cart-4-24h", "cart-2-7d"]
    assert all("recent-purchasers" in each.exclude for each in found.includes)
    discounted = {each.name for each in found.includes if "vip" in each.exclude}
    assert discounted == {"cart-2-7d", "winback-discount"}
    assert found.offers == ()


def test_the_playbook_finds_nothing_in_the_kit_but_criteo_s_own_clock() -> None:
    programme = parse_programme(yaml_text(everything()))
    now = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
    open_ones = [each for each in findings(Snapshot(now, programme)) if each.is_open]
    assert [(each.code, each.audience) for each in open_ones] == [("timing.unreachable", "cart-0-4h")]


def test_the_names_of_the_workspace_are_matched_and_none_is_offered_twice() -> None:
    workspace = [Found(1, "Abandoned Cart – 24 hours"), Found(2, "VIPs"), Found(3, "Something else entirely")]
    found = best_matches(workspace)
    assert found["vip"] == Found(2, "VIPs")
    assert list(found.values()).count(Found(1, "Abandoned Cart – 24 hours")) == 1
    assert Found(3, "Something else entirely") not in found.values()


def test_without_questions_the_best_matches_are_written(file: Path, box: Sandbox) -> None:
    told = start(file, ask=None)
    programme = read_programme(file)
    assert programme.advertiser == box.advertiser_id
    assert {each.name: each.segment for each in programme.audiences if each.name.startswith("cart")} == {
        name: box.segment_ids[name] for name in ("cart-0-4h", "cart-4-24h", "cart-2-7d")
    }
    assert programme.audience("recent-purchasers").segment == box.segment_ids["recent-purchasers"]
    assert "replenishment" in told["left_out"]
    assert "# no segment yet: replenishment" in file.read_text()
    assert str(file) in started_text(told)


def test_a_person_is_asked_with_the_likely_segment_and_may_say_none(file: Path, box: Sandbox) -> None:
    asked: dict[str, str] = {}

    def answer(question: str, offered: str) -> str:
        asked[question.partition(":")[0]] = offered
        return "-" if question.startswith("lapsed") else offered

    start(file, answer)
    assert asked["lapsed-60-120d"] == str(box.segment_ids["lapsed"])
    assert asked["replenishment"] == "-"
    assert asked["Currency"] == "EUR"
    assert "lapsed-60-120d" not in {each.name for each in read_programme(file).audiences}


def test_a_file_that_is_there_is_never_overwritten(file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(Rejected, match="never overwritten"):
        start(file, ask=None)
    assert file.read_text() == "mine"


@pytest.mark.parametrize("said", ["4711", "lapsd", "-1", "", "1e3", "٧", "7; drop"])
def test_a_segment_that_is_not_there_is_asked_for_again_and_refused_the_third_time(
    file: Path, said: str
) -> None:
    asked: list[str] = []

    def answer(question: str, _offered: str) -> str:
        asked.append(question)
        return said

    with pytest.raises(Rejected, match="no segment"):
        start(file, answer)
    assert len(asked) == 3
    assert asked[1].startswith("the workspace has no segment")
    assert asked[1].endswith(asked[0])
    assert not file.exists()


def test_after_a_wrong_answer_a_right_one_is_taken(file: Path, box: Sandbox) -> None:
    wrong = {"cart-0-4h": ["lapsed", "0"], "Criteo advertiser id": ['1"\nx: 2'], "Currency": ["euro"]}
    wrong["Contribution margin"] = ["none", "0"]
    told: list[str] = []

    def answer(question: str, offered: str) -> str:
        told.append(question)
        subject = question.rpartition("\n")[2].partition(":")[0]
        return wrong[subject].pop() if wrong.get(subject) else offered

    start(file, answer)
    assert read_programme(file).audience("cart-0-4h").segment == box.segment_ids["cart-0-4h"]
    said = "\n".join(told)
    assert f"'lapsed' is the name of segment {box.segment_ids['lapsed']}: give its number" in said
    assert "is no advertiser id" in said
    assert "write its three letters" in said
    assert "the margin must lie above 0%" in said


def test_a_question_mark_lists_the_segments_and_asks_again(file: Path, box: Sandbox) -> None:
    asked: list[str] = []

    def answer(question: str, offered: str) -> str:
        asked.append(question)
        return "?" if len(asked) < 8 else offered

    start(file, answer)
    assert f"{box.segment_ids['lapsed']:>8}  lapsed" in asked[1]
    assert asked[7].endswith(asked[0])


def test_one_segment_is_not_taken_twice(file: Path, box: Sandbox) -> None:
    cart = str(box.segment_ids["cart-0-4h"])
    with pytest.raises(Rejected, match=r"segment \d+ \(cart-0-4h\) is taken by cart-0-4h already"):
        start(file, lambda _question, _offered: cart)


@pytest.mark.parametrize(("said", "margin"), [("45", "45%"), (" 12.5 %", "12.5%"), ("100%", "100%")])
def test_a_margin_is_taken_with_and_without_its_sign(file: Path, said: str, margin: str) -> None:
    start(file, lambda question, offered: said if question.startswith("Contribution") else offered)
    assert f"margin: {margin}  " in file.read_text()


def test_a_currency_is_written_in_capitals(file: Path) -> None:
    start(file, lambda question, offered: "usd" if question == "Currency" else offered)
    assert read_programme(file).currency == "USD"


def test_without_any_audience_to_advertise_to_nothing_is_written(file: Path) -> None:
    with pytest.raises(Rejected, match="no segment of the workspace"):
        start(file, lambda _question, _offered: "-")
    assert not file.exists()


def test_a_missing_folder_is_told_in_a_sentence(file: Path) -> None:
    def never(question: str, _offered: str) -> str:
        raise AssertionError(question)

    with pytest.raises(Rejected, match="cannot be written: there is no folder"):
        start(file.parent / "none" / "audiences.yaml", never)


def test_a_folder_that_nobody_may_write_to_is_told_in_a_sentence(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(Rejected, match="cannot be written: No space left"):
        start(file, ask=None)


def test_a_name_with_line_breaks_stays_in_its_comment() -> None:
    everyone = everything()
    odd = {**everyone.segments, "vip": Found(9, "vips\n  - name: evil")}
    text = yaml_text(Start("1", "EUR", "45%", odd, everyone.accepted_until))
    assert {each.name for each in parse_programme(text).audiences} == {kit.name for kit in KIT}
