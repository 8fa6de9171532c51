"""Which arm a unit belongs to, from nothing but its salt, its digest and a percentage. Pure.

Frozen for ever (see `tests/experiments/vectors.json`): a change here re-randomises every experiment.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Arm = Literal["holdout", "treatment"]

PPM = 1_000_000
BUCKETS = 2**32


def group_salt(holdout_group: str, number: int = 0) -> str:
    """Salt of a holdout group; `number` rises only by a deliberate re-randomisation."""
    return f"holdout:v1:{holdout_group}:s{number}"


def universal_salt(number: int = 0) -> str:
    """Salt of the universal holdout, decided before any group."""
    return group_salt("universal", number)


def bucket(salt: str, unit: str) -> int:
    """First 32 bits of SHA-256("{salt}|{unit}") as an unsigned integer."""
    return int(hashlib.sha256(f"{salt}|{unit}".encode()).hexdigest()[:8], 16)


def buckets(salt: str, units: Iterable[bytes]) -> NDArray[np.uint32]:
    """Buckets of many units at once; each unit is the 64 ASCII bytes of its hex digest."""
    salted = hashlib.sha256(f"{salt}|".encode())
    heads = []
    for unit in units:
        state = salted.copy()
        state.update(unit)
        heads.append(state.digest()[:4])
    return np.frombuffer(b"".join(heads), dtype=">u4").astype(np.uint32)


def threshold(ppm: int) -> int:
    """Number of buckets held out at `ppm` parts per million: floor(ppm · 2³² / 1 000 000)."""
    if not 0 <= ppm <= PPM:
        raise ValueError(f"a share of {ppm} parts per million is outside 0 to {PPM}")
    return ppm * BUCKETS // PPM


def arm(salt: str, unit: str, ppm: int) -> Arm:
    """`holdout` exactly when the unit's bucket lies below the threshold."""
    return "holdout" if bucket(salt, unit) < threshold(ppm) else "treatment"
