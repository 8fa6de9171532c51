"""Deploys every flow of `prefect.yaml` once for each brand of `brands.yaml`, with limits of its own. I/O.

    python -m flows.brands              all brands
    python -m flows.brands acme zeta    these

A deployment is called `sync-audiences/acme`. Its runs are told their brand and nothing else, find its audiences file in
`brands.yaml` and its secrets under names that begin with the brand's, and refuse a ledger of another brand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from experiments.brands import Brand, check_programmes, read_brands
from experiments.errors import HoldoutsError, Rejected
from experiments.lined_yaml import read_text
from experiments.settings import Settings
from flows.shared_limits import create_limits

_PREFECT_YAML = Path("prefect.yaml")


def tag_of(brand: str) -> str:
    """The tag of everything that runs for a brand."""
    return f"brand-{brand}"


def deployments_of(brand: Brand, brands: Path, everyone: Mapping[str, Any]) -> dict[str, Any]:
    """`prefect.yaml` for one brand: its deployments' names, tags, work pool, environment and reports."""
    environment = {
        "HOLDOUTS_BRAND": brand.name,
        "HOLDOUTS_BRANDS": str(brands.resolve()),
        "HOLDOUTS_AUDIENCES": "",
    }
    pool = {"name": brand.work_pool}
    report = {"report_folder": brand.report_folder, "report_url": brand.report_url}
    deployments = []
    for each in everyone["deployments"]:
        asked = {key: value for key, value in each["work_pool"].items() if key not in pool}
        variables = dict(asked.pop("job_variables", {}))
        variables["env"] = {**variables.get("env", {}), **environment}
        parameters = dict(each.get("parameters", {}))
        parameters |= {key: value for key, value in report.items() if key in parameters}
        deployments.append(
            {
                **each,
                "name": brand.name,
                "tags": [*each.get("tags", []), tag_of(brand.name)],
                "work_pool": {**asked, **pool, "job_variables": variables},
                "parameters": parameters,
            }
        )
    return {**everyone, "deployments": deployments}


def deploy_brands(names: Sequence[str]) -> Iterator[str]:
    """Deploys these brands, or all; gives each one's name when it is done.

    Raises Rejected where a file is wrong, a name is unknown or Prefect refuses, before the first brand or at one.
    """
    path = Settings.read_for("").holdouts_brands
    brands = read_brands(path)
    check_programmes(brands)
    known = {each.name: each for each in brands}
    for name in names:
        if name not in known:
            raise Rejected(f"{path} has no brand {name!r}; it has {', '.join(known)}")
    everyone = yaml.safe_load(read_text(_PREFECT_YAML, "the folder that you call this from"))
    here = {**os.environ, "HOLDOUTS_BRANDS": str(path.resolve())}
    for name in names or known:
        create_limits(Settings.read_for(name, here))
        _deploy(known[name], deployments_of(known[name], path, everyone), here)
        yield name


def main(arguments: Sequence[str]) -> int:
    """Runs as a command; gives its exit status."""
    try:
        for name in deploy_brands(arguments):
            sys.stdout.write(f"{name}\n")
    except HoldoutsError as error:
        sys.stderr.write(f"holdouts: {error}\n")
        return error.exit_status
    return 0


def _deploy(brand: Brand, asked: Mapping[str, Any], environ: Mapping[str, str]) -> None:
    """By Prefect's own command, in a process that has the brand's environment: the forms offer its audiences alone."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "prefect.yaml")
        file.write_text(yaml.safe_dump(dict(asked), sort_keys=False), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own interpreter and a file of ours
            [sys.executable, "-m", "prefect", "deploy", "--all", "--no-prompt", "--prefect-file", str(file)],
            env={**environ, "HOLDOUTS_BRAND": brand.name, "HOLDOUTS_AUDIENCES": ""},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise Rejected(f"{brand.name} could not be deployed; Prefect said: {' '.join(said[-3:])}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
