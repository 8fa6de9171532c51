"""Reads one Customer.io segment into a membership: units, counts, what was unusable, what people are sent as. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress

from experiments.digests import EMPTY, DigestSet
from experiments.identifiers import SHA256, Form, Identifiers, read_identifiers
from experiments.identity import identify, resolve
from sync.customerio import CustomerIO, Member
from sync.plan import Membership
from sync.seen import Seen

_UNFINISHED = Membership(EMPTY, profiles=0, finished=False)


@dataclass(frozen=True, slots=True)
class Profiles:
    """Some profiles of a segment, and the e-mail of each as it was typed."""

    ids: Sequence[str]
    emails: Sequence[str | None] = field(repr=False)


def read_membership(customerio: CustomerIO, segment: int, forms: Sequence[Form] = (SHA256,)) -> Membership:
    """Everyone in the segment now; a segment that is being built, or begins to be meanwhile, is not read.

    Two profiles with one e-mail are one unit. An identifier that is no e-mail is read from the profiles'
    attributes, a hundred people a request.
    """
    if not customerio.segment(segment).is_finished:
        return _UNFINISHED
    profiles = 0
    packed: list[bytes] = []
    unusable: Counter[str] = Counter()
    identifiers: list[Identifiers] = []
    for page in read_profiles(customerio, segment):
        profiles += len(page.ids)
        identified = resolve(page.emails)
        packed.append(b"".join(identified.units))
        unusable.update({str(kind): count for kind, count in identified.unusable.items()})
        identifiers.append(read_identifiers(forms, page.emails, _attributes(customerio, page, forms)))
    reported = customerio.customer_count(segment)
    if not customerio.segment(segment).is_finished:
        return _UNFINISHED
    return Membership(
        units=DigestSet.unpack(b"".join(packed)),
        profiles=profiles,
        unusable=dict(unusable),
        reported=reported,
        identifiers=Identifiers.join(identifiers),
    )


def profiles_of(customerio: CustomerIO, segment: int, people: DigestSet) -> dict[str, bytes]:
    """The `cio_id` of each profile in the segment that is one of these people, and who it is."""
    wanted, found = frozenset(people), {}
    for page in read_profiles(customerio, segment):
        for cio_id, email in zip(page.ids, page.emails, strict=True):
            person = identify(email)
            if person is not None and person[0] in wanted:
                found[cio_id] = person[0]
    return found


def read_profiles(customerio: CustomerIO, segment: int) -> Iterator[Profiles]:
    """Each profile that the segment lists, once by its `cio_id`, though pages may repeat it.

    Where the workspace lists no e-mails, they are read from the profiles' attributes.
    """
    seen = Seen()
    for page in customerio.membership(segment):
        members = page.members
        is_new = seen.add([member.cio_id for member in members])
        if not is_new.all():
            members = tuple(compress(members, is_new))
        yield Profiles([member.cio_id for member in members], list(_emails(customerio, members)))


def _emails(customerio: CustomerIO, members: Sequence[Member]) -> Iterable[str | None]:
    """E-mails of a page; a workspace that identifies people by id alone puts none into its pages."""
    if not members or any(member.email for member in members):
        return (member.email for member in members)
    profiles = customerio.attributes([member.cio_id for member in members], ["email"])
    found = {profile.cio_id: profile.values[0] for profile in profiles}
    return (found.get(member.cio_id) for member in members)


def _attributes(
    customerio: CustomerIO, page: Profiles, forms: Sequence[Form]
) -> dict[str, Sequence[str | None]]:
    """The attributes that the forms are read from, each in the order of the page."""
    names = sorted({form.attribute for form in forms if form.attribute})
    if not names or not page.ids:
        return {name: [] for name in names}
    found = {each.cio_id: each.values for each in customerio.attributes(page.ids, names)}
    unset = (None,) * len(names)
    return {name: [found.get(one, unset)[at] for one in page.ids] for at, name in enumerate(names)}
