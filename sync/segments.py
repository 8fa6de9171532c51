"""Reads one Customer.io segment into a membership: units, counts and what was unusable. I/O."""

from __future__ import annotations

from collections import Counter

from experiments.digests import EMPTY, DigestSet
from experiments.identity import resolve
from sync.customerio import CustomerIO
from sync.plan import Membership

_UNFINISHED = Membership(EMPTY, profiles=0, finished=False)


def read_membership(customerio: CustomerIO, segment: int) -> Membership:
    """Everyone in the segment now; a segment that is being built, or begins to be meanwhile, is not read.

    Profiles are counted once by `cio_id`, though pages may repeat them; two profiles with one e-mail
    are one unit.
    """
    if not customerio.segment(segment).is_finished:
        return _UNFINISHED
    profiles: set[str] = set()
    units: list[bytes] = []
    unusable: Counter[str] = Counter()
    for page in customerio.membership(segment):
        new = [member for member in page.members if member.cio_id not in profiles]
        profiles.update(member.cio_id for member in new)
        identified = resolve(member.email for member in new)
        units += identified.units
        unusable.update({str(kind): count for kind, count in identified.unusable.items()})
    reported = customerio.customer_count(segment)
    if not customerio.segment(segment).is_finished:
        return _UNFINISHED
    return Membership(
        units=DigestSet.of(units), profiles=len(profiles), unusable=dict(unusable), reported=reported
    )
