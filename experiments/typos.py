"""Domains that look like a slip of the finger on a big mail provider's name. Pure."""

from itertools import pairwise

PROVIDERS = ("gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com")
NEIGHBOURS = frozenset({"ymail.com", "mail.com", "email.com", "fmail.com", "rocketmail.com"})
"""Providers of their own that lie one edit from a bigger one."""


def likely_typo(email: str) -> str | None:
    """The provider that was probably meant by the domain of a canonical e-mail, if it is one edit away."""
    domain = email.rpartition("@")[2]
    if domain in PROVIDERS or domain in NEIGHBOURS:
        return None
    return next((provider for provider in PROVIDERS if _is_one_edit(domain, provider)), None)


def _is_one_edit(left: str, right: str) -> bool:
    """Whether one letter changed, missing, added or swapped with its neighbour turns one into the other."""
    short, long = sorted((left, right), key=len)
    if len(short) == len(long):
        wrong = [at for at, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
        return len(wrong) == 1 or (len(wrong) == 2 and _is_swap(left, right, wrong))
    return len(long) - len(short) == 1 and any(long[:at] + long[at + 1 :] == short for at in range(len(long)))


def _is_swap(left: str, right: str, wrong: list[int]) -> bool:
    return all(b - a == 1 and left[a] == right[b] and left[b] == right[a] for a, b in pairwise(wrong))
