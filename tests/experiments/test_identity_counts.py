"""Every profile is counted once, by what its e-mail is."""

import hashlib

from experiments.identity_counts import count_identity

ADA = "ada@example.com"
SHA256 = hashlib.sha256(ADA.encode()).hexdigest()
MD5 = hashlib.md5(ADA.encode()).hexdigest()


def test_each_profile_is_counted_by_what_its_email_is() -> None:
    found = count_identity(
        [
            [ADA, " ADA@example.com", SHA256.upper(), None, ""],
            ["  ", "ada@@example.com", MD5, "eva@example.com"],
        ]
    )
    assert (found.profiles, found.missing, found.malformed) == (9, 3, 1)
    assert (found.hashed_sha256, found.hashed_md5) == (1, 1)
    assert (found.people, found.merged) == (2, 2), "a hash and its e-mail are one person"
    assert found.unusable == 5
    assert found.profiles == found.people + found.merged + found.unusable


def test_a_likely_typo_is_usable_and_a_malformed_one_is_malformed() -> None:
    found = count_identity([["ada@gmial.com", "Ada@GMIAL.com ", "ada@@gmial.com", "ada@gmail.com", ADA]])
    assert (found.likely_typos, found.malformed, found.people) == (2, 1, 3)


def test_sixty_four_letters_that_are_no_hash_are_none() -> None:
    assert count_identity([["x" * 64, f"{'a' * 52}@example.com"]]).hashed_sha256 == 0
