"""The query for a team's own warehouse gives the arms of the ledger, to the last person."""

import hashlib

import duckdb
import pytest
from sqlalchemy import create_engine, text

from experiments.digests import DigestSet
from experiments.errors import Rejected
from experiments.phases import Holdout, assign
from flows.auditing import arms_sql

PEOPLE = [hashlib.sha256(f"customer{number}@example.com".encode()).digest() for number in range(2_000)]
UNITS = DigestSet.of(PEOPLE)
HOLDOUTS = [
    Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 20_000),
    Holdout("holdout:v1:cart:s1", 290_000, "holdout:v1:universal:s3", 1),
    Holdout("holdout:v1:lapsed:s0", 500_000, "holdout:v1:universal:s0", 0),
]
ROWS = [
    (unit.hex(), each.salt, each.ppm, each.universal_salt, each.universal_ppm)
    for each in HOLDOUTS
    for unit in PEOPLE
]
COLUMNS = "unit varchar, salt varchar, ppm integer, universal_salt varchar, universal_ppm integer"
EXPECTED = sorted(
    (unit.hex(), int(rule))
    for each in HOLDOUTS
    for unit, rule in zip(UNITS, assign(UNITS, each).rules, strict=True)
)


def test_duckdb_agrees() -> None:
    connection = duckdb.connect()
    connection.execute(f"create table units ({COLUMNS})")
    connection.executemany("insert into units values (?, ?, ?, ?, ?)", ROWS)
    assert sorted(connection.execute(arms_sql("duckdb")).fetchall()) == EXPECTED


@pytest.mark.postgres
def test_postgresql_agrees(postgres_server: str) -> None:
    engine = create_engine(f"{postgres_server}/postgres".replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        connection.execute(text(f"create temporary table units ({COLUMNS})"))
        names = ("unit", "salt", "ppm", "universal_salt", "universal_ppm")
        insert = text("insert into units values (:unit, :salt, :ppm, :universal_salt, :universal_ppm)")
        connection.execute(insert, [dict(zip(names, row, strict=True)) for row in ROWS])
        found = connection.execute(text(arms_sql("postgresql").replace("::", r"\:\:"))).all()
    engine.dispose()
    assert sorted(tuple(row) for row in found) == EXPECTED


@pytest.mark.parametrize("dialect", ["postgresql", "duckdb", "bigquery", "snowflake"])
def test_each_query_is_one_line_over_the_columns_that_the_help_names(dialect: str) -> None:
    query = arms_sql(dialect)
    assert "\n" not in query
    assert query.startswith("SELECT unit, CASE WHEN")
    assert query.endswith("END AS arm FROM units")
    for column in ("universal_salt", "universal_ppm", "salt", "ppm"):
        assert column in query
    assert "{" not in query
    assert ".0" not in query, "no floating point decides an arm"


def test_another_dialect_is_refused_with_the_choice() -> None:
    with pytest.raises(Rejected, match="postgresql, duckdb, bigquery, snowflake"):
        arms_sql("cobol")
