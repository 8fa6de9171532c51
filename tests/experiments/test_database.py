"""Opening the ledger: private, migrated once, and plain words for whatever a database can refuse."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, inspect, select, text

from experiments import database
from experiments.database import connect, insert_or_ignore, insert_or_update, reading, writing
from experiments.errors import Rejected, Retryable
from experiments.schema import VERSION, metadata, spend, tunings

_TUNING = {"experiment": "e", "information": 1.0, "frozen_at": 1}


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    engine = connect(url)
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "beside" / "holdouts.sqlite"


def test_a_new_ledger_has_every_table_at_the_newest_version(engine: Engine) -> None:
    with reading(engine) as connection:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == VERSION


def test_the_migrations_make_the_tables_of_the_schema(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_opening_a_ledger_again_changes_nothing(ledger_url: str) -> None:
    with opened(ledger_url) as engine, writing(engine) as connection:
        connection.execute(insert(tunings).values(_TUNING))
    with opened(ledger_url) as engine, reading(engine) as connection:
        assert connection.scalar(select(tunings.c.experiment)) == "e"


def test_two_processes_may_migrate_at_once(ledger_url: str) -> None:
    code = "import sys; from experiments.database import connect; sys.stdin.read(1); connect(sys.argv[1])"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, ledger_url], stdin=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for each in both:
        assert each.stdin is not None
        each.stdin.write(b"x")
        each.stdin.flush()
    assert [each.communicate()[1] for each in both] == [b"", b"", b""]
    assert {each.returncode for each in both} == {0}


def test_a_ledger_of_a_newer_program_is_left_alone(ledger_url: str) -> None:
    with opened(ledger_url) as engine, writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Rejected, match="version 9999, newer than this program"):
        connect(ledger_url)


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:  # noqa: PT012 - the block is the subject
        connection.execute(insert(tunings).values(_TUNING))
        raise ZeroDivisionError
    with reading(engine) as connection:
        assert connection.scalar(select(tunings.c.experiment)) is None


def test_a_reader_never_sees_half_of_a_transaction(engine: Engine) -> None:
    with writing(engine) as writer:
        writer.execute(insert(tunings).values(_TUNING))
        with reading(engine) as reader:
            assert reader.scalar(select(tunings.c.experiment)) is None


def test_rows_are_updated_or_left_as_they_are(engine: Engine) -> None:
    row = {"ad_set": "1", "day": 1, "currency": "EUR", "cost": 5, "attributed_revenue": 0}
    row |= {"attributed_orders": 0, "displays": 0, "clicks": 0, "loaded_at": 1}
    with writing(engine) as connection:
        insert_or_update(connection, spend, [row], ["cost"])
        insert_or_update(connection, spend, [row | {"cost": 7, "clicks": 9}], ["cost"])
        insert_or_ignore(connection, spend, [row | {"cost": 8}])
        insert_or_update(connection, spend, [], ["cost"])
        assert connection.execute(select(spend.c.cost, spend.c.clicks)).all() == [(7, 0)]


def test_the_file_and_its_companions_are_readable_by_their_owner_only(file: Path) -> None:
    before = os.umask(0)
    try:
        with opened(f"sqlite:///{file}") as engine, writing(engine) as connection:
            connection.execute(insert(tunings).values(_TUNING))
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    finally:
        os.umask(before)
    assert found == dict.fromkeys(("holdouts.sqlite", "holdouts.sqlite-wal", "holdouts.sqlite-shm"), 384)


def test_the_file_is_in_wal_mode_and_every_commit_is_on_the_disk(file: Path) -> None:
    with opened(f"sqlite:///{file}") as engine, reading(engine) as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_an_empty_file_is_taken_over_with_the_rights_that_its_owner_gave_it(file: Path) -> None:
    file.parent.mkdir()
    file.touch(0o640)
    file.chmod(0o640)
    with opened(f"sqlite:///{file}") as engine, reading(engine) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == VERSION
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_a_locked_file_is_said_to_be_locked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    with (
        opened(f"sqlite:///{file}") as engine,
        writing(engine),
        pytest.raises(Retryable, match="locked by another process"),
    ):
        writing(engine).__enter__()


def test_a_full_disk_is_said_to_be_full_and_loses_nothing(file: Path) -> None:
    many = [_TUNING | {"experiment": f"e{n}" * 20} for n in range(5000)]
    with opened(f"sqlite:///{file}") as engine:
        with writing(engine) as connection:
            connection.execute(insert(tunings).values(_TUNING))
        with pytest.raises(Retryable, match="full; make room"), writing(engine) as connection:  # noqa: PT012
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            connection.execute(insert(tunings), many)
        with reading(engine) as connection:
            assert connection.scalars(select(tunings.c.experiment)).all() == ["e"]


def test_a_file_that_is_no_database_is_named(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"order_id;email\n" * 400)
    with pytest.raises(Rejected, match="is no SQLite database"):
        connect(f"sqlite:///{file}")


def test_a_file_that_may_only_be_read_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(f"sqlite:///{file}").dispose()

    def read_only(*args: object, **kwargs: object) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{file}?mode=ro", uri=True)

    engine = database.create_engine("sqlite://", creator=read_only)
    with pytest.raises(Rejected, match="cannot be opened for writing"), writing(engine) as connection:
        connection.execute(insert(tunings).values(_TUNING))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Rejected, match="cannot be created"):
        connect(f"sqlite:///{tmp_path}/file/holdouts.sqlite")


@pytest.mark.parametrize(("url", "why"), [("nonsense", "no database URL"), ("mysql://x/y", "not on mysql")])
def test_a_url_of_another_kind_is_rejected(url: str, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        connect(url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Retryable, match="does not answer") as caught:
        connect("postgresql://someone:pass-word@127.0.0.1:1/holdouts?connect_timeout=2")
    assert "pass-word" not in str(caught.value)


def test_what_the_database_refuses_is_said_without_its_data(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(tunings).values(_TUNING))
    with pytest.raises(Rejected, match="refused a statement") as caught, writing(engine) as connection:
        connection.execute(insert(tunings).values(_TUNING | {"information": 12345.0}))
    assert "12345" not in str(caught.value)
