"""How fast units are assigned on one core, beside SHA-256 alone over the same strings. I/O."""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import time

from experiments.assignment import buckets
from experiments.digests import DigestSet


def report(size: int) -> None:
    """Prints units a second, beside the bare hash over the same strings in the same run."""
    part = 250_000
    salt = "holdout:v1:cart:s0"
    prefix = f"{salt}|".encode()
    ours = alone = 0.0
    for _ in range(size // part):
        units = DigestSet.unpack(os.urandom(32 * part))
        began = time.perf_counter()
        buckets(salt, units.hex_units())
        ours += time.perf_counter() - began
        strings = [prefix + unit for unit in units.hex_units()]
        began = time.perf_counter()
        for string in strings:
            hashlib.sha256(string).digest()
        alone += time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"assigned      {size / ours / 1e6:6.2f} M/s  peak {peak:.0f} MB")
    print(f"SHA-256 alone {size / alone / 1e6:6.2f} M/s  ratio {alone / ours:.2f}")


def main() -> None:
    """`python -m benchmarks.assignment_speed [UNITS]`."""
    report(int(float(sys.argv[1])) if len(sys.argv) > 1 else 10_000_000)


if __name__ == "__main__":
    main()
