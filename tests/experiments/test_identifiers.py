"""Whatever a person is sent as, they stay one unit; what is hashed already is not hashed again."""

import hashlib

import pytest

from experiments.digests import DigestSet
from experiments.identifiers import (
    NONE,
    SHA256,
    Form,
    Identifiers,
    caller_id,
    form_type,
    key_of,
    read_identifiers,
)
from experiments.identity import digest

ADA, EVA = "ada@example.com", "eva@example.com"
MD5, MADID = Form("md5"), Form("madid", "device")
DEVICE = "6d92078a-8246-4ba4-ae5b-76104861e7dc"


def texts(found: Identifiers, form: str) -> list[str]:
    return list(found.by_form[form].texts)


def test_sha256_needs_no_list_of_identifiers() -> None:
    assert read_identifiers([SHA256], [ADA], {}) is NONE
    people = DigestSet.of([digest(ADA)])
    assert NONE.keys_of(people, {"sha256"}) is people
    assert NONE.people(people) is people


@pytest.mark.parametrize("form", ["md5", "sha256md5", "plain"])
def test_each_form_of_an_email_is_written_as_criteo_takes_it(form: str) -> None:
    md5 = hashlib.md5(ADA.encode()).hexdigest()
    expected = {"md5": md5, "sha256md5": hashlib.sha256(md5.encode()).hexdigest(), "plain": ADA}
    found = read_identifiers([Form(form)], [" ADA@example.com "], {})
    assert texts(found, form) == [expected[form]]
    (key,) = found.keys_of(DigestSet.of([digest(ADA)]), {form})
    assert key == key_of(form, expected[form])
    assert found.people(DigestSet.of([key])) == DigestSet.of([digest(ADA)])


def test_what_was_hashed_elsewhere_is_sent_as_it_is_or_not_at_all() -> None:
    hashed = [hashlib.sha256(ADA.encode()).hexdigest(), hashlib.md5(ADA.encode()).hexdigest()]
    assert not read_identifiers([MD5], hashed, {})
    both = read_identifiers([SHA256, MD5], [hashed[0], EVA], {})
    assert both.keys_of(DigestSet.of([digest(ADA), digest(EVA)]), {"sha256", "md5"}) == DigestSet.of(
        [digest(ADA), digest(EVA), key_of("md5", hashlib.md5(EVA.encode()).hexdigest())]
    )


@pytest.mark.parametrize(
    ("form", "value", "is_sent"),
    [
        (MADID, DEVICE, True),
        (MADID, f" {DEVICE.upper()} ", True),
        (MADID, "63d34b88-56b7-8cd3-523f-29cb5b4bfb49", True),
        (MADID, "00000000-0000-0000-0000-000000000000", False),
        (MADID, "not a device", False),
        (MADID, "", False),
        (MADID, None, False),
        (Form("gum:4", "device"), "k-abc", True),
        (Form("gum:4", "device"), "ada@example.com", False),
        (Form("identityLink", "device"), "XY1000 bPS7", False),
        (Form("identityLink", "device"), "x" * 600, False),
    ],
)
def test_an_attribute_is_sent_where_it_is_an_identifier(form: Form, value: str | None, is_sent: bool) -> None:
    found = read_identifiers([form], [ADA], {"device": [value]})
    assert bool(found) is is_sent
    if is_sent:
        assert texts(found, form.name) == [str(value).strip()]


def test_a_device_without_a_usable_email_is_nobodys() -> None:
    assert not read_identifiers([MADID], [None, "ada@@example.com"], {"device": [DEVICE, DEVICE]})


def test_a_device_of_two_people_is_told_and_one_of_two_profiles_of_one_person_is_not() -> None:
    twice = read_identifiers([MADID], [ADA, "ADA@example.com"], {"device": [DEVICE, DEVICE.upper()]})
    assert len(twice.shared()) == 0
    shared = read_identifiers([MADID], [ADA, EVA], {"device": [DEVICE, DEVICE.upper()]})
    assert shared.shared() == DigestSet.of([key_of("madid", DEVICE)])
    assert not shared.except_keys(shared.shared())


def test_keys_that_nobody_listed_are_units() -> None:
    found = read_identifiers([MD5], [ADA], {})
    key = key_of("md5", hashlib.md5(ADA.encode()).hexdigest())
    assert found.people(DigestSet.of([key, digest(EVA)])) == DigestSet.of([digest(ADA), digest(EVA)])


def test_pages_are_joined() -> None:
    pages = [read_identifiers([MD5, MADID], [one], {"device": [DEVICE]}) for one in (ADA, EVA)]
    joined = Identifiers.join([NONE, *pages])
    assert len(joined.by_form["md5"]) == len(joined.by_form["madid"]) == 2
    assert Identifiers.join([]) is NONE


def test_nothing_that_is_printed_shows_an_identifier() -> None:
    found = read_identifiers([Form("plain"), MADID], [ADA], {"device": [DEVICE]})
    assert ADA not in repr(found)
    assert DEVICE not in repr(found)


@pytest.mark.parametrize(
    ("name", "kind", "caller"),
    [("plain", "email", None), ("madid", "madid", None), ("gum:42", "gum", 42)],
)
def test_a_form_says_what_criteo_calls_it(name: str, kind: str, caller: int | None) -> None:
    assert form_type(name) == kind == Form(name).type
    assert caller_id(name) == caller


def test_a_form_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="no form of an identifier"):
        form_type("sha1")
