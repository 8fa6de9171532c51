"""Identity: what is hashed, what is not, and what is never hashed twice."""

import hashlib
import json
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.identity import Kind, canonical, classify, digest, encode, resolve, unit
from experiments.typos import likely_typo

ADA = "ada@example.com"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ada@Example.COM", ADA),
        ("  ada@example.com\t\r\n", ADA),
        ("\u00a0ada@example.com\u2003", ADA),
        ("JOSE\u0301@EXAMPLE.COM", "jos\u00e9@example.com"),
        ("a.d.a+tag@gmail.com", "a.d.a+tag@gmail.com"),
        ("\u0130@example.com", "i\u0307@example.com"),
    ],
)
def test_the_canonical_form_is_nfc_stripped_and_lower_case_and_nothing_else(raw: str, expected: str) -> None:
    assert canonical(raw) == expected
    assert unit(raw) == hashlib.sha256(expected.encode()).hexdigest()


def test_unit_and_digest_are_the_same_sha256() -> None:
    assert bytes.fromhex(unit(ADA)) == digest(ADA)
    assert resolve([" ADA@example.com "]).units == [digest(ADA)]


def test_criteos_four_forms_of_one_email() -> None:
    md5 = hashlib.md5(ADA.encode()).hexdigest()
    assert encode("ADA@example.com ", "plain") == ADA
    assert encode("ADA@example.com ", "sha256") == unit(ADA)
    assert encode("ADA@example.com ", "md5") == md5
    assert encode("ADA@example.com ", "sha256md5") == hashlib.sha256(md5.encode()).hexdigest()


@pytest.mark.parametrize("raw", [None, "", "   ", "\n\t"])
def test_nothing_is_missing(raw: str | None) -> None:
    assert classify(raw) is Kind.MISSING


@pytest.mark.parametrize(
    "raw",
    [
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada@bob@example.com",
        "ada lovelace@example.com",
        "ada@exa mple.com",
        "ada\n@example.com",
        "ada@example.com\nbob@example.com",
        "ada\x00@example.com",
        "ada\u200b@example.com",
        "\ufeffada@example.com",
        "\ud800@example.com",
        "ada..b@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "ada@.example.com",
        "ada@example..com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@example-.com",
        "ada@1.2.3.4",
        "ada@[1.2.3.4]",
        "Ada <ada@example.com>",
        '"ada b"@example.com',
        "ada,bob@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 64 + ".com",
        "n/a",
        "null",
    ],
)
def test_what_no_mail_could_reach_is_malformed(raw: str) -> None:
    assert classify(raw) is Kind.MALFORMED
    assert resolve([raw, ADA]).unusable == {Kind.MALFORMED: 1}
    assert resolve([raw, ADA]).units == [digest(ADA)]


@pytest.mark.parametrize(
    "raw",
    [
        ADA,
        "ada@mail.example.co.uk",
        "o'hara@example.com",
        "ada!x@example.com",
        "-ada-@example.com",
        "a--b@exam--ple.com",
        "ada@shop.test",
        "ada!@shop.test",
        "j\u00f6rg@example.com",
        "ada@b\u00fccher.example",
        "ada@xn--bcher-kva.example",
        "a" * 64 + "@" + "b" * 60 + ".com",
        "1@2.co",
        "ada@example.museum",
    ],
)
def test_unusual_but_valid_addresses_pass(raw: str) -> None:
    assert classify(raw) is Kind.EMAIL
    assert resolve([raw]).units == [digest(raw)]


def test_a_value_hashed_elsewhere_is_never_hashed_again() -> None:
    hashed = unit(ADA)
    assert classify(hashed) is Kind.SHA256
    assert resolve([hashed, f" {hashed.upper()} "]).units == [digest(ADA), digest(ADA)]


def test_an_md5_has_no_unit_so_it_is_unusable() -> None:
    found = resolve([encode(ADA, "md5"), encode(ADA, "md5").upper(), encode(ADA, "sha256md5")])
    assert found.unusable == {Kind.MD5: 2}
    assert len(found.units) == 1  # the SHA-256 of an MD5 cannot be told from that of an e-mail
    assert str(Kind.MD5) == "already hashed (md5)"


def test_a_page_keeps_the_order_of_its_members_and_counts_the_rest() -> None:
    emails = [None if n % 7 == 0 else "bad mail" if n % 11 == 0 else f"P{n}@example.com" for n in range(500)]
    found = resolve(emails)
    assert found.units == [digest(email) for email in emails if email and "@" in email]
    assert found.unusable[Kind.MISSING] == sum(email is None for email in emails)
    assert sum(found.unusable.values()) + len(found.units) == len(emails)


def test_an_empty_page_has_nobody() -> None:
    assert resolve([]).units == []
    assert not resolve([]).unusable


def test_people_do_not_show_when_printed() -> None:
    assert digest(ADA).hex() not in repr(resolve([ADA]))
    assert repr(resolve([ADA])) == "Identified(unusable=Counter())"


ODD = st.text("ab1.@-_+ \n\u00e9\u0130A", max_size=12)
PLAUSIBLE = st.tuples(st.text("aZ9.-_+", max_size=6), st.text("aZ9.-", max_size=8)).map("@".join)


@given(st.lists(st.none() | ODD | PLAUSIBLE, max_size=150))
def test_many_at_once_equal_one_by_one(emails: list[str | None]) -> None:
    found = resolve(emails)
    kinds = [classify(email) for email in emails]
    assert found.units == [
        digest(email) for email, kind in zip(emails, kinds, strict=True) if email and kind is Kind.EMAIL
    ]
    for kind in (Kind.MISSING, Kind.MALFORMED, Kind.MD5):
        assert found.unusable[kind] == kinds.count(kind)


@example("1@1._")
@given(PLAUSIBLE | ODD)
def test_the_cheap_check_passes_nothing_that_the_library_refuses(raw: str) -> None:
    if classify(raw) is Kind.EMAIL:
        try:
            validate_email(canonical(raw), check_deliverability=False, test_environment=True, strict=True)
        except EmailNotValidError as error:
            pytest.fail(str(error))


@pytest.mark.parametrize(
    ("email", "meant"),
    [
        ("ada@gmial.com", "gmail.com"),
        ("ada@gmail.con", "gmail.com"),
        ("ada@gmal.com", "gmail.com"),
        ("ada@gmaill.com", "gmail.com"),
        ("ada@hotnail.com", "hotmail.com"),
        ("ada@yaho.com", "yahoo.com"),
        ("ada@gmail.com", None),
        ("ada@ymail.com", None),
        ("ada@mail.com", None),
        ("ada@gamli.com", None),
        ("ada@example.com", None),
    ],
)
def test_a_slip_on_a_big_providers_name_is_noticed(email: str, meant: str | None) -> None:
    assert likely_typo(email) == meant


VECTORS = Path(__file__).parents[2].parent / "shared" / "data" / "reference_cases.json"


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared reference cases are not on this machine")
def test_units_agree_with_the_reference_vectors() -> None:
    cases = json.loads(VECTORS.read_text())["hash_vectors"]
    known = {case["email"]: case["unit"] for case in cases if "email" in case}
    assert known
    assert {email: unit(email) for email in known} == known
