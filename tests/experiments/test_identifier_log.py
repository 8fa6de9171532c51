"""How an identifier was written is known as long as a list may hold it, and whose it was until they are erased."""

from sqlalchemy import Engine, select

from experiments.database import reading, writing
from experiments.digests import EMPTY, DigestSet
from experiments.identifier_log import (
    forget_person,
    forget_texts,
    keys_of_person,
    people_ever_named,
    remember_identifiers,
    sent_identifiers,
)
from experiments.identifiers import Form, Identifiers, read_identifiers
from experiments.identity import digest
from experiments.schema import identifiers

ADA, EVA = "ada@example.com", "eva@example.com"
DEVICE = "6d92078a-8246-4ba4-ae5b-76104861e7dc"
FORMS = (Form("md5"), Form("madid", "device"))
SENT = read_identifiers(FORMS, [ADA, EVA], {"device": [DEVICE, None]})
PEOPLE = DigestSet.of([digest(ADA), digest(EVA)])


def known(engine: Engine) -> Identifiers:
    with reading(engine) as connection:
        return sent_identifiers(connection)


def test_what_was_sent_is_read_back_and_may_be_written_twice(engine: Engine) -> None:
    assert not known(engine)
    for _ in range(2):
        with writing(engine) as connection:
            remember_identifiers(connection, SENT)
    found = known(engine)
    assert found.keys() == SENT.keys()
    assert found.people(SENT.keys()) == PEOPLE
    assert list(found.by_form["madid"].texts) == [DEVICE]


def test_a_text_is_forgotten_once_no_list_may_hold_it_and_comes_back_with_the_next_add(
    engine: Engine,
) -> None:
    md5 = SENT.keys_of(PEOPLE, {"md5"})
    with writing(engine) as connection:
        remember_identifiers(connection, SENT)
        assert forget_texts(connection, md5) == 1
    assert set(known(engine).by_form) == {"md5"}
    with reading(engine) as connection:
        assert DEVICE not in str(connection.execute(select(identifiers.c.text)).all())
        assert len(keys_of_person(connection, digest(ADA))) == 3, "erasure still finds the device"
    with writing(engine) as connection:
        remember_identifiers(connection, SENT)
    assert list(known(engine).by_form["madid"].texts) == [DEVICE]


def test_a_person_can_be_forgotten_and_the_others_stay(engine: Engine) -> None:
    with writing(engine) as connection:
        remember_identifiers(connection, SENT)
        forget_person(connection, digest(ADA))
        assert people_ever_named(connection) == DigestSet.of([digest(EVA)])
        assert keys_of_person(connection, digest(ADA)) == DigestSet.of([digest(ADA)])
        assert forget_texts(connection, EMPTY) == 1
