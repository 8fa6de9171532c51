"""Which names came by before: eight bytes for each of millions, where a set of strings takes a hundred. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Seen:
    """Remembers names by a 64-bit hash that is drawn anew in each process.

    Two of ten million names share one with a chance of three in a million; the later one would be taken for
    the earlier. The hashes stand in sorted runs, and a run is merged with its neighbour once it is as long.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def add(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Remembers the names; for each, whether it comes for the first time."""
        keys = np.fromiter(map(hash, names), dtype=np.int64, count=len(names))
        is_new = np.zeros(len(keys), dtype=np.bool_)
        is_new[np.unique(keys, return_index=True)[1]] = True
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
            is_new &= run[at] != keys
        if is_new.any():
            self._keep(np.sort(keys[is_new]))
        return is_new

    def _keep(self, run: NDArray[np.int64]) -> None:
        while self._runs and len(self._runs[-1]) <= len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]))
        self._runs.append(run)
