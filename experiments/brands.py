"""Reads `brands.yaml`: the brands that one installation serves, each with an audiences file of its own. I/O."""

from __future__ import annotations

from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Annotated

from pydantic import Field

from experiments.audience_file import read_programme
from experiments.audience_values import Entry
from experiments.errors import Rejected
from experiments.lined_yaml import Refuse, read_lined, read_text

_RESERVED = {"audience", "group", "programme", "source"}
"""Kinds of resources in events, which are called `holdouts.KIND.NAME` or `holdouts.BRAND.KIND.NAME`."""

BrandName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]


@dataclass(frozen=True, slots=True)
class Brand:
    """One brand: its name stands before its secrets, limits and deployments."""

    name: str
    audiences: Path
    criteo_app: str
    """Whose Criteo credentials are used, and whose limit is kept: Criteo counts an application's calls."""
    customerio_base_url: str | None
    criteo_base_url: str | None
    report_folder: str
    report_url: str
    work_pool: str


class _Brand(Entry):
    name: BrandName
    audiences: str
    criteo_app: BrandName | None = None
    customerio_base_url: str | None = None
    criteo_base_url: str | None = None
    report_folder: str | None = None
    report_url: str = ""
    work_pool: str = "holdouts"


class _File(Entry):
    brands: Annotated[tuple[_Brand, ...], Field(min_length=1)]


def read_brands(path: Path) -> tuple[Brand, ...]:
    """The brands of the file; raises Rejected with file, line and reason. Paths in it are relative to the file."""
    entries, refuse = read_lined(read_text(path, "HOLDOUTS_BRANDS"), str(path), _File)
    for index, entry in enumerate(entries.brands):
        if entry.name in _RESERVED:
            reason = f"name: {entry.name!r} is a name that the product keeps for itself"
            raise refuse(("brands", index, "name"), reason)
    brands = tuple(_brand(entry, path.parent) for entry in entries.brands)
    _check_unique(brands, refuse)
    return brands


def read_brand(path: Path, name: str) -> Brand:
    """One brand by its name; raises Rejected where the file has none of that name."""
    found = next((each for each in read_brands(path) if each.name == name), None)
    if found is None:
        raise Rejected(f"{path} has no brand {name!r}; HOLDOUTS_BRAND must name one that stands there")
    return found


def check_programmes(brands: tuple[Brand, ...]) -> None:
    """Reads every brand's audiences file; raises Rejected where one is wrong, or two have one Criteo advertiser.

    Two brands that share an advertiser share its lists by name, its ad sets and its holdouts: they are one programme.
    """
    owners: dict[str, str] = {}
    for brand in brands:
        advertiser = read_programme(brand.audiences).advertiser
        other = owners.setdefault(advertiser, brand.name)
        if other != brand.name:
            raise Rejected(
                f"{brand.audiences}: the brands {other} and {brand.name} have the same Criteo advertiser; "
                "keep their audiences in one file, or give each its own advertiser"
            )


def _brand(entry: _Brand, folder: Path) -> Brand:
    return Brand(
        name=entry.name,
        audiences=folder / entry.audiences,
        criteo_app=entry.criteo_app or entry.name,
        customerio_base_url=entry.customerio_base_url,
        criteo_base_url=entry.criteo_base_url,
        report_folder=entry.report_folder or f"report/{entry.name}",
        report_url=entry.report_url,
        work_pool=entry.work_pool,
    )


def _check_unique(brands: tuple[Brand, ...], refuse: Refuse) -> None:
    seen: dict[tuple[str, str], str] = {}
    for index, brand in enumerate(brands):
        own = {
            "name": brand.name,
            "audiences": str(brand.audiences.resolve()),
            "report_folder": normpath(brand.report_folder),
        }
        for key, value in own.items():
            if (key, value) in seen:
                raise refuse(
                    ("brands", index, key),
                    f"{key}: the brand {seen[key, value]} has it already; each needs its own",
                )
            seen[key, value] = brand.name
