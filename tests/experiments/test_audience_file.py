"""`audiences.yaml`: what it means, and that everything wrong in it is refused with file and line."""

from datetime import date
from pathlib import Path

import pytest

from experiments.audience_file import parse_programme, read_programme
from experiments.audiences import EXCLUDE_BOUNDS, Accepted, Bounds, CriteoClock, CriteoTest
from experiments.errors import Rejected
from experiments.identifiers import Form
from experiments.stays import Stay

LINES = """\
advertiser: "12345"
currency: EUR
margin: 45%
universal_holdout: 2%
orders:
  url: env:ORDERS_URL
  query: select order_id, email, ordered_at, revenue from orders
groups:
  cart: {push_holdout: true}
audiences:
  - name: cart-0-4h
    segment: 7
    role: include
    holdout: 10%
    holdout_group: cart
    list: cart-0-4h
    priority: 1
    window: 14d
    ad_sets: ["401"]
    exclude: [recent-purchasers]
    offer: none
    bounds: {shrink: 95%}
  - name: lapsed
    segment: 9
    holdout: 2.5%
  - name: recent-purchasers
    segment: 12
    role: exclude
"""


def lines_of(text: str, fragment: str) -> list[int]:
    return [at for at, line in enumerate(text.splitlines(), start=1) if fragment in line]


def test_the_contract_s_file_is_read() -> None:
    found = parse_programme(LINES)
    cart, lapsed, purchasers = found.audiences
    assert (found.advertiser, found.currency, found.margin) == ("12345", "EUR", 0.45)
    assert found.universal_holdout_ppm == 20_000
    assert found.break_even == pytest.approx(1 / 0.45)
    assert (cart.segment, cart.role, cart.holdout_ppm, cart.holdout_group) == (7, "include", 100_000, "cart")
    assert (cart.list, cart.priority, cart.window, cart.ad_sets) == ("cart-0-4h", 1, 14 * 86_400, ("401",))
    assert (cart.exclude, cart.offer) == (("recent-purchasers",), "none")
    assert cart.bounds == Bounds(shrink=0.95)
    assert (purchasers.role, purchasers.holdout_ppm, purchasers.holdout_group) == ("exclude", 0, "")
    assert purchasers.bounds == EXCLUDE_BOUNDS
    assert found.private_groups == frozenset()
    assert (found.orders.url, found.orders.files) == ("env:ORDERS_URL", ())
    assert (lapsed.list, lapsed.holdout_ppm, lapsed.priority, lapsed.window) == (
        "lapsed",
        25_000,
        1,
        1_209_600,
    )


def test_what_is_left_out_has_the_documented_default() -> None:
    lapsed = parse_programme(LINES).audience("lapsed")
    assert (lapsed.role, lapsed.holdout_group, lapsed.offer, lapsed.exclude) == (
        "include",
        "lapsed",
        "none",
        (),
    )
    assert lapsed.bounds == Bounds()


def test_a_group_may_keep_its_held_out_people_to_itself() -> None:
    found = parse_programme(LINES.replace("push_holdout: true", "push_holdout: false"))
    assert found.private_groups == {"cart"}


def test_a_group_may_tell_customer_io_who_is_held_out_and_by_default_does_not() -> None:
    assert parse_programme(LINES).write_back == {}
    found = parse_programme(LINES.replace("push_holdout: true", "write_back: segment"))
    assert found.write_back == {"cart": "segment"}
    with pytest.raises(Rejected, match="write_back: Input should be 'attribute' or 'segment'"):
        parse_programme(LINES.replace("push_holdout: true", "write_back: everywhere"))


@pytest.mark.parametrize(("written", "seconds"), [("4h", 14_400), ("1d", 86_400), ("2w", 1_209_600)])
def test_windows_are_written_in_hours_days_or_weeks(written: str, seconds: int) -> None:
    assert parse_programme(LINES.replace("14d", written)).audience("cart-0-4h").window == seconds


@pytest.mark.parametrize("percent", ["0%", "50%", "2.5%", "0.0001%"])
def test_every_holdout_from_nothing_to_half_is_taken(percent: str) -> None:
    ppm = (
        parse_programme(LINES.replace("holdout: 10%", f"holdout: {percent}"))
        .audience("cart-0-4h")
        .holdout_ppm
    )
    assert ppm == round(float(percent[:-1]) * 10_000)


