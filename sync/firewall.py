"""The last look before a request leaves: nobody in it is held out. Pure.

It hashes for itself and shares no code with the planner or with `experiments.assignment`, so that one
mistake cannot be made in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from experiments.errors import Leaked
from experiments.phases import Holdout


def check_add(audience: str, units: Iterable[bytes], holdout: Holdout) -> None:
    """Raises Leaked where any of these 32-byte digests is held out of the audience."""
    leaked = count_held_out(units, holdout)
    if leaked:
        raise Leaked(
            f"{audience}: {leaked} of the people about to be added are held out; nothing was sent. "
            "This is a defect of the program or of its database: run `holdouts audit arms` and report it",
            audience=audience,
            people=leaked,
        )


def units_written(form: str, texts: Iterable[str]) -> list[bytes]:
    """Whom a request names by its own words: only e-mails in clear tell, other forms say nothing here."""
    if form != "plain":
        return []
    return [hashlib.sha256(text.encode()).digest() for text in texts]


def count_held_out(units: Iterable[bytes], holdout: Holdout) -> int:
    """How many of these digests one of the two salts holds out."""
    rules = (
        (holdout.universal_salt.encode() + b"|", holdout.universal_ppm * 4_294_967_296 // 1_000_000),
        (holdout.salt.encode() + b"|", holdout.ppm * 4_294_967_296 // 1_000_000),
    )
    live = [(prefix, limit.to_bytes(8, "big")) for prefix, limit in rules if limit]
    sha256 = hashlib.sha256
    count = 0
    for unit in units:
        text = unit.hex().encode()
        for prefix, limit in live:
            if b"\0\0\0\0" + sha256(prefix + text).digest()[:4] < limit:
                count += 1
                break
    return count
