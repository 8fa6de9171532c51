"""A ledger is one brand's, for good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, insert, select

from experiments.database import connect, reading, writing
from experiments.errors import Rejected
from experiments.ownership import claim
from experiments.schema import lists, owners


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Engine]:
    engine = connect(ledger_url)
    yield engine
    engine.dispose()


def owner(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(owners.c.brand, owners.c.advertiser))]


def write_a_list(engine: Engine) -> None:
    with writing(engine) as connection:
        row = {"criteo_id": "7", "name": "cart", "role": "include", "state": "current"}
        connection.execute(insert(lists), [row])


def test_the_first_one_owns_it_and_may_come_again(ledger: Engine) -> None:
    claim(ledger, "acme", "111")
    claim(ledger, "acme", "111")
    assert owner(ledger) == [("acme", "111")]


@pytest.mark.parametrize("stranger", [("zeta", "111"), ("zeta", "222"), ("", "111")])
def test_nobody_else_gets_it(ledger: Engine, stranger: tuple[str, str]) -> None:
    claim(ledger, "acme", "111")
    with pytest.raises(Rejected, match=r"belongs to the brand acme.*a ledger of its own"):
        claim(ledger, *stranger)
    assert owner(ledger) == [("acme", "111")]


def test_a_single_brand_s_ledger_becomes_a_named_brand_s_with_the_same_advertiser(ledger: Engine) -> None:
    claim(ledger, "", "111")
    write_a_list(ledger)
    with pytest.raises(Rejected, match=r"advertiser 111, and the audiences file names 222"):
        claim(ledger, "acme", "222")
    claim(ledger, "acme", "111")
    assert owner(ledger) == [("acme", "111")]


def test_the_advertiser_may_be_corrected_until_a_list_was_written(ledger: Engine) -> None:
    claim(ledger, "", "112")
    claim(ledger, "", "111")
    write_a_list(ledger)
    with pytest.raises(Rejected, match=r"advertiser 111, and the audiences file names 222"):
        claim(ledger, "", "222")
    assert owner(ledger) == [("", "111")]


def test_of_two_who_come_at_once_one_gets_it(ledger: Engine) -> None:
    def ask(brand: str) -> bool:
        try:
            claim(ledger, brand, "111")
        except Rejected:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(ask, ["acme", "zeta"] * 8))
    assert len(owner(ledger)) == 1
    assert got in ([True, False] * 8, [False, True] * 8)
