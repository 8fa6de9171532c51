"""The common mistakes of a retention team, which the shop can be told to make on the vendors' side. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sandbox.people import Population, Profile
from sandbox.shop import SEGMENTS, Mask, Shop

Rule = Callable[[Shop, float], Mask]
EVERYONE = "everyone"
_MALFORMED_EVERY, _TYPO_EVERY = 20, 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """What the team does wrong; the shop's people behave as they do without."""

    everyone: bool = False
    """A segment of everybody stands in the workspace, ready to be advertised to."""
    deaf_exclusion: bool = False
    """The purchase event was renamed, so that nobody is a recent purchaser any more."""
    sloppy_form: bool = False
    """The sign-up form takes what is no e-mail, and slips of the finger."""
    mailed_offer: str | None = None
    """A running journey for carts of the last week names this offer in its tags."""
    noted_offer: str | None = None
    """A journey writes this offer into the attribute `last_offer` of everybody who left a cart last week."""
    idle_ad_set: str | None = None
    """An ad set of this name that never wins an auction."""


NO_MISTAKES = Mistakes()


def segments(mistakes: Mistakes) -> Mapping[str, tuple[str, Rule]]:
    """The workspace's segments: the shop's, as the mistakes leave them."""
    found = dict(SEGMENTS)
    if mistakes.deaf_exclusion:
        description, _ = found["recent-purchasers"]
        found["recent-purchasers"] = (description, _nobody)
    if mistakes.everyone:
        found[EVERYONE] = ("Everybody who ever signed up", _everybody)
    return found


def misspelt(people: Population) -> Population:
    """The same people, some of whose profiles bear what a form without checks takes."""
    profiles = (_misspelt(number, each) for number, each in enumerate(people.profiles))
    return replace(people, profiles=tuple(profiles))


def _misspelt(number: int, profile: Profile) -> Profile:
    local, at, _ = (profile.email or "").partition("@")
    if not at:
        return profile
    if number % _MALFORMED_EVERY == 0:
        return replace(profile, email=f"{local} at home")
    return replace(profile, email=f"{local}@gmial.com") if number % _TYPO_EVERY == 1 else profile


def _nobody(shop: Shop, _: float) -> Mask:
    return np.zeros(len(shop.orders), dtype=np.bool_)


def _everybody(shop: Shop, _: float) -> Mask:
    return np.ones(len(shop.orders), dtype=np.bool_)