LAST = "the last line of what was put in"
REFUSED: list[tuple[str, str, str, str]] = [
    # what, in place of, the fragment that stands in the named line, part of the reason
    ("margin: 45%\nmargins: 3", "margin: 45%", "margins", "unknown key 'margins'"),
    ("    hold_out: 10%", "    holdout: 10%", "hold_out", "unknown key 'hold_out'"),
    ("  sql: select", "  query: select", "  sql:", "unknown key 'sql'"),
    ("bounds: {shrinks: 95%}", "bounds: {shrink: 95%}", "shrinks", "unknown key 'shrinks'"),
    ("cart: {push: true}", "cart: {push_holdout: true}", "push:", "unknown key 'push'"),
    ("    holdout: 2.5%\n    list: cart-0-4h", "    holdout: 2.5%", LAST, "list: cart-0-4h is taken"),
    ('    holdout: 2.5%\n    ad_sets: ["401"]', "    holdout: 2.5%", LAST, "401 is taken"),
    (
        "    holdout: 2.5%\n    holdout_group: cart",
        "    holdout: 2.5%",
        "name: lapsed",
        "1 of group cart is taken",
    ),
    ("    segment: 7\n    segment: 8", "    segment: 7", "segment: 8", "'segment' stands here twice"),
    ("margin: 45%\nmargin: 40%", "margin: 45%", "margin: 40%", "'margin' stands here twice"),
    ("    role: exclude\n    holdout: 5%", "    role: exclude", "holdout: 5%", "exclude audience"),
    ("    role: exclude\n    holdout: 0%", "    role: exclude", "holdout: 0%", "exclude audience"),
    ("    role: exclude\n    holdout_group: cart", "    role: exclude", LAST, "exclude audience"),
    ('    role: exclude\n    ad_sets: ["9"]', "    role: exclude", 'ad_sets: ["9"]', "exclude audience"),
    ("    role: exclude\n    exclude: [x]", "    role: exclude", "exclude: [x]", "exclude audience"),
    ("    holdout: 50.1%", "    holdout: 10%", "50.1%", "between 0% and 50%"),
    ("    holdout: 100%", "    holdout: 10%", "100%", "between 0% and 50%"),
    ("    holdout: -1%", "    holdout: 10%", "-1%", "no percentage"),
    ("    holdout: 10", "    holdout: 10%", "holdout: 10", "write it with its sign"),
    ("    holdout: 0.1", "    holdout: 10%", "holdout: 0.1", "write it with its sign"),
    ("    holdout: ten%", "    holdout: 10%", "ten%", "no percentage"),
    ("    holdout: 0.00001%", "    holdout: 10%", "0.00001%", "finer than one part in a million"),
    ("universal_holdout: 51%", "universal_holdout: 2%", "51%", "between 0% and 50%"),
    ("exclude: [refund-risk]", "exclude: [recent-purchasers]", "refund-risk", "no exclude audience named"),
    ("exclude: [lapsed]", "exclude: [recent-purchasers]", "exclude: [lapsed]", "no exclude audience named"),
    (
        "  carts: {push_holdout: true}",
        "  cart: {push_holdout: true}",
        "carts",
        "no audience has the holdout group",
    ),
    ("    window: 14", "    window: 14d", "window: 14", "no length of time"),
    ("    window: 0d", "    window: 14d", "window: 0d", "no length of time"),
    ("    window: 2 months", "    window: 14d", "2 months", "no length of time"),
    ("margin: 0%", "margin: 45%", "margin: 0%", "above 0%"),
    ("margin: 101%", "margin: 45%", "margin: 101%", "at most at 100%"),
    ("margin: 0.45", "margin: 45%", "margin: 0.45", "write it with its sign"),
    ("currency: euro", "currency: EUR", "currency: euro", "currency"),
    ("    segment: seven", "    segment: 7", "segment: seven", "segment"),
    ("    segment: 0", "    segment: 7", "segment: 0", "segment"),
    ("    role: both", "    role: include", "role: both", "role"),
    ("    priority: 0", "    priority: 1", "priority: 0", "priority"),
    ("  - name: Cart 0-4h", "  - name: cart-0-4h", "Cart 0-4h", "name"),
    ("  - name: universal", "  - name: lapsed", "name: universal", "keeps for itself"),
    ("  - name: programme", "  - name: lapsed", "name: programme", "keeps for itself"),
    ("    holdout_group: universal", "    holdout_group: cart", "group: universal", "keeps for itself"),
    ("", 'advertiser: "12345"\n', "currency: EUR", "'advertiser' is missing"),
    ("", "    segment: 7\n", "name: cart-0-4h", "'segment' is missing"),
    (
        "",
        "  query: select order_id, email, ordered_at, revenue from orders\n",
        "orders:",
        "a url needs a query",
    ),
    (
        "orders: {}\n",
        LINES[LINES.index("orders:") : LINES.index("groups:")],
        "orders:",
        "either url and query",
    ),
    ("    exclude: [recent-purchasers", "    exclude: [recent-purchasers]", "offer", "expected"),
    ("\tmargin: 45%", "margin: 45%", "margin", "cannot start any token"),
]


