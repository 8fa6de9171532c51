"""The audiences file of the demo's shop, with the sandbox's ids filled in. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from flows.demo_mistakes import with_mistakes


def audiences_yaml(
    advertiser: str,
    segments: Mapping[str, int],
    ad_sets: Mapping[str, str],
    orders: Path,
    mistakes: Iterable[str] = (),
) -> str:
    """The text of the file; `orders` is the shop's SQLite file, `mistakes` of `flows.demo_mistakes`."""
    values = {"advertiser": advertiser, "orders": f"sqlite:///{orders.resolve()}"}
    values |= {name.replace("-", "_"): str(segment) for name, segment in segments.items()}
    values |= {f"ad_set_{name.replace('-', '_')}": ad_set for name, ad_set in ad_sets.items()}
    template = files("flows").joinpath("demo_audiences.yaml").read_text(encoding="utf-8")
    return Template(with_mistakes(template, mistakes)).safe_substitute(values)
