"""Both clients over real HTTP: the sandbox's two servers, as they work and as they fail."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from pydantic import SecretStr

from experiments.digests import DigestSet
from experiments.errors import Rejected, Retryable
from experiments.identity import resolve
from sandbox.world import Sandbox, Switches
from sync.algebra import And, In, Not
from sync.criteo import Criteo
from sync.customerio import CustomerIO
from sync.limits import Unlimited

START = datetime(2026, 9, 1, tzinfo=UTC)
UNLIMITED = Switches(customerio_rps=None, criteo_per_minute=None, criteo_reports_per_minute=None)
SEGMENT = "recent-purchasers"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    orders = tmp_path_factory.mktemp("shop") / "orders.sqlite"
    with Sandbox.start(profiles=3000, seed=3, start=START, orders_path=orders, switches=UNLIMITED) as box:
        box.advance(30)
        yield box


@pytest.fixture
def box(world: Sandbox) -> Iterator[Sandbox]:
    yield world
    world.faults.clear()


@pytest.fixture
def customerio(box: Sandbox) -> Iterator[CustomerIO]:
    client = CustomerIO(box.customerio_url, SecretStr(box.app_key), Unlimited())
    yield client
    client.close()


@pytest.fixture
def criteo(box: Sandbox) -> Iterator[Criteo]:
    client = Criteo(box.criteo_url, box.client_id, SecretStr(box.client_secret), Unlimited(), Unlimited())
    yield client
    client.close()


def people(count: int, first: int = 0) -> DigestSet:
    return DigestSet.unpack(
        b"".join(resolve([f"p{n}@example.com" for n in range(first, first + count)]).units)
    )


def test_a_membership_read_in_small_pages_is_the_whole_segment(box: Sandbox, customerio: CustomerIO) -> None:
    number = box.segment_ids[SEGMENT]
    assert customerio.segment(number).is_finished
    assert number in {segment.id for segment in customerio.segments()}
    pages = list(customerio.membership(number, page_size=20))
    members = [member for page in pages for member in page.members]
    assert len(pages) > 1
    assert len({member.cio_id for member in members}) == len(members) == customerio.customer_count(number)
    found = set(resolve(member.email for member in members).units)
    assert found <= box.members(SEGMENT)


@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "status", "truncated-json", "cut-body", "html"]
)
def test_a_page_that_fails_once_changes_nothing(box: Sandbox, customerio: CustomerIO, kind: str) -> None:
    number = box.segment_ids[SEGMENT]
    calm = [page.members for page in customerio.membership(number, page_size=20)]
    box.faults.add("customerio", "/membership", kind=kind, times=2)  # type: ignore[arg-type]  # a parameter
    assert [page.members for page in customerio.membership(number, page_size=20)] == calm
    assert box.faults.pending("customerio") == 0


def test_a_service_that_stays_down_is_an_error_and_never_a_part(box: Sandbox, customerio: CustomerIO) -> None:
    box.faults.add("customerio", "/membership", kind="status", times=50, skip=1)
    with pytest.raises(Retryable):
        list(customerio.membership(box.segment_ids[SEGMENT], page_size=20))


def test_an_unknown_segment_and_a_wrong_key_are_rejected(box: Sandbox, customerio: CustomerIO) -> None:
    with pytest.raises(Rejected, match="segment 999999"):
        customerio.segment(999_999)
    stranger = CustomerIO(box.customerio_url, SecretStr("0" * 32), Unlimited())
    with pytest.raises(Rejected, match="CUSTOMERIO_APP_KEY"):
        stranger.segments()
    stranger.close()


def test_attributes_are_read_by_cio_id(box: Sandbox, customerio: CustomerIO) -> None:
    page = next(iter(customerio.membership(box.segment_ids[SEGMENT], page_size=30_000)))
    emails = {member.cio_id: member.email for member in page.members if member.email}
    profiles = list(customerio.attributes(list(emails), ["email"]))
    assert {profile.cio_id: profile.values[0] for profile in profiles} == emails


def test_a_list_is_created_filled_counted_and_emptied(box: Sandbox, criteo: Criteo) -> None:
    assert [advertiser.id for advertiser in criteo.advertisers()] == [box.advertiser_id]
    assert criteo.application().name
    made = criteo.find_or_create_list(box.advertiser_id, "filled", "d")
    assert (
        criteo.find_or_create_list(box.advertiser_id, "filled", "d") == made == criteo.contact_list(made.id)
    )
    answer = criteo.amend(made.id, "add", people(1000))
    assert (answer.valid, answer.invalid) == (1000, 0)
    criteo.amend(made.id, "remove", people(400))
    assert criteo.statistics(made.id).identifiers == 600
    mixed = criteo.amend_encoded(made.id, "add", ["ada@example.com", "jkl@gmail"])
    assert (mixed.valid, mixed.invalid, mixed.samples) == (1, 1, ("jkl@gmail",))


@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "status", "truncated-json", "cut-body", "html"]
)
def test_an_add_or_a_create_that_fails_once_is_done_exactly(box: Sandbox, criteo: Criteo, kind: str) -> None:
    box.faults.add("criteo", "/audience-segments/create", kind=kind)  # type: ignore[arg-type]  # a parameter
    if kind in ("drop-before", "status", "html"):
        with pytest.raises(Retryable) as caught:
            criteo.find_or_create_list(box.advertiser_id, f"list {kind}", "d")
        assert caught.value.may_have_acted
    made = criteo.find_or_create_list(box.advertiser_id, f"list {kind}", "d")
    names = [segment.name for segment in criteo.segments(box.advertiser_id)]
    assert names.count(f"list {kind}") == 1
    box.faults.add("criteo", "/contact-list", kind=kind)  # type: ignore[arg-type]  # a parameter
    criteo.amend(made.id, "add", people(50))
    assert criteo.statistics(made.id).identifiers == 50


@pytest.mark.parametrize(
    "kind", ["drop-before", "drop-after", "status", "truncated-json", "cut-body", "html"]
)
def test_a_token_that_fails_once_is_asked_for_again_and_nobody_waits_for_ever(
    box: Sandbox, criteo: Criteo, kind: str
) -> None:
    box.faults.add("criteo", "/oauth2/token", kind=kind)  # type: ignore[arg-type]  # a parameter
    # Threads of a daemon's kind: one that hangs must fail this test and not the run.
    found: list[int] = []
    asking = [Thread(target=lambda: found.append(len(criteo.advertisers())), daemon=True) for _ in range(4)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(30)
    assert found == [1, 1, 1, 1]


def test_a_token_that_ran_out_is_renewed_without_a_word(box: Sandbox, criteo: Criteo) -> None:
    criteo.application()
    box.expire_tokens()
    assert criteo.advertisers()


def test_wrong_credentials_an_unknown_list_and_a_dead_version_are_rejected(
    box: Sandbox, criteo: Criteo
) -> None:
    stranger = Criteo(box.criteo_url, box.client_id, SecretStr("wrong"), Unlimited(), Unlimited())
    with pytest.raises(Rejected, match="CRITEO_CLIENT_SECRET"):
        stranger.advertisers()
    stranger.close()
    with pytest.raises(Rejected, match="contact list 424242") as caught:
        criteo.amend("424242", "add", people(1))
    assert not caught.value.may_have_acted


def test_the_holdout_is_subtracted_by_an_audience_of_an_ad_set(box: Sandbox, criteo: Criteo) -> None:
    inside = criteo.find_or_create_list(box.advertiser_id, "inside", "d").id
    held_out = criteo.find_or_create_list(box.advertiser_id, "held out", "d").id
    ad_set = criteo.ad_sets(box.advertiser_id)[0].id
    algebra = And((In(inside), Not(In(held_out))))
    made = criteo.create_audience(box.advertiser_id, "inside but not held out", In(inside))
    assert criteo.update_audience(made.id, algebra).algebra == algebra
    criteo.link_audience(ad_set, made.id)
    linked = {one.id: one for one in criteo.audiences(box.advertiser_id)}
    assert linked[made.id].algebra == algebra
    assert ad_set in linked[made.id].ad_set_ids
    criteo.link_audience(ad_set, None)


def test_spend_is_read_by_ad_set_and_day(box: Sandbox, criteo: Criteo) -> None:
    rows = criteo.spend_report(box.advertiser_id, "EUR", START.date(), START.date() + timedelta(days=2))
    assert {row.day for row in rows} <= {START.date(), START.date() + timedelta(days=1)}
    assert {row.ad_set for row in rows} <= set(box.ad_sets.values())
    criteo.transactions(box.advertiser_id, "EUR", START.date(), START.date() + timedelta(days=2))
