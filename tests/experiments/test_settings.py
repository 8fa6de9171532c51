"""Settings: read once, checked at the edge, never printed."""

from pathlib import Path
from typing import get_args

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


class TestOfABrand:
    """One installation serves several brands; each run knows the secrets of one."""

    @pytest.fixture
    def brands(self, tmp_path: Path) -> dict[str, str]:
        path = tmp_path / "brands.yaml"
        path.write_text(
            "brands:\n"
            "  - {name: acme, audiences: acme/audiences.yaml, customerio_base_url: 'https://api-eu.customer.io'}\n"
            "  - {name: z-shop, audiences: z/audiences.yaml, criteo_app: agency}\n"
        )
        return {"HOLDOUTS_BRANDS": str(path), "HOLDOUTS_BRAND": "acme"}

    def test_its_file_region_and_ledger_follow_from_its_name(
        self, brands: dict[str, str], tmp_path: Path
    ) -> None:
        settings = Settings.read({**brands, "CUSTOMERIO_BASE_URL": "https://api.customer.io"})
        assert settings.audiences == tmp_path / "acme" / "audiences.yaml"
        assert settings.customerio_base_url == "https://api-eu.customer.io"
        ledger = settings.database_url().get_secret_value()
        assert ledger == f"sqlite:///{tmp_path}/acme/holdouts-acme.sqlite"

    @pytest.mark.parametrize("name", [*get_args(Credential)])
    def test_a_secret_that_carries_no_brand_is_nobody_s(
        self, brands: dict[str, str], name: Credential
    ) -> None:
        given = {
            **brands,
            name: "everybody's",
            f"ZETA_{name}": "zeta's",
            "HOLDOUTS_DATABASE_URL": "sqlite:///all",
        }
        with pytest.raises(Rejected, match=f"^ACME_{name} is not set$"):
            Settings.read(given).credential(name)
        mine = Settings.read({**given, f"ACME_{name}": "mine"})
        assert mine.credential(name).get_secret_value() == "mine"
        assert "all" not in mine.database_url().get_secret_value()

    def test_its_secret_blocks_carry_its_name_and_those_of_criteo_the_application_s(
        self, brands: dict[str, str]
    ) -> None:
        settings = Settings.read(
            {**brands, "HOLDOUTS_BRAND": "z-shop", "PREFECT_API_URL": "http://127.0.0.1:4200/api"}
        )
        asked: list[str] = []

        def block(name: str) -> str:
            asked.append(name)
            return "sqlite:///x"

        settings.credential("CUSTOMERIO_APP_KEY", block)
        settings.credential("CRITEO_CLIENT_SECRET", block)
        settings.database_url(block)
        assert asked == [
            "z-shop-customerio-app-key",
            "agency-criteo-client-secret",
            "z-shop-holdouts-database-url",
        ]
        with pytest.raises(
            Rejected, match="Z_SHOP_CUSTOMERIO_APP_KEY is not set and Prefect has no Secret block z-shop-cust"
        ):
            settings.credential("CUSTOMERIO_APP_KEY", lambda _: None)

    def test_limits_are_the_brand_s_and_those_of_criteo_the_application_s(
        self, brands: dict[str, str]
    ) -> None:
        settings = Settings.read({**brands, "HOLDOUTS_BRAND": "z-shop"})
        owners = [
            settings.owner_of(each) for each in ("customerio", "customerio-track", "criteo", "criteo-reports")
        ]
        assert owners == ["z-shop", "z-shop", "agency", "agency"]
        assert Settings.read({}).owner_of("criteo") == ""

    def test_another_file_cannot_be_named_beside_the_brand(self, brands: dict[str, str]) -> None:
        with pytest.raises(Rejected, match="HOLDOUTS_BRAND and HOLDOUTS_AUDIENCES are both set"):
            Settings.read({**brands, "HOLDOUTS_AUDIENCES": "zeta/audiences.yaml"})
        assert Settings.read({**brands, "HOLDOUTS_AUDIENCES": ""}).holdouts_brand == "acme"

    def test_a_brand_that_the_file_does_not_have_is_refused(self, brands: dict[str, str]) -> None:
        with pytest.raises(Rejected, match="has no brand 'zeta'"):
            Settings.read({**brands, "HOLDOUTS_BRAND": "zeta"})

    def test_another_machine_reads_the_settings_of_the_brand_that_it_is_told(
        self, brands: dict[str, str]
    ) -> None:
        here = {"HOLDOUTS_BRANDS": brands["HOLDOUTS_BRANDS"], "HOLDOUTS_AUDIENCES": "mine.yaml"}
        assert Settings.read_for("acme", here) == Settings.read(brands)
        assert Settings.read_for("", here).audiences == Path("mine.yaml")