@pytest.mark.parametrize(("wrong", "right", "fragment", "reason"), REFUSED)
def test_what_is_wrong_is_refused_with_file_and_line(
    wrong: str, right: str, fragment: str, reason: str
) -> None:
    assert LINES.count(right) >= 1
    text = LINES.replace(right, wrong, 1)
    with pytest.raises(Rejected) as refused:
        parse_programme(text, "teams/audiences.yaml")
    said = str(refused.value)
    line = lines_of(text, wrong.splitlines()[-1])[-1] if fragment == LAST else lines_of(text, fragment)[0]
    assert said.startswith(f"teams/audiences.yaml, line {line}: "), said
    assert reason in said


POLICY = (
    LINES
    + """\
offers:
  ten: {depth: 10%, code: TEN, first_touch: 2, from: 2026-10-01, until: 2026-12-31, for: new}
  plain: {depth: 5%}
accepted:
  - code: design.giant
    audience: lapsed
    reason: until the split
    until: 2026-12-31
  - code: timing.thin
    reason: everywhere
    until: "2027-01-31"
criteo: {processing: ["12:00", "00:00"], delay: 0h, tests: [{name: uplift, ad_sets: ["401"], from: 2026-11-01, until: 2026-12-01}]}
customerio: {offer_attribute: last_offer}
"""
)


def test_the_playbook_s_keys_are_read() -> None:
    text = POLICY.replace("offer: none", "offer: ten\n    member_for: 0-4h")
    found = parse_programme(text)
    ten, plain = found.offers
    assert (ten.name, ten.depth, ten.code, ten.first_touch) == ("ten", 0.10, "TEN", 2)
    assert (ten.starts, ten.ends, ten.buyers) == (date(2026, 10, 1), date(2026, 12, 31), "new")
    assert (plain.code, plain.first_touch, plain.starts, plain.ends, plain.buyers) == (
        None,
        3,
        None,
        None,
        "all",
    )
    assert found.accepted == (
        Accepted("design.giant", "until the split", date(2026, 12, 31), "lapsed"),
        Accepted("timing.thin", "everywhere", date(2027, 1, 31)),
    )
    assert found.criteo == CriteoClock((0, 43_200), 0)
    assert found.criteo_tests == (CriteoTest("uplift", ("401",), date(2026, 11, 1), date(2026, 12, 1)),)
    assert found.offer_attribute == "last_offer"
    assert found.audience("cart-0-4h").member_for == Stay(0, 14_400)
    assert found.offer("ten") == ten
    assert found.offer("none") is None


def test_without_the_playbook_s_keys_criteo_s_published_clock_holds() -> None:
    found = parse_programme(LINES)
    assert (found.offers, found.accepted, found.criteo_tests, found.offer_attribute) == ((), (), (), None)
    assert found.criteo == CriteoClock((0, 12 * 3_600), 5 * 3_600)
    assert found.audience("cart-0-4h").member_for is None


