"""Settings: read once, checked at the edge, never printed."""

from pathlib import Path

import pytest

from experiments.errors import Rejected
from experiments.settings import Credential, Settings

SECRET = "s3cr3t+value"


def test_an_empty_environment_gives_the_documented_defaults(tmp_path: Path) -> None:
    settings = Settings.read({"HOLDOUTS_AUDIENCES": str(tmp_path / "audiences.yaml")})
    assert settings.database_url().get_secret_value() == f"sqlite:///{tmp_path}/holdouts.sqlite"
    assert settings.customerio_base_url == "https://api.customer.io"
    assert settings.criteo_base_url == "https://api.criteo.com"
    assert settings.criteo_api_version == "2026-07"
    assert Settings.read({}).audiences == Path("experiments/audiences.yaml")


def test_the_database_url_of_the_environment_wins() -> None:
    settings = Settings.read({"HOLDOUTS_DATABASE_URL": "postgresql+psycopg://u:pw@host/holdouts"})
    assert settings.database_url().get_secret_value() == "postgresql+psycopg://u:pw@host/holdouts"


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings.read({"CRITEO_API_VERSION": " ", "CUSTOMERIO_APP_KEY": ""}) == Settings.read({})


def test_no_secret_shows_when_settings_are_printed() -> None:
    settings = Settings.read(
        {
            "CUSTOMERIO_APP_KEY": SECRET,
            "CRITEO_CLIENT_ID": SECRET,
            "CRITEO_CLIENT_SECRET": SECRET,
            "HOLDOUTS_DATABASE_URL": f"postgresql://u:{SECRET}@host/db",
            "PREFECT_API_URL": f"https://u:{SECRET}@prefect/api",
        }
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.credential("CRITEO_CLIENT_SECRET"))
    assert SECRET not in str(settings.database_url())


def test_a_credential_loses_the_line_end_of_the_file_that_it_came_from() -> None:
    settings = Settings.read({"CUSTOMERIO_APP_KEY": f"{SECRET}\r\n"})
    assert settings.credential("CUSTOMERIO_APP_KEY").get_secret_value() == SECRET


@pytest.mark.parametrize("value", ["caf\u00e9-key", "two\nlines", "nul\x00"])
def test_a_credential_that_no_header_could_carry_is_rejected_unseen(value: str) -> None:
    with pytest.raises(Rejected, match="CUSTOMERIO_APP_KEY") as caught:
        Settings.read({"CUSTOMERIO_APP_KEY": value})
    assert value not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:9", "https://x.io/"]
)
def test_base_urls_are_https_or_on_this_machine(url: str) -> None:
    assert Settings.read({"CRITEO_BASE_URL": url}).criteo_base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://api.criteo.com", "http://10.0.0.1", "ftp://x.io", "api.criteo.com", "https://", "https://u:p@x.io",
     "https://[x", "https://x.io:port", "http://localhost.evil.io"],
)  # fmt: skip
def test_any_other_base_url_is_rejected_by_the_name_of_its_variable(url: str) -> None:
    with pytest.raises(Rejected, match="CUSTOMERIO_BASE_URL"):
        Settings.read({"CUSTOMERIO_BASE_URL": url})


@pytest.mark.parametrize("version", ["latest", "../2026-07", "2026-7", "2026-07\n/x"])
def test_an_api_version_is_a_year_and_a_month(version: str) -> None:
    with pytest.raises(Rejected, match="CRITEO_API_VERSION"):
        Settings.read({"CRITEO_API_VERSION": version})


def test_a_missing_credential_is_rejected_by_name_and_prefect_is_not_asked_without_a_server() -> None:
    with pytest.raises(Rejected, match=r"^CRITEO_CLIENT_ID is not set$"):
        Settings.read({}).credential("CRITEO_CLIENT_ID", block=lambda _: pytest.fail("asked Prefect"))


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("CUSTOMERIO_APP_KEY", "customerio-app-key"),
        ("CUSTOMERIO_TRACK_SITE_ID", "customerio-track-site-id"),
        ("CUSTOMERIO_TRACK_API_KEY", "customerio-track-api-key"),
        ("CRITEO_CLIENT_ID", "criteo-client-id"),
        ("CRITEO_CLIENT_SECRET", "criteo-client-secret"),
    ],
)
def test_a_prefect_block_serves_where_the_variable_is_absent(name: Credential, block: str) -> None:
    settings = Settings.read({"PREFECT_API_URL": "http://127.0.0.1:4200/api"})
    assert settings.credential(name, block={block: SECRET}.get).get_secret_value() == SECRET
    with pytest.raises(Rejected, match=f"{name} is not set and Prefect has no Secret block {block}"):
        settings.credential(name, block=lambda _: None)


def test_a_variable_wins_over_a_block() -> None:
    settings = Settings.read({"PREFECT_API_URL": "http://127.0.0.1:4200/api", "CRITEO_CLIENT_ID": "mine"})
    assert settings.credential("CRITEO_CLIENT_ID", block=lambda _: "theirs").get_secret_value() == "mine"


def test_the_ledger_s_address_may_stand_in_a_block_and_the_variable_wins() -> None:
    server = {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}
    blocks = {"holdouts-database-url": "postgresql://u:pw@theirs/holdouts\n"}
    found = Settings.read(server).database_url(block=blocks.get)
    assert found.get_secret_value() == "postgresql://u:pw@theirs/holdouts"
    mine = Settings.read({**server, "HOLDOUTS_DATABASE_URL": "sqlite:///mine.sqlite"})
    assert mine.database_url(block=blocks.get).get_secret_value() == "sqlite:///mine.sqlite"
    assert Settings.read(server).database_url(block=lambda _: " ").get_secret_value().startswith("sqlite:///")


def test_without_a_server_no_block_is_asked_for_the_ledger_s_address() -> None:
    Settings.read({}).database_url(block=lambda _: pytest.fail("asked Prefect"))


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, "https://track.customer.io"),
        ({"CUSTOMERIO_BASE_URL": "https://api-eu.customer.io"}, "https://track-eu.customer.io"),
        ({"CUSTOMERIO_TRACK_BASE_URL": "http://127.0.0.1:9/"}, "http://127.0.0.1:9"),
    ],
)
def test_the_track_api_is_in_the_region_of_the_app_api_unless_said(
    environment: dict[str, str], address: str
) -> None:
    assert Settings.read(environment).track_base_url == address
