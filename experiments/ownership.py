"""Whose ledger this is: written down at the first use, and compared at every later one. I/O."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select, update

from experiments.database import insert_or_ignore, reading, writing
from experiments.errors import Rejected
from experiments.schema import lists, owners

_ONLY = 1


def claim(engine: Engine, brand: str, advertiser: str) -> None:
    """Makes the ledger this brand's where it is nobody's yet; raises Rejected where it is another's.

    A ledger of a single brand (`brand` empty) may become that of a named brand with the same Criteo advertiser. The
    advertiser may change while no list was ever written: afterwards the people on its lists would stay there for ever.
    """
    asked = (brand, advertiser)
    with reading(engine) as connection:
        if _owner(connection) == asked:
            return
    with writing(engine) as connection:
        insert_or_ignore(connection, owners, [{"id": _ONLY, "brand": brand, "advertiser": advertiser}])
        owner = _owner(connection)
        assert owner is not None, "it was written just now or before"
        if owner == asked:
            return
        _refuse_a_stranger(connection, owner, asked)
        connection.execute(update(owners).values(brand=brand, advertiser=advertiser))


def _owner(connection: Connection) -> tuple[str, str] | None:
    found = connection.execute(select(owners.c.brand, owners.c.advertiser)).one_or_none()
    return None if found is None else (found.brand, found.advertiser)


def _refuse_a_stranger(connection: Connection, owner: tuple[str, str], asked: tuple[str, str]) -> None:
    brand, advertiser = asked
    if owner[0] and owner[0] != brand:
        whose = f"the brand {brand}" if brand else "no brand"
        raise Rejected(
            f"this ledger belongs to the brand {owner[0]}, and {whose} was named; each brand needs a ledger of its own: "
            "another database, or another schema of the same one"
        )
    has_lists = connection.scalar(select(func.count()).select_from(lists))
    if owner[1] != advertiser and has_lists:
        raise Rejected(
            f"this ledger's lists are those of the Criteo advertiser {owner[1]}, and the audiences file names "
            f"{advertiser}; name the first again, or give the other a ledger of its own"
        )
