"""A sandbox starts alone, beside others, and leaves nothing behind."""

from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from conftest import Open, Vendors

import sandbox
from sandbox.world import Switches


def test_every_switch_is_read_somewhere() -> None:
    package = Path(sandbox.__file__).parent
    source = "".join(path.read_text() for path in package.glob("*.py") if path.name != "switches.py")
    assert [field.name for field in fields(Switches) if f".{field.name}" not in source] == []


def test_the_package_imports_nothing_of_the_product() -> None:
    package = Path(sandbox.__file__).parent
    lines = [line for path in package.glob("*.py") for line in path.read_text().splitlines()]
    imported = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert not imported & {"flows", "experiments", "sync", "analysis"}


def test_keys_differ_between_starts_and_never_print(open_box: Open) -> None:
    one, other = open_box(), open_box()
    assert one.customerio_url != other.customerio_url
    for key in ("app_key", "client_id", "client_secret", "track_api_key"):
        assert getattr(one, key) != getattr(other, key)
        assert getattr(one, key) not in repr(one)


def test_stopping_closes_both_ports_and_may_be_repeated(open_box: Open, vendors: Vendors) -> None:
    box = open_box()
    vendors.customerio(box).get("/v1/segments")
    box.stop()
    box.stop()
    for url in (box.customerio_url, box.criteo_url):
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_a_second_start_replaces_the_shop_s_database(open_box: Open, tmp_path: Path) -> None:
    box = open_box()
    size = box.orders_path.stat().st_size
    assert size > 0
    assert list(tmp_path.iterdir()) == [box.orders_path]
