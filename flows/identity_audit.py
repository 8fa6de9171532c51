"""Audits what the profiles of each segment give as e-mails: `holdouts audit identity`. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.audiences import Audience, Programme
from experiments.errors import Rejected
from experiments.identifiers import NONE, SHA256
from experiments.identity_counts import count_identity
from flows.preview import table_text
from flows.session import open_customerio, open_session
from sync.customerio import CustomerIO
from sync.naming import UNNAMED, identifiers_to_send, named
from sync.segments import read_membership, read_profiles

_UNFINISHED = "the segment is still being built; run again when Customer.io shows it as finished"


def audit_identity(name: str | None = None) -> list[dict[str, Any]]:
    """Counts each audience's profiles, or those of one; reads Customer.io and writes nothing.

    Raises Rejected where no audience has that name.
    """
    with open_session() as session:
        chosen = audiences_named(session.programme, name)
        with open_customerio(session) as customerio:
            return [_audited(customerio, session.programme, each) for each in chosen]


def audiences_named(programme: Programme, name: str | None) -> tuple[Audience, ...]:
    """The audience of that name, or all; raises Rejected where there is none."""
    chosen = tuple(each for each in programme.audiences if name in (None, each.name))
    if not chosen:
        names = ", ".join(each.name for each in programme.audiences)
        raise Rejected(f"{name!r} is no audience of the audiences file; it has: {names}")
    return chosen


def identity_text(found: Sequence[Mapping[str, Any]]) -> str:
    """The counts as a table, and below it what is wrong."""
    rows = [
        {
            "audience": each["name"],
            "profiles": each["profiles"],
            "missing": each["missing"],
            "malformed": each["malformed"],
            "hashed": sum(each["already_hashed"].values()),
            "likely typos": each["likely_typos"],
            "no identifier": each["no_identifier"],
            "merged": each["duplicates_merged"],
            "people": each["people"],
            "unusable": each["unusable"],
            "share": f"{each['unusable_share']:.2%}",
        }
        for each in found
    ]
    wrong = [f"{each['name']}: {each['finding']}" for each in found if each["finding"]]
    return "\n".join([table_text(rows), *wrong])


def _audited(customerio: CustomerIO, programme: Programme, audience: Audience) -> dict[str, Any]:
    counts, unnamed = count_identity(()), 0
    is_finished = customerio.segment(audience.segment).is_finished
    if is_finished:
        counts = count_identity(page.emails for page in read_profiles(customerio, audience.segment))
        unnamed = _unnamed(customerio, programme, audience)
        is_finished = customerio.segment(audience.segment).is_finished
    unusable = counts.unusable + unnamed
    return {
        "name": audience.name,
        "segment": audience.segment,
        "profiles": counts.profiles,
        "missing": counts.missing,
        "malformed": counts.malformed,
        "already_hashed": {"sha256": counts.hashed_sha256, "md5": counts.hashed_md5},
        "likely_typos": counts.likely_typos,
        "duplicates_merged": counts.merged,
        "no_identifier": unnamed,
        "people": counts.people - unnamed,
        "unusable": unusable,
        "unusable_share": unusable / counts.profiles if counts.profiles else 0.0,
        "allowed_share": audience.bounds.unusable,
        "finding": _finding(audience, unusable, counts.profiles) if is_finished else _UNFINISHED,
    }


def _unnamed(customerio: CustomerIO, programme: Programme, audience: Audience) -> int:
    """People whom the audience has nothing to send for, or only what is another member's too."""
    if SHA256 in audience.forms or audience.role == "exclude":
        return 0
    read = {audience.name: read_membership(customerio, audience.segment, audience.forms)}
    usable = named(programme, read, identifiers_to_send(read, NONE))[audience.name]
    return usable.unusable.get(UNNAMED, 0)


def _finding(audience: Audience, unusable: int, profiles: int) -> str | None:
    """What fails the audit: the bound at which a sync would refuse the audience."""
    if unusable <= profiles * audience.bounds.unusable:
        return None
    return (
        f"{unusable:,} of {profiles:,} profiles have no usable e-mail or identifier, more than the "
        f"{audience.bounds.unusable:.2%} allowed: mend them in Customer.io, or raise bounds.unusable"
    )