POLICY_REFUSED: list[tuple[str, str, str, str]] = [
    ("offer: eleven", "offer: none", "offer: eleven", "there is no offer named 'eleven'"),
    ("member_for: 4-0h\n    offer: none", "offer: none", "member_for: 4-0h", "ends before it begins"),
    ("member_for: soon\n    offer: none", "offer: none", "member_for: soon", "no stretch of time"),
    ("{depth: 5%, deep: 1}", "{depth: 5%}", "deep: 1", "unknown key 'deep'"),
    ("{depth: 0%}", "{depth: 5%}", "depth: 0%", "above 0%"),
    ("{code: FIVE}", "{depth: 5%}", "code: FIVE", "'depth' is missing"),
    ("  none: {depth: 5%}", "  plain: {depth: 5%}", "none: {", "has no offer"),
    ("until: 2026-09-30, for", "until: 2026-12-31, for", "until: 2026-09-30", "lies before 2026-10-01"),
    ("from: soon,", "from: 2026-10-01,", "from: soon", "no day; write it like 2026-12-31"),
    ("from: 20261001,", "from: 2026-10-01,", "from: 20261001", "no day"),
    ("for: nobody", "for: new", "for: nobody", "for"),
    ("first_touch: 0", "first_touch: 2", "first_touch: 0", "first_touch"),
    ("code: design.gigantic", "code: design.giant", "design.gigantic", "docs/playbook.md lists them"),
    ("    audience: lapse\n", "    audience: lapsed\n", "audience: lapse", "no audience named 'lapse'"),
    ("    reason: no", "    reason: until the split", "reason: no", "reason"),
    ("    until: someday", "    until: 2026-12-31", "until: someday", "no day"),
    ("", '    until: "2027-01-31"\n', "code: timing.thin", "'until' is missing"),
    ("processing: [12:00]", 'processing: ["12:00", "00:00"]', "processing: [12:00]", "in quotes"),
    ('processing: ["24:00"]', 'processing: ["12:00", "00:00"]', '"24:00"', "no time of day"),
    ("delay: 5", "delay: 0h", "delay: 5", "no length of time"),
    ("delays: 5h", "delay: 0h", "delays: 5h", "unknown key 'delays'"),
    ("ad_sets: [], from", 'ad_sets: ["401"], from', "ad_sets: [], from", "ad_sets"),
    ("until: 2026-10-01}]", "until: 2026-12-01}]", "until: 2026-10-01}]", "lies before 2026-11-01"),
    ("offer_attribute: 'a/b'", "offer_attribute: last_offer", "offer_attribute", "offer_attribute"),
]


@pytest.mark.parametrize(("wrong", "right", "fragment", "reason"), POLICY_REFUSED)
def test_what_is_wrong_with_the_playbook_s_keys_is_refused_with_its_line(
    wrong: str, right: str, fragment: str, reason: str
) -> None:
    assert right in POLICY
    text = POLICY.replace(right, wrong, 1)
    with pytest.raises(Rejected) as refused:
        parse_programme(text)
    said = str(refused.value)
    assert said.startswith(f"audiences.yaml, line {lines_of(text, fragment)[0]}: "), said
    assert reason in said


def test_two_audiences_of_one_name_are_refused_at_the_second() -> None:
    with pytest.raises(
        Rejected, match=r"line 23: name: cart-0-4h is taken by the audience cart-0-4h already"
    ):
        parse_programme(LINES.replace("name: lapsed", "name: cart-0-4h"))


@pytest.mark.parametrize(
    "text", ["", "[]", "just words", "audiences: []\nadvertiser: x\ncurrency: EUR\nmargin: 1%"]
)
def test_a_file_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(Rejected, match=r"audiences\.yaml, line 1"):
        parse_programme(text)


def test_no_value_of_the_file_is_repeated_where_it_may_be_a_secret() -> None:
    text = LINES.replace("  url: env:ORDERS_URL", "  url: [postgresql://u:s3cr3t@host/shop]")
    with pytest.raises(Rejected) as refused:
        parse_programme(text)
    assert "s3cr3t" not in str(refused.value)


