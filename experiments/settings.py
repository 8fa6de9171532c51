"""What the environment says: addresses, files and credentials, read once at the edge. I/O."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self, get_args
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationInfo

from experiments.errors import Rejected, Retryable

Runner = Literal["threads", "dask", "ray"]
Credential = Literal[
    "CUSTOMERIO_APP_KEY",
    "CUSTOMERIO_TRACK_SITE_ID",
    "CUSTOMERIO_TRACK_API_KEY",
    "CRITEO_CLIENT_ID",
    "CRITEO_CLIENT_SECRET",
]


def _base_url(text: str, info: ValidationInfo) -> str:
    """https, or http to this machine: a credential never crosses a network in clear."""
    variable = (info.field_name or "").upper()
    try:
        parts = urlsplit(text)
        is_host = parts.hostname and parts.port != 0 and not (parts.username or parts.query or parts.fragment)
    except ValueError:
        is_host = False
    if not is_host:
        raise Rejected(f"{variable} must be the address of a host, such as https://api.example.com")
    assert parts.hostname
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise Rejected(f"{variable} must start with https://")
    return text.rstrip("/")


def _version(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}", text):
        raise Rejected("CRITEO_API_VERSION must be a year and a month, such as 2026-07")
    return text


def _runner(text: str) -> str:
    if text not in get_args(Runner):
        raise Rejected(f"HOLDOUTS_TASK_RUNNER must be one of {', '.join(get_args(Runner))}")
    return text


def _count(text: str, info: ValidationInfo) -> int:
    if not (text.isdecimal() and int(text)):
        raise Rejected(f"{(info.field_name or '').upper()} must be a whole number of at least 1")
    return int(text)


def _header_safe(text: str, info: ValidationInfo) -> str:
    """A credential as it was meant: a file's line end does not belong to it."""
    text = text.strip()
    if not (text.isascii() and text.isprintable()):
        raise Rejected(f"{(info.field_name or '').upper()} holds characters that no credential has")
    return text


BaseUrl = Annotated[str, BeforeValidator(_base_url)]
Secret = Annotated[SecretStr, BeforeValidator(_header_safe)]
_SECRETS = ("holdouts_database_url", *(name.lower() for name in get_args(Credential)))
Block = Callable[[str], str | None]
"""Gives the value of a Secret block by its name, or None where there is no such block."""


def brand_in_force(environ: Mapping[str, str] = os.environ) -> str:
    """The brand that this process works for; empty where there is only one."""
    return environ.get("HOLDOUTS_BRAND", "").strip()


def prefect_secret(name: str) -> str | None:
    """The value of a Secret block on the Prefect server, if there is one of this name."""
    from prefect.blocks.system import Secret as SecretBlock

    try:
        block = SecretBlock.load(name)
    except ValueError:
        return None
    except (httpx.HTTPError, RuntimeError) as error:
        raise Retryable(f"Prefect did not answer when asked for the Secret block {name}") from error
    assert isinstance(block, SecretBlock), "load answers at once outside of an event loop"
    return str(block.get())


