"""How many people each two of many sets have in common, in one sort instead of a comparison of every pair. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from experiments.digests import SIZE, DigestSet


def people_in_common(sets: Mapping[str, DigestSet]) -> dict[tuple[str, str], int]:
    """For each pair of names, in the order of the mapping, the digests that both sets hold; exact."""
    names = tuple(sets)
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    if any(len(each) for each in sets.values()):
        people, owners = _sorted(tuple(sets.values()))
        apart = 1
        # Equal digests stand together: first each with its neighbour, then with the one after that, …
        while (both := people[apart:] == people[:-apart]).any():
            np.add.at(counts, (owners[:-apart][both], owners[apart:][both]), 1)
            apart += 1
    counts += counts.T
    return {
        (names[one], names[other]): int(counts[one, other])
        for one, other in combinations(range(len(names)), 2)
    }


def _sorted(sets: tuple[DigestSet, ...]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """A number for each digest's person, equal ones side by side, and the set that each came from."""
    rows = np.concatenate([each.rows for each in sets])
    words = np.ascontiguousarray(rows).view(">u8").reshape(-1, SIZE // 8)
    owners = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    order = np.argsort(words[:, 0].astype(np.uint64), kind="stable")
    is_new = _differs(words, order)
    first_words = words[order, 0]
    if (is_new[1:] & (first_words[1:] == first_words[:-1])).any():  # two people share their first 8 bytes
        order = np.lexsort([words[:, at] for at in range(words.shape[1])][::-1])
        is_new = _differs(words, order)
    return np.cumsum(is_new), owners[order]


def _differs(words: NDArray[np.uint64], order: NDArray[np.intp]) -> NDArray[np.bool_]:
    """For each digest in order, whether it is another one than that before it."""
    ordered = words[order]
    return np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