def test_a_missing_file_says_where_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="HOLDOUTS_AUDIENCES"):
        read_programme(tmp_path / "none.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audiences.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Rejected, match="cannot be read"):
        read_programme(path)


def test_a_file_is_read_and_named_in_its_errors(tmp_path: Path) -> None:
    path = tmp_path / "audiences.yaml"
    path.write_text(LINES)
    assert read_programme(path) == parse_programme(LINES)
    path.write_text(LINES.replace("holdout: 10%", "holdout: 60%"))
    with pytest.raises(Rejected, match=r"audiences\.yaml, line 14: "):
        read_programme(path)


def test_groups_are_ordered_by_priority() -> None:
    second = "  - name: cart-2-7d\n    segment: 8\n    holdout_group: cart\n    priority: 2\n"
    found = parse_programme(LINES.replace("  - name: cart-0-4h", second + "  - name: cart-0-4h"))
    assert [each.name for each in found.groups["cart"]] == ["cart-0-4h", "cart-2-7d"]
    assert [each.name for each in found.includes] == ["cart-0-4h", "cart-2-7d", "lapsed"]
    assert [each.name for each in found.excludes] == ["recent-purchasers"]
    with pytest.raises(KeyError):
        found.audience("browse")


def test_a_planned_end_is_a_length_of_time_for_a_whole_group() -> None:
    end = LINES.replace("    window: 14d", "    window: 14d\n    planned_end: 26w")
    cart, lapsed, _ = parse_programme(end).audiences
    assert (cart.planned_end, lapsed.planned_end) == (26 * 7 * 86_400, None)
    joined = end.replace("    segment: 9\n", "    segment: 9\n    holdout_group: cart\n    priority: 2\n")
    with pytest.raises(Rejected, match="lapsed and cart-0-4h share a holdout group and must end together"):
        parse_programme(joined)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("planned_end: 14d", "would end before its first window closes"),
        ("planned_end: soon", "is no length of time"),
        ("planned_end: 2027-03-01", "is no length of time"),
    ],
)
def test_a_planned_end_that_cannot_be_is_refused_with_its_line(line: str, sentence: str) -> None:
    text = LINES.replace("    window: 14d", f"    window: 14d\n    {line}")
    with pytest.raises(Rejected, match=f"line {lines_of(text, line)[0]}: .*{sentence}"):
        parse_programme(text)


def test_an_exclude_audience_has_no_planned_end() -> None:
    with pytest.raises(Rejected, match="is an exclude audience, it can have no planned_end"):
        parse_programme(LINES + "    planned_end: 26w\n")


def test_people_are_sent_as_sha256_unless_the_file_says_otherwise() -> None:
    assert {each.forms for each in parse_programme(LINES).audiences} == {(Form(),)}
    text = LINES.replace("currency: EUR", "currency: EUR\nidentifier: md5").replace(
        "segment: 9", "segment: 9\n    identifier: [sha256, {type: gum, attribute: gum_id, caller_id: 42}]"
    )
    found = parse_programme(text)
    assert found.audience("cart-0-4h").forms == (Form("md5"),)
    assert found.audience("lapsed").forms == (Form("sha256"), Form("gum:42", "gum_id"))
    assert found.audience("lapsed").form_names == {"sha256", "gum:42"}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("sha1", "'sha1' is no form of an e-mail"),
        ("[]", "give one identifier, or two to send side by side, not 0"),
        ("[sha256, md5, plain]", "not 3"),
        ("[md5, md5]", "md5 stands there twice"),
        ("{type: gum, attribute: gum_id}", "caller_id goes with the type gum"),
        ("{type: madid, attribute: device, caller_id: 42}", "caller_id goes with the type gum"),
        ("{type: phoneNumber, attribute: phone}", "type: Input should be 'madid', 'identityLink' or 'gum'"),
        ("{type: madid}", "attribute: Field required"),
        ("{type: gum, attribute: g, caller_id: '42'}", "caller_id: "),
    ],
)
def test_an_identifier_that_criteo_would_not_take_is_refused_with_its_line(written: str, reason: str) -> None:
    text = LINES.replace("segment: 9", f"segment: 9\n    identifier: {written}")
    with pytest.raises(Rejected) as caught:
        parse_programme(text)
    (line,) = lines_of(text, "identifier:")
    assert f"line {line}: identifier: " in str(caught.value)
    assert reason in str(caught.value)


def test_a_file_of_rates_may_stand_beside_the_orders() -> None:
    text = LINES.replace("groups:\n", "  rates: rates.csv\ngroups:\n")
    assert parse_programme(text).orders.rates == "rates.csv"
    assert parse_programme(LINES).orders.rates is None
