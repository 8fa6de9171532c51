"""What people are sent as, once all segments are read: an identifier of two people is sent for neither. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from experiments.audiences import Audience, Programme
from experiments.identifiers import SHA256, Identifiers
from sync.plan import Membership

UNNAMED = "no identifier"
"""Why a person is unusable whose profile lacks what the audience is sent as."""


def identifiers_to_send(memberships: Mapping[str, Membership], sent: Identifiers) -> Identifiers:
    """The identifiers of all members, but for those that stand for two people.

    Nobody could tell whether such a device or cookie is that of somebody held out. What the lists may still
    hold for another person counts too.
    """
    read = Identifiers.join(each.identifiers for each in memberships.values())
    return read.except_keys(Identifiers.join([read, sent.of_keys(read.keys())]).shared())


def named(
    programme: Programme, memberships: Mapping[str, Membership], identifiers: Identifiers
) -> dict[str, Membership]:
    """The memberships without the people whom their audience has nothing to send for: they are unusable.

    Whoever is to be excluded is excluded all the same: here, if not in Criteo.
    """
    return {
        name: _named(programme.audience(name), membership, identifiers)
        for name, membership in memberships.items()
    }


def _named(audience: Audience, membership: Membership, identifiers: Identifiers) -> Membership:
    if SHA256 in audience.forms or audience.role == "exclude":
        return membership
    keys = identifiers.keys_of(membership.units, audience.form_names)
    units = membership.units & identifiers.people(keys)
    lost = len(membership.units) - len(units)
    if not lost:
        return membership
    return replace(membership, units=units, unusable={**membership.unusable, UNNAMED: lost})
