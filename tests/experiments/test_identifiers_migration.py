"""A ledger of before the identifiers upgrades by itself and keeps what it knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, select, text

import experiments
from experiments.database import connect, reading, writing
from experiments.digests import DigestSet
from experiments.identity import digest
from experiments.schema import VERSION
from sync import pushes

PEOPLE = DigestSet.of(digest(f"p{n}@example.com") for n in range(50))


@contextmanager
def ledger_of_before(url: str) -> Iterator[Engine]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    config = Config()
    config.set_main_option("script_location", str(Path(experiments.__path__[0]) / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield engine
    engine.dispose()


def test_an_older_ledger_gets_the_new_tables_and_keeps_its_requests(ledger_url: str) -> None:
    with ledger_of_before(ledger_url) as old, old.begin() as connection:
        assert "identifiers" not in inspect(connection).get_table_names()
        number = pushes.write_ahead(connection, "7000", "add", PEOPLE, 1)
        pushes.settle(connection, number, "confirmed", at=2)
    engine = connect(ledger_url)
    with reading(engine) as connection:
        assert pushes.holding(connection, "7000").surely == PEOPLE
        assert connection.scalar(select(text("version_num")).select_from(text("alembic_version"))) == VERSION
        assert {"identifiers", "rejections"} <= set(inspect(connection).get_table_names())
    with writing(engine) as connection:
        pushes.write_ahead(connection, "7000", "remove", PEOPLE, 3)
    engine.dispose()
