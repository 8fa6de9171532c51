"""The common mistakes of a retention team, which the shop can be told to make on the vendors' side. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sandbox.people import Population, Profile
from sandbox.shop import SEGMENTS, Mask, Shop

Rule = Callable[[Shop, float], Mask]
EVERYONE = "everyone"
_MALFORMED_EVERY, _TYPO_EVERY = 20, 30
_NAMELESS_EVERY, _TWIN_EVERY, _STALE_EVERY = 4, 4, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistakes:
    """What the team does wrong; the shop's people behave as they do without."""

    everyone: bool = False
    """A segment of everybody stands in the workspace, ready to be advertised to."""
    deaf_exclusion: bool = False
    """The purchase event was renamed, so that nobody is a recent purchaser any more."""
    sloppy_form: bool = False
    """The sign-up form takes what is no e-mail, and slips of the finger."""
    nameless_leads: bool = False
    """A quarter of the profiles is made before anybody is asked for an e-mail."""
    twin_profiles: bool = False
    """The app makes a profile of its own for a fifth of the people who have one already."""
    stale_addresses: bool = False
    """Most of the lapsed have addresses that Criteo does not know any more."""
    halved_exclusion_from: float | None = None
    """From this moment (seconds since 1970) one of two shops sends no purchases to Customer.io."""
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
    if mistakes.halved_exclusion_from is not None:
        description, rule = found["recent-purchasers"]
        found["recent-purchasers"] = (description, _half(rule, mistakes.halved_exclusion_from))
    if mistakes.everyone:
        found[EVERYONE] = ("Everybody who ever signed up", _everybody)
    return found


def recorded(people: Population, mistakes: Mistakes) -> Population:
    """The same people, as a workspace with these mistakes records them."""
    if mistakes.sloppy_form:
        people = misspelt(people)
    if mistakes.nameless_leads:
        leads = (
            replace(each, email=None, id=each.id or each.cio_id) if number % _NAMELESS_EVERY == 0 else each
            for number, each in enumerate(people.profiles)
        )
        people = replace(people, profiles=tuple(leads))
    return _twinned(people) if mistakes.twin_profiles else people


def forgotten(shop: Shop, now: float) -> Mask:
    """Whom Criteo does not know any more, where addresses are stale: two in three of the lapsed."""
    _, lapsed = SEGMENTS["lapsed"]
    return lapsed(shop, now) & (np.arange(len(shop.orders)) % _STALE_EVERY > 0)


def _twinned(people: Population) -> Population:
    twins = [
        replace(each, id=f"app-{number}", cio_id=f"d9c2{number + 0x06000001:08x}")
        for number, each in enumerate(people.profiles)
        if number % _TWIN_EVERY == 0
    ]
    owners = np.array([each.person for each in twins], dtype=np.int32)
    return replace(
        people,
        profiles=(*people.profiles, *twins),
        person_of=np.concatenate([people.person_of, owners]),
    )


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


def _half(rule: Rule, since: float) -> Rule:
    def half(shop: Shop, now: float) -> Mask:
        everybody = rule(shop, now)
        return everybody if now < since else everybody & (np.arange(len(everybody)) % 2 == 0)

    return half


def _nobody(shop: Shop, _: float) -> Mask:
    return np.zeros(len(shop.orders), dtype=np.bool_)


def _everybody(shop: Shop, _: float) -> Mask:
    return np.ones(len(shop.orders), dtype=np.bool_)
