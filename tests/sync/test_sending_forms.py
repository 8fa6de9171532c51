"""A list may be filled with something else than SHA-256, and change to something else, and nobody gets lost."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from programmes import LOOSE, digest, exclude, include, people, programme
from sqlalchemy import Engine, select
from tiny_criteo import ADVERTISER, TinyCriteo

from experiments.audiences import Audience, Bounds, Programme
from experiments.database import reading, writing
from experiments.digests import DigestSet
from experiments.errors import Leaked
from experiments.identifier_log import remember_identifiers, sent_identifiers
from experiments.identifiers import NONE, SHA256, Entries, Form, Identifiers, read_identifiers
from experiments.identity import encode
from experiments.ledger import open_phase, record_entrants
from experiments.phases import Holdout, assign
from experiments.schema import identifiers, requests, snapshots
from sync import pushes
from sync.applying import ListResult, apply
from sync.decision import decide
from sync.delivery import Courier, Sent, Target, add, prove, transmit
from sync.erasing import erase
from sync.gathering import read_facts
from sync.lists import KnownList, remember_list
from sync.naming import UNNAMED
from sync.plan import ListPlan, Membership, Plan
from sync.rejections import rejections_of

MD5, PLAIN, MADID = Form("md5"), Form("plain"), Form("madid", "device")
TENTH = Holdout("holdout:v1:cart:s0", 100_000, "holdout:v1:universal:s0", 0)
DEVICES = {n: f"6d92078a-8246-4ba4-ae5b-{n:012x}" for n in range(1000)}


def emails(numbers: Iterable[int]) -> list[str]:
    return [f"p{n}@example.com" for n in numbers]


def md5s(numbers: Iterable[int]) -> set[str]:
    return {encode(each, "md5") for each in emails(numbers)}


def named(numbers: Iterable[int], *forms: Form) -> Identifiers:
    numbers = list(numbers)
    return read_identifiers(forms, emails(numbers), {"device": [DEVICES.get(n) for n in numbers]})


def read(audience: Audience, numbers: Iterable[int]) -> Membership:
    numbers = list(numbers)
    found = named(numbers, *audience.forms)
    return Membership(people(numbers), len(numbers), reported=len(numbers), identifiers=found)


def planned(engine: Engine, chosen: Programme, numbers: Iterable[int]) -> Plan:
    numbers = list(numbers)
    return decide(read_facts(engine, chosen, {each.name: read(each, numbers) for each in chosen.audiences}))


def run(
    engine: Engine, tiny: TinyCriteo, audience: Audience, numbers: Iterable[int], at: int = 1
) -> tuple[ListResult, ...]:
    chosen = programme(audience)
    return apply(engine, tiny.client(), chosen, planned(engine, chosen, numbers), at)


def test_a_person_leaves_as_what_they_came(engine: Engine) -> None:
    tiny, cart = TinyCriteo(), include("cart", 1, forms=(MD5,))
    run(engine, tiny, cart, range(30))
    assert tiny.named("cart") == md5s(range(30))
    run(engine, tiny, cart, range(10, 40), at=2)
    assert tiny.named("cart") == md5s(range(10, 40))
    assert tiny.log[-2][1:] == ("remove", frozenset(md5s(range(10))))


def test_who_is_held_out_does_not_depend_on_what_people_are_sent_as(engine: Engine) -> None:
    tiny = TinyCriteo()
    for at, form in enumerate((SHA256, MD5, PLAIN, MADID)):
        name = f"cart-{at}"
        run(engine, tiny, include(name, 1, forms=(form,), holdout_group="g", holdout_ppm=100_000), range(500))
        with reading(engine) as connection:
            held_out = assign(people(range(500)), replace(TENTH, salt="holdout:v1:g:s0")).held_out
            assert (
                sent_identifiers(connection).people(_on(engine, tiny, name)) == people(range(500)) - held_out
            )


def _on(engine: Engine, tiny: TinyCriteo, name: str) -> DigestSet:
    number = next(number for number, called in tiny.names.items() if called == name)
    with reading(engine) as connection:
        return pushes.holding(connection, number).surely


def test_a_small_list_changes_its_form_in_one_sync_and_old_identifiers_go_first(engine: Engine) -> None:
    tiny = TinyCriteo()
    run(engine, tiny, include("cart", 1), range(30))
    run(engine, tiny, include("cart", 1, forms=(MD5,)), range(5, 35), at=2)
    assert tiny.named("cart") == md5s(range(5, 35))
    assert [operation for _, operation, _ in tiny.log] == ["add", "remove", "add"]
    run(engine, tiny, include("cart", 1), range(5, 35), at=3)
    assert tiny.named("cart") == {unit.hex() for unit in people(range(5, 35))}


def test_a_live_list_is_not_emptied_to_change_its_form(engine: Engine) -> None:
    tiny, bounds = TinyCriteo(), Bounds(growth_from=20)
    run(engine, tiny, include("cart", 1, bounds=bounds), range(30))
    (result,) = run(engine, tiny, include("cart", 1, bounds=bounds, forms=(MD5,)), range(30), at=2)
    assert [each.fuse for each in result.plan.refusals] == ["identifier"]
    assert "30 of 30 people would leave the list before they come back" in result.plan.refusals[0].reason
    assert tiny.named("cart") == {unit.hex() for unit in people(range(30))}


def test_naming_both_forms_for_a_while_changes_a_live_list_without_a_gap(engine: Engine) -> None:
    tiny, bounds = TinyCriteo(), Bounds(growth_from=20)
    sha256 = {unit.hex() for unit in people(range(30))}
    run(engine, tiny, include("cart", 1, bounds=bounds), range(30))
    (both,) = run(engine, tiny, include("cart", 1, bounds=bounds, forms=(MD5, SHA256)), range(30), at=2)
    assert not both.plan.refusals, "a second form is no growth"
    assert tiny.named("cart") == sha256 | md5s(range(30))
    (last,) = run(engine, tiny, include("cart", 1, bounds=bounds, forms=(MD5,)), range(29), at=3)
    assert not last.plan.refusals
    assert tiny.named("cart") == md5s(range(29))
    assert "add" not in [operation for _, operation, _ in tiny.log[2:]]


def test_a_segment_that_halves_is_still_refused_when_people_have_two_identifiers(engine: Engine) -> None:
    tiny, cart = (
        TinyCriteo(),
        include("cart", 1, forms=(SHA256, MD5), bounds=replace(LOOSE, removal=0.5, growth_from=20)),
    )
    run(engine, tiny, cart, range(100))
    (result,) = run(engine, tiny, cart, range(45), at=2)
    assert [each.reason for each in result.plan.refusals] == ["55 of 100 people would be removed at once"]


def test_a_new_device_takes_the_place_of_the_old_one(engine: Engine) -> None:
    tiny, cart = TinyCriteo(), include("cart", 1, forms=(MADID,))
    run(engine, tiny, cart, range(3))
    chosen = programme(cart)
    moved = read_identifiers([MADID], emails([1]), {"device": [DEVICES[77]]})
    membership = Membership(people(1), 1, reported=1, identifiers=moved)
    apply(engine, tiny.client(), chosen, decide(read_facts(engine, chosen, {"cart": membership})), 2)
    assert tiny.named("cart") == {DEVICES[77]}


def test_a_device_of_two_people_is_sent_for_neither(engine: Engine) -> None:
    tiny, cart = TinyCriteo(), include("cart", 1, forms=(MADID,))
    shared = read_identifiers([MADID], emails(range(3)), {"device": [DEVICES[5], DEVICES[5], DEVICES[6]]})
    membership = Membership(people(range(3)), 3, reported=3, identifiers=shared)
    plan = decide(read_facts(engine, programme(cart), {"cart": membership})).named("cart")
    assert plan.desired == people(2)
    assert plan.counts.unusable == {UNNAMED: 2}
    apply(engine, tiny.client(), programme(cart), Plan((plan,)), 1)
    assert tiny.named("cart") == {DEVICES[6]}


def test_whoever_is_to_be_excluded_is_excluded_without_a_device_too(engine: Engine) -> None:
    cart, buyers = include("cart", 1, exclude=("buyers",)), exclude("buyers", 2, forms=(MADID,))
    bought = Membership(people(1, 2), 2, reported=2)
    memberships = {"cart": read(cart, range(5)), "buyers": bought}
    plan = decide(read_facts(engine, programme(cart, buyers), memberships))
    assert plan.named("cart").desired == people(0, 3, 4)
    assert plan.named("buyers").counts.unusable == {}


def test_while_an_exclusion_is_in_doubt_those_who_stay_keep_their_old_identifier(engine: Engine) -> None:
    tiny = TinyCriteo()
    buyers = exclude("buyers", 2)
    before = programme(include("cart", 1, exclude=("buyers",)), buyers)
    apply(engine, tiny.client(), before, planned_with(engine, before, range(9), ()), 1)
    after = programme(include("cart", 1, exclude=("buyers",), forms=(MD5,)), buyers)
    plan = decide(read_facts(engine, after, {"cart": read(after.audience("cart"), range(5))}))
    apply(engine, tiny.client(), after, plan, 2)
    assert tiny.named("cart") == {unit.hex() for unit in people(range(5))}
    apply(engine, tiny.client(), after, planned_with(engine, after, range(5), (1,)), 3)
    assert tiny.named("cart") == md5s((0, 2, 3, 4))


def planned_with(engine: Engine, chosen: Programme, cart: Iterable[int], buyers: Iterable[int]) -> Plan:
    numbers = {"cart": cart, "buyers": buyers}
    return decide(
        read_facts(
            engine, chosen, {name: read(chosen.audience(name), each) for name, each in numbers.items()}
        )
    )


@pytest.fixture
def courier(engine: Engine) -> Courier:
    tiny = TinyCriteo()
    tiny.make("cart")
    tiny.make("cold")
    with writing(engine) as connection:
        for number, name in (("7000", "cart"), ("7001", "cold")):
            remember_list(connection, KnownList(number, name, "include", "current"))
        open_phase(connection, include("cart", 1), TENTH, 1)
        remember_identifiers(connection, named(range(100), MD5, MADID))
    return Courier(engine, tiny.client(), ADVERTISER, 1, chunk=10)


@pytest.mark.parametrize("form", [MD5, MADID])
def test_the_last_look_knows_who_is_behind_an_identifier(courier: Courier, form: Form) -> None:
    found = named(range(100), form)
    treated = assign(people(range(100)), TENTH).treated
    with pytest.raises(Leaked):
        transmit(courier, Target("7000", "cart"), "add", found.keys())
    sent = transmit(courier, Target("7000", "cart"), "add", found.keys_of(treated, {form.name}))
    assert sent == Sent(len(treated), 0)


def test_an_email_in_clear_is_looked_at_by_what_is_written(courier: Courier) -> None:
    held_out = next(n for n in range(100) if len(people(n) & assign(people(n), TENTH).held_out))
    treated = next(n for n in range(100) if len(assign(people(n), TENTH).treated))
    (key,) = named([held_out], PLAIN).keys()
    mixed_up = Entries.of([(key, digest(treated), f"p{held_out}@example.com")])
    with writing(courier.engine) as connection:
        remember_identifiers(connection, Identifiers({"plain": mixed_up}))
    with pytest.raises(Leaked):
        transmit(courier, Target("7000", "cart"), "add", DigestSet.of([key]))


def test_the_proof_knows_who_is_behind_an_identifier(courier: Courier) -> None:
    cart, everybody = include("cart", 1), people(range(100))
    with writing(courier.engine) as connection:
        phase = open_phase(connection, cart, TENTH, 2)
        record_entrants(connection, phase, assign(everybody, TENTH), 2)
        pushes.write_ahead(
            connection, "7000", "add", named(range(100), MD5).keys_of(assign(everybody, TENTH).treated), 2
        )
    prove(courier.engine, cart)
    held_out = assign(everybody, TENTH).held_out
    with writing(courier.engine) as connection:
        pushes.write_ahead(connection, "7000", "add", named(range(100), MD5).keys_of(held_out, {"md5"}), 2)
    with pytest.raises(Leaked, match=f"{len(held_out)} people who are held out"):
        prove(courier.engine, cart)


def test_an_add_waits_while_a_sibling_may_hold_the_person_under_another_name(courier: Courier) -> None:
    with writing(courier.engine) as connection:
        pushes.write_ahead(connection, "7001", "add", named([1], MADID).keys(), 1)
    treated = assign(people(range(30)), TENTH).treated - people(1)
    keys = named(range(100), MD5).keys_of(treated | people(1), {"md5"})
    plan = ListPlan("cart", "cart", "include", treated, keys, DigestSet.of([]), identifiers=NONE)
    assert add(courier, Target("7000", "cart"), plan, ["cold"]) == (Sent(len(treated), 0), 1)


def test_an_erased_person_leaves_under_every_name_and_nothing_of_them_stays(engine: Engine) -> None:
    tiny, cart = TinyCriteo(), include("cart", 1, forms=(PLAIN, MADID))
    run(engine, tiny, cart, range(5))
    courier = Courier(engine, tiny.client(), ADVERTISER, 2)
    assert erase(courier, digest(1)) == 1
    assert tiny.named("cart") == {*emails((0, 2, 3, 4)), *(DEVICES[n] for n in (0, 2, 3, 4))}
    gone = [digest(1), *named([1], PLAIN, MADID).keys()]
    with reading(engine) as connection:
        rows = connection.execute(select(identifiers)).all()
        packed = [
            bytes(each)
            for table in (requests, snapshots)
            for each in connection.scalars(select(table.c.digests))
        ]
    assert not [row for row in rows if bytes(row.unit) == digest(1) or bytes(row.key) in gone]
    assert not [key for key in gone if any(key in each for each in packed)]
    run(engine, tiny, cart, range(5), at=3)
    assert "p1@example.com" not in tiny.named("cart")


def test_an_email_in_clear_is_known_no_longer_than_a_list_holds_it(engine: Engine) -> None:
    tiny, cart = TinyCriteo(), include("cart", 1, forms=(PLAIN,))
    run(engine, tiny, cart, range(5))
    run(engine, tiny, cart, range(3), at=2)
    with reading(engine) as connection:
        kept = connection.scalars(select(identifiers.c.text)).all()
    assert sorted(filter(None, kept)) == emails(range(3))


def test_that_criteo_rejects_somebody_is_known_no_longer_than_they_stand_there(engine: Engine) -> None:
    tiny, cart = TinyCriteo(samples=10), include("cart", 1, forms=(MD5,))
    tiny.refuses = md5s((1, 2))
    (result,) = run(engine, tiny, cart, range(5))
    assert result.delivery.rejected == 2
    assert _rejected(engine) == set(named((1, 2), MD5).keys())
    run(engine, tiny, cart, (0, 2, 3), at=2)
    assert _rejected(engine) == set(named([2], MD5).keys())


def _rejected(engine: Engine) -> set[bytes]:
    with reading(engine) as connection:
        return set(rejections_of(connection, "7000"))
