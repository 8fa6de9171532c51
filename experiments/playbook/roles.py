"""Which exclusions a programme has, told by the words in their names. Pure."""

from __future__ import annotations

import re
from typing import Literal

from experiments.audiences import Audience
from experiments.playbook.facts import DAY, Snapshot, stay_of

Purpose = Literal["purchasers", "vips", "refunds", "suppressed", "subscribers"]

_WORDS: dict[Purpose, re.Pattern[str]] = {
    "purchasers": re.compile(r"purchas|bought|buyer|ordered|\borders?\b|converted"),
    "vips": re.compile(r"\bvips?\b|best customers|loyal"),
    "refunds": re.compile(r"refund|return|sends back"),
    "suppressed": re.compile(r"suppress|unsubscrib|support|complain|opted.?out"),
    "subscribers": re.compile(r"new.?subscriber|signed.?up|welcome"),
}
PURCHASE_MEMORY = 7 * DAY
"""How long a purchaser stays recent where no name says it."""


def exclusions(snapshot: Snapshot, purpose: Purpose) -> tuple[Audience, ...]:
    """Exclude audiences whose own name, or whose segment's, has a word of the purpose."""
    words = _WORDS[purpose]
    return tuple(each for each in snapshot.programme.excludes if words.search(snapshot.titles(each)))


def purchase_memory(snapshot: Snapshot) -> int:
    """For how long the recent purchasers' exclusion keeps a buyer out."""
    stays = (stay_of(each) for each in exclusions(snapshot, "purchasers"))
    return max((stay.end for stay in stays if stay is not None), default=PURCHASE_MEMORY)


def can_hold_recent_buyers(audience: Audience, memory: int) -> bool:
    """Whether the audience's window begins before the exclusion's ends; `lapsed-60-120d` holds none."""
    stay = stay_of(audience)
    return stay is None or stay.start < memory