class Settings(BaseModel):
    """The environment of design.md; `Settings.read()` is the way to make one."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    holdouts_audiences: Path = Path("experiments/audiences.yaml")
    holdouts_database_url: SecretStr | None = None
    holdouts_brands: Path = Path("experiments/brands.yaml")
    holdouts_brand: str = ""
    """Whose audiences, ledger and credentials these are, where one installation serves several; of `brands.yaml`."""
    criteo_app: str = ""
    """Whose Criteo credentials and limits these are: the brand's own, or those that several share."""
    holdouts_rate_limits: bool = True
    """Off only for a simulated clock, where a day passes in a second."""
    holdouts_task_runner: Annotated[Runner, BeforeValidator(_runner)] = "threads"
    """What sums the slices of a huge audience; Dask and Ray are extras."""
    holdouts_cluster: str | None = None
    """The address of a Dask scheduler or a Ray cluster; without one they start on this machine."""
    holdouts_at_once: Annotated[int, BeforeValidator(_count)] = 2
    """Slices that this machine sums at once."""
    holdouts_slice_size: Annotated[int, BeforeValidator(_count)] = 1_000_000
    """Entries that are summed by one statement; more of them go in slices."""
    customerio_base_url: BaseUrl = "https://api.customer.io"
    customerio_app_key: Secret | None = None
    customerio_track_base_url: BaseUrl | None = None
    customerio_track_site_id: Secret | None = None
    customerio_track_api_key: Secret | None = None
    criteo_base_url: BaseUrl = "https://api.criteo.com"
    criteo_api_version: Annotated[str, BeforeValidator(_version)] = "2026-07"
    criteo_client_id: Secret | None = None
    criteo_client_secret: Secret | None = None
    prefect_api_url: str | None = Field(default=None, repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The settings of an environment; a variable that is empty counts as absent.

        With HOLDOUTS_BRAND they are that brand's: its file of `brands.yaml`, and its own secrets, whose names begin
        with the brand's. Raises Rejected where a value is wrong or there is no such brand.
        """
        given = {name.lower(): value for name, value in environ.items() if value.strip()}
        return cls.model_validate(_of_brand(given) if "holdouts_brand" in given else given)

    @classmethod
    def read_for(cls, brand: str, environ: Mapping[str, str] = os.environ) -> Self:
        """The same for a brand that was named elsewhere; empty where there is only one."""
        named = {"HOLDOUTS_BRAND": brand, "HOLDOUTS_AUDIENCES": ""} if brand else {}
        return cls.read({**environ, **named})

    @property
    def audiences(self) -> Path:
        """The file that the team edits."""
        return self.holdouts_audiences

    @property
    def track_base_url(self) -> str:
        """Customer.io's Track API, by default in the region of the App API."""
        region = "-eu" if self.customerio_base_url == "https://api-eu.customer.io" else ""
        return self.customerio_track_base_url or f"https://track{region}.customer.io"

    def database_url(self, block: Block = prefect_secret) -> SecretStr:
        """The ledger's database, else a file beside the audiences; a secret, for it may hold a password."""
        own = f"-{self.holdouts_brand}" if self.holdouts_brand else ""
        beside = self.holdouts_audiences.resolve().with_name(f"holdouts{own}.sqlite")
        return self._secret("HOLDOUTS_DATABASE_URL", block) or SecretStr(f"sqlite:///{beside}")

    def credential(self, name: Credential, block: Block = prefect_secret) -> SecretStr:
        """The credential from its variable, else from the Prefect block; Rejected where neither has it."""
        found = self._secret(name, block)
        if found is None:
            own = self._own(name)
            also = f" and Prefect has no Secret block {_block_name(own)}" if self.prefect_api_url else ""
            raise Rejected(f"{own} is not set{also}")
        return found

    def owner_of(self, name: str) -> str:
        """Whose secret or limit of this name is used: the brand, or the Criteo application; empty without brands."""
        return self.criteo_app if name.lower().startswith("criteo") else self.holdouts_brand

    def _secret(self, name: str, block: Block) -> SecretStr | None:
        given: SecretStr | None = getattr(self, name.lower())
        if given is not None or not self.prefect_api_url:
            return given
        found = (block(_block_name(self._own(name))) or "").strip()
        return SecretStr(found) if found else None

    def _own(self, name: str) -> str:
        return _owned(name, self.owner_of(name)).upper()


def _of_brand(given: Mapping[str, str]) -> dict[str, str]:
    """A brand's values. A secret without the brand's name is everybody's on this machine, so none is looked at."""
    from experiments.brands import read_brand

    if "holdouts_audiences" in given:
        raise Rejected(
            "HOLDOUTS_BRAND and HOLDOUTS_AUDIENCES are both set; a brand's audiences file stands in brands.yaml"
        )
    path = Path(given.get("holdouts_brands", Settings.model_fields["holdouts_brands"].default))
    brand = read_brand(path, given["holdouts_brand"])
    values = {name: value for name, value in given.items() if name not in _SECRETS}
    for name in _SECRETS:
        owned = _owned(name, brand.criteo_app if name.startswith("criteo") else brand.name)
        if owned in given:
            values[name] = given[owned]
    addresses = {"customerio_base_url": brand.customerio_base_url, "criteo_base_url": brand.criteo_base_url}
    values |= {name: address for name, address in addresses.items() if address}
    return {**values, "holdouts_audiences": str(brand.audiences), "criteo_app": brand.criteo_app}


def _owned(name: str, owner: str) -> str:
    return f"{owner.replace('-', '_')}_{name}".lower() if owner else name.lower()


def _block_name(variable: str) -> str:
    return variable.lower().replace("_", "-")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
