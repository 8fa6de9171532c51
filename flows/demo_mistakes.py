"""Common mistakes that the demo's shop can be told to make in its audiences file. Pure.

Those that it can make on the vendors' side are `sandbox.mistakes.Mistakes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Edit = tuple[str, str]

_CART_4 = "  - name: cart-4-24h\n"
_CART_2 = "  - name: cart-2-7d\n"
_ACCEPTED = """\
accepted:                      # findings of the playbook that the team lives with
  - code: design.windows-gap
    audience: cart-2-7d
    reason: the second day belongs to the cart e-mails
    until: 2027-06-30
"""
_GUARDS = "exclude: [recent-purchasers, refund-risk]"

EDITS: Mapping[str, tuple[Edit, ...]] = {
    "nobody excludes purchasers": (
        ("recent-purchasers, ", ""),
        ("  - name: recent-purchasers\n    segment: $recent_purchasers\n    role: exclude\n", ""),
    ),
    "browsers who just bought are not excluded": (
        (
            f'["$ad_set_browse_no_cart"]\n    {_GUARDS}',
            '["$ad_set_browse_no_cart"]\n    exclude: [refund-risk]',
        ),
    ),
    "everybody is advertised to": (
        (
            "  - name: browse-no-cart\n",
            "  - name: everyone\n    segment: $everyone\n    holdout: 10%\n    exclude: [recent-purchasers]\n  - name: browse-no-cart\n",
        ),
    ),
    "nobody looked at the gap between two windows": (
        (
            _ACCEPTED,
            "",
        ),
    ),
    "two windows overlap": ((_CART_4, f"{_CART_4}    member_for: 2-24h\n"),),
    "the first ad carries the discount": ((_CART_4, f"{_CART_4}    offer: cart-10\n"),),
    "the last ad carries a discount, for VIPs too": ((_CART_2, f"{_CART_2}    offer: cart-15\n"),),
    "a first-order code for people who come back": (
        ("  cart-10:", "  first: {depth: 20%, for: new}\n  cart-10:"),
        ("  - name: lapsed\n", "  - name: lapsed\n    offer: first\n"),
    ),
    "an offer that is over": (
        ("  cart-10:", "  summer: {depth: 5%, until: 2026-08-31}\n  cart-10:"),
        ("  - name: lapsed\n", "  - name: lapsed\n    offer: summer\n"),
    ),
    "journeys note what they offered": (
        ("criteo: {", "customerio: {offer_attribute: last_offer}\ncriteo: {"),
        (_CART_2, f"{_CART_2}    offer: cart-15\n"),
        (
            '["$ad_set_cart_2_7d"]\n    exclude: [recent-purchasers, refund-risk]',
            '["$ad_set_cart_2_7d"]\n    exclude: [recent-purchasers, refund-risk, vip]',
        ),
    ),
    "Criteo tests the same ad sets": (
        (
            "criteo: {processing: [], delay: 0h}",
            'criteo: {processing: [], delay: 0h, tests: [{name: uplift, ad_sets: ["$ad_set_lapsed"], from: 2026-09-01, until: 2026-12-31}]}',
        ),
    ),
    "nobody is held out": (
        ("    segment: $lapsed\n    holdout: 10%\n", "    segment: $lapsed\n    holdout: 0%\n"),
    ),
    "Criteo takes three hours": (
        ("criteo: {processing: [], delay: 0h}", "criteo: {processing: [], delay: 3h}"),
    ),
    "Criteo takes three days": (
        ("criteo: {processing: [], delay: 0h}", "criteo: {processing: [], delay: 72h}"),
    ),
    "Criteo's clock is forgotten": (("criteo: {processing: [], delay: 0h}", "criteo: {}"),),
}
IN_THE_DEMO = ("the last ad carries a discount, for VIPs too",)
"""Together with a journey that mails `cart-10`: two findings with their cost, and no list is another."""


def with_mistakes(text: str, mistakes: Iterable[str]) -> str:
    """The file with these mistakes in it; raises ValueError where an edit no longer fits."""
    for mistake in mistakes:
        for right, wrong in EDITS[mistake]:
            if right not in text:
                raise ValueError(f"{mistake}: {right!r} does not stand in the file")
            text = text.replace(right, wrong)
    return text
