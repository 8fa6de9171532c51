"""A ledger of an older program becomes one of this program when it is opened, with everything that was in it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text

from experiments import database
from experiments.database import connect, reading
from experiments.schema import VERSION, metadata
from sync.lists import KnownList, known_lists

FIRST = "0001"


def _made_by_the_first_program(url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
        connection.execute(text("INSERT INTO tunings VALUES ('cart', 4500.0, 7)"))
        connection.execute(text("INSERT INTO lists VALUES ('7', 'cart', 'include', 'current')"))
        connection.execute(
            text("INSERT INTO orders VALUES ('o1', :unit, 100, 4200, 200, 300)"), {"unit": b"u" * 32}
        )
    engine.dispose()


def test_the_first_ledger_upgrades_by_itself_and_keeps_its_data(ledger_url: str) -> None:
    _made_by_the_first_program(ledger_url)
    engine = connect(ledger_url)
    with reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == VERSION
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        assert connection.execute(text("SELECT experiment, information FROM tunings")).all() == [
            ("cart", 4500.0)
        ]
        assert known_lists(connection) == (KnownList("7", "cart", "include", "current"),)
        order = "SELECT order_id, ordered_at, revenue, refunded FROM orders"
        assert connection.execute(text(order)).all() == [("o1", 100, 4200, 200)]
    engine.dispose()
