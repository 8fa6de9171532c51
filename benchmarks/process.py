"""Runs one module as a process of its own and measures it from outside. I/O."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.measured import Cost

# A small process between this one and the measured one: a child's peak counts what its parent held when it forked.
_BETWEEN = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run([sys.executable, '-m', *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
print(done.stdout.strip())
sys.exit(done.returncode)
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What it took, and the JSON document that it printed; nothing where it printed nothing."""

    cost: Cost
    said: Mapping[str, Any]


def run(module: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
    """Runs `python -m MODULE ARGUMENTS`; raises CalledProcessError where it fails, its complaint being on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", _BETWEEN, module, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
        check=True,
    )
    figures, _, said = done.stdout.partition("\n")
    return Ran(Cost(*json.loads(figures)), json.loads(said) if said.strip() else {})


def tell(text: str) -> None:
    """A line of progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
