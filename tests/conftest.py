"""Ledgers for every test: real SQLite files, and databases of a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import cluster, fresh_database
from sqlalchemy import Engine

from experiments.database import connect


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind that the ledger runs on."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'holdouts.sqlite'}"
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture
def engine(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()
