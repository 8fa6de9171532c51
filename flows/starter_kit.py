"""The audiences that nearly every shop should begin with, and how they stand in audiences.yaml. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher

from experiments.audiences import Role

SIMILAR = 0.6
"""Names below this likeness are no offer."""


@dataclass(frozen=True, slots=True)
class Kit:
    """One audience of the kit: what its people did, and what its segment may be called."""

    name: str
    people: str
    called: tuple[str, ...]
    role: Role = "include"
    lines: tuple[str, ...] = ()
    """What stands in the file below its segment."""
    is_discounted: bool = False
    """Whether its ads may carry a price cut, so that VIPs are kept out."""


@dataclass(frozen=True, slots=True)
class Found:
    """A segment of the workspace."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Start:
    """What the file begins with."""

    advertiser: str
    currency: str
    margin: str
    segments: Mapping[str, Found]
    """By the kit's names; an audience without a segment is left out."""
    accepted_until: date


_CART = ("holdout_group: cart        # the same people are held out of all windows of one group",)
KIT: tuple[Kit, ...] = (
    Kit(
        "cart-0-4h",
        "left a cart less than 4 hours ago",
        ("cart 0-4h", "cart left less than 4 hours ago", "abandoned cart 4 hours"),
        lines=(*_CART, "priority: 1", "bounds: {shrink: 95%}      # few people, and fewer at night"),
    ),
    Kit(
        "cart-4-24h",
        "left a cart 4 to 24 hours ago",
        ("cart 4-24h", "cart left 4 to 24 hours ago", "abandoned cart 24 hours"),
        lines=(*_CART, "priority: 2", "bounds: {shrink: 60%}"),
    ),
    Kit(
        "cart-2-7d",
        "left a cart 2 to 7 days ago",
        ("cart 2-7d", "cart left 2 to 7 days ago", "abandoned cart 7 days"),
        lines=(*_CART, "priority: 3"),
        is_discounted=True,
    ),
    Kit(
        "viewed-twice-no-cart",
        "looked at a product twice within 7 days and put nothing in a cart",
        ("viewed twice no cart", "browse no cart", "product viewed twice", "two visits no cart"),
        lines=("member_for: 0-7d",),
    ),
    Kit(
        "replenishment",
        "bought something that is used up by now",
        ("replenishment", "replenish", "due for refill", "running out"),
    ),
    Kit(
        "lapsed-60-120d",
        "ordered twice or more, the last time 60 to 120 days ago",
        ("lapsed 60-120d", "lapsed", "lapsed customers 60 to 120 days"),
    ),
    Kit(
        "winback-full-price",
        "bought at full price and stayed away since",
        ("winback full price", "win back full price buyers"),
    ),
    Kit(
        "winback-discount",
        "bought with discounts only and stayed away since",
        ("winback discount", "win back discount seekers", "winback discount buyers"),
        is_discounted=True,
    ),
    Kit(
        "recent-purchasers",
        "ordered in the last 7 days",
        ("recent purchasers", "purchased in the last 7 days", "ordered in 7 days"),
        role="exclude",
        lines=("member_for: 0-7d",),
    ),
    Kit(
        "new-subscribers",
        "signed up lately, and are in the welcome journey",
        ("new subscribers", "signed up in the last days", "in welcome series"),
        role="exclude",
    ),
    Kit("refund-risk", "send back too much", ("refund risk", "high returners"), role="exclude"),
    Kit("vip", "buy often, and at full price", ("vip", "vips", "best customers"), role="exclude"),
    Kit(
        "suppressed",
        "unsubscribed, complained, or have an open support case",
        ("suppressed", "unsubscribed", "support cases", "suppressed and support cases"),
        role="exclude",
    ),
)
_ALWAYS = ("recent-purchasers", "new-subscribers", "refund-risk", "suppressed")

_HEAD = """\
# The one file a team edits. Look at it, then: holdouts check
advertiser: "{advertiser}"
currency: {currency}
margin: {margin}                    # contribution margin: break-even iROAS = 1 / margin
universal_holdout: 2%          # held out of every audience; measures the whole programme
orders:                        # where conversions come from: any SQLAlchemy URL, or CSV/Parquet files
  url: env:ORDERS_URL
  query: select order_id, email, ordered_at, revenue from orders where ordered_at >= :since and ordered_at < :until
"""
_GAP = """\
accepted:                      # findings of the playbook that the team lives with, for a while
  - code: design.windows-gap
    audience: cart-2-7d
    reason: the second day belongs to the cart e-mails
    until: {until}
"""


def best_matches(segments: Sequence[Found]) -> dict[str, Found]:
    """For each audience of the kit the segment whose name is most alike; none is offered twice."""
    likely = sorted(
        ((_likeness(kit, each), kit.name, each) for kit in KIT for each in segments),
        key=lambda row: -row[0],
    )
    found: dict[str, Found] = {}
    for likeness, name, segment in likely:
        if likeness >= SIMILAR and name not in found and segment not in found.values():
            found[name] = segment
    return found


def yaml_text(start: Start) -> str:
    """The file; the kit's audiences without a segment stand at its end, as what is left to do."""
    head = _HEAD.format(advertiser=start.advertiser, currency=start.currency, margin=start.margin)
    has_gap = {"cart-4-24h", "cart-2-7d"} <= set(start.segments)
    parts = [head, _GAP.format(until=start.accepted_until) if has_gap else "", "audiences:\n"]
    parts += [_entry(kit, start) for kit in KIT if kit.name in start.segments]
    parts += [
        f"# no segment yet: {kit.name} ({kit.people})\n" for kit in KIT if kit.name not in start.segments
    ]
    return "".join(parts)


def _entry(kit: Kit, start: Start) -> str:
    segment = start.segments[kit.name]
    called = " ".join(segment.name.split())
    lines = [f"  - name: {kit.name}", f"    segment: {segment.id}  # {called}: people who {kit.people}"]
    if kit.role == "exclude":
        lines.append("    role: exclude")
    else:
        guards = [*_ALWAYS, *(["vip"] if kit.is_discounted else [])]
        lines += [
            "    holdout: 10%",
            "    ad_sets: []              # Criteo's ad sets whose spend is this audience's",
        ]
        lines.append(f"    exclude: [{', '.join(name for name in guards if name in start.segments)}]")
    return "\n".join([*lines, *(f"    {line}" for line in kit.lines)]) + "\n"


def _likeness(kit: Kit, segment: Found) -> float:
    name = _plain(segment.name)
    return max(SequenceMatcher(None, _plain(word), name).ratio() for word in (kit.name, *kit.called))


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("–", " ").replace("_", " ").split())
