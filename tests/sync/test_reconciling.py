"""Every list's two counts are compared, kept, and told from the night before."""

import pytest
from programmes import exclude, include, members, people, programme
from sqlalchemy import Engine, select
from tiny_criteo import TinyCriteo

from experiments.database import reading
from experiments.errors import Rejected, Retryable
from experiments.schema import list_counts
from sync.applying import apply
from sync.decision import decide, holdout_list
from sync.drift import Verdict
from sync.gathering import read_facts
from sync.history import match_history
from sync.match_rate import MatchRate
from sync.reconciling import Reconciled, last_counts, reconcile, record_counts

DAY = 86_400
SHOP = programme(include("cart", 1, list="carts", holdout_ppm=100_000), exclude("buyers", 2))


def synced(engine: Engine, at: int = 0) -> TinyCriteo:
    tiny = TinyCriteo()
    read = {"cart": members(people(range(2_000))), "buyers": members(people(range(100)))}
    apply(engine, tiny.client(), SHOP, decide(read_facts(engine, SHOP, read)), at)
    return tiny


def tonight(engine: Engine, tiny: TinyCriteo, at: int) -> dict[str, Reconciled]:
    found = reconcile(engine, tiny.client(), SHOP, at)
    record_counts(engine, found, at)
    return {each.name: each for each in found}


def ids(tiny: TinyCriteo) -> dict[str, str]:
    return {name: number for number, name in tiny.names.items()}


def test_lists_that_nobody_touched_agree(engine: Engine) -> None:
    found = tonight(engine, synced(engine), 3 * DAY)
    assert set(found) == {"cart", "buyers", holdout_list("cart")}
    assert {each.found.verdict for each in found.values()} == {Verdict.AGREES}
    assert found["cart"].counts.identifiers == found["cart"].held.surely > 1_700


def test_a_list_that_somebody_wrote_to_is_found_once_its_requests_must_be_counted(engine: Engine) -> None:
    tiny = synced(engine)
    number = ids(tiny)["carts"]
    tiny.lists[number] = set(sorted(tiny.lists[number])[:1_000])
    assert tonight(engine, tiny, 1 * DAY)["cart"].found.is_good, (
        "the adds of a day ago may not be counted yet"
    )
    found = tonight(engine, tiny, 3 * DAY)["cart"]
    assert (found.found.verdict, found.is_new) == (Verdict.MISSING, True)
    tiny.lists[number] |= {f"{n:064x}" for n in range(1_500)}
    assert tonight(engine, tiny, 4 * DAY)["cart"].found.verdict == Verdict.SURPLUS


def test_a_drift_is_new_once(engine: Engine) -> None:
    tiny = synced(engine)
    tiny.lists[ids(tiny)["carts"]].clear()
    assert tonight(engine, tiny, 3 * DAY)["cart"].is_new
    assert not tonight(engine, tiny, 4 * DAY)["cart"].is_new


def test_a_list_that_was_deleted_is_gone_and_the_others_are_counted(engine: Engine) -> None:
    tiny = synced(engine)
    tiny.gone.add(ids(tiny)["carts"])
    found = tonight(engine, tiny, 3 * DAY)
    assert (found["cart"].found.verdict, found["cart"].rate) == (Verdict.GONE, None)
    assert found["buyers"].found.verdict == Verdict.AGREES


def test_counts_that_do_not_come_are_open_and_no_drift(engine: Engine) -> None:
    tiny = synced(engine)
    tiny.uncounted = True
    assert tonight(engine, tiny, 3 * DAY)["cart"].found.verdict == Verdict.UNCOUNTED


def test_where_criteo_fails_nothing_is_kept(engine: Engine) -> None:
    tiny = synced(engine)
    tiny.fault = lambda request: "503-before" if request.url.path.endswith("/statistics") else ""
    with pytest.raises(Retryable):
        tonight(engine, tiny, 3 * DAY)
    with reading(engine) as connection:
        assert last_counts(connection) == {}


def test_what_criteo_will_not_answer_for_another_reason_is_not_taken_for_a_deleted_list(
    engine: Engine,
) -> None:
    tiny = synced(engine)
    tiny.forbidden = True
    with pytest.raises(Rejected, match="403"):
        tonight(engine, tiny, 3 * DAY)


def test_each_night_is_kept_with_its_figures(engine: Engine) -> None:
    tiny = synced(engine)
    for night in (3, 4):
        tonight(engine, tiny, night * DAY)
    with reading(engine) as connection:
        rows = connection.execute(select(list_counts).where(list_counts.c.name == "cart")).all()
        last = last_counts(connection)["cart"]
    assert [row.counted_at for row in rows] == [3 * DAY, 4 * DAY]
    assert (last.surely, last.identifiers, last.verdict) == (last.identifiers, last.surely, "agrees")
    assert (last.list, last.match_ppm) == (ids(tiny)["carts"], 500_000)


def test_the_past_of_a_match_rate_is_that_of_syncs_and_nights_together(engine: Engine) -> None:
    tiny = synced(engine, at=5)
    tonight(engine, tiny, 3 * DAY)
    with reading(engine) as connection:
        assert [each.share for each in match_history(connection, 0)["cart"]] == [0.5, 0.5]
        assert len(match_history(connection, 5)["cart"]) == 1
        assert match_history(connection, 3 * DAY) == {}


def test_a_match_rate_is_compared_with_its_own_past(engine: Engine) -> None:
    tiny = synced(engine)
    for night in range(3, 8):
        assert not tonight(engine, tiny, night * DAY)["cart"].has_fallen
    tiny.matches = 0.3
    found = tonight(engine, tiny, 9 * DAY)["cart"]
    assert (found.has_fallen, found.has_just_fallen) == (True, True)
    assert found.usual is not None
    assert found.usual.share == 0.5
    again = tonight(engine, tiny, 10 * DAY)["cart"]
    assert (again.has_fallen, again.has_just_fallen) == (True, False)
    assert isinstance(again.rate, MatchRate)
