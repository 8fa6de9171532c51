"""What each sync left behind, and approvals that are good for one plan and one sync."""

import json

from programmes import NOBODY, facts, include, members, people, programme
from sqlalchemy import Engine, select

from experiments.database import reading, writing
from experiments.schema import approvals, syncs
from sync import history
from sync.decision import decide
from sync.plan import Former, Holding, ListPlan


def plan_of(*numbers: int) -> ListPlan:
    chosen = programme(include("cart", 1))
    return decide(facts(chosen, {"cart": members(people(numbers))}, holdouts={"cart": NOBODY})).named("cart")


def record(engine: Engine, plan: ListPlan, outcome: history.Outcome, at: int = 1) -> None:
    state = history.ListState(2, 3, 1, 0.333333)
    with writing(engine) as connection:
        history.record_sync(connection, plan, history.Delivery(outcome, 2, 1, 0, 4), state, at)


def test_only_an_applied_sync_says_how_large_a_source_was(engine: Engine) -> None:
    record(engine, plan_of(1, 2, 3), "applied")
    record(engine, plan_of(1), "refused")
    record(engine, plan_of(1, 2), "failed")
    with reading(engine) as connection:
        assert history.last_units(connection) == {"cart": 3}
        assert history.last_syncs(connection)["cart"].outcome == "failed"


def test_a_row_holds_the_figures_of_the_run(engine: Engine) -> None:
    record(engine, plan_of(1, 2), "applied", at=5)
    with reading(engine) as connection:
        row = history.last_syncs(connection)["cart"]
    assert (row.synced_at, row.units, row.adds, row.removes, row.deferred) == (5, 2, 2, 1, 4)
    assert (row.pushed, row.identifiers, row.matches, row.match_ppm) == (2, 3, 1, 333_333)


def test_the_longest_name_of_a_list_and_its_refusal_are_kept(engine: Engine) -> None:
    name = "x" * 120
    left = Former("777", name[: -len("former · ")], "include", Holding(people(1)))
    plan = decide(facts(programme(include("cart", 1)), {}, formers=(left,))).lists[0]
    record(engine, plan, "refused")
    with reading(engine) as connection:
        row = history.last_syncs(connection)[plan.name]
    assert json.loads(row.refusals)[0][0] == "former"


def test_an_approval_is_open_until_its_plan_was_applied(engine: Engine) -> None:
    with writing(engine) as connection:
        history.approve(connection, "cart", "aa", at=1, who="ada", reason="season's end")
        history.approve(connection, "cart", "bb", at=2, who="ada", reason="again")
        assert history.open_approvals(connection) == {"cart": frozenset({"aa", "bb"})}
        history.use_approval(connection, "cart", "aa", 3)
        history.use_approval(connection, "other", "bb", 3)
        assert history.open_approvals(connection) == {"cart": frozenset({"bb"})}
        used = connection.execute(select(approvals).where(approvals.c.plan == "aa")).one()
    assert (used.who, used.reason, used.approved_at, used.used_at) == ("ada", "season's end", 1, 3)


DAY = 86_400


def rows(engine: Engine) -> list[tuple[str, int, str]]:
    with reading(engine) as connection:
        chosen = select(syncs.c.audience, syncs.c.synced_at, syncs.c.outcome).order_by(syncs.c.id)
        return [(row.audience, row.synced_at // DAY, row.outcome) for row in connection.execute(chosen)]


def sync_at(engine: Engine, day: int, *, adds: int = 0, outcome: history.Outcome = "applied") -> None:
    with writing(engine) as connection:
        history.forget_idle_syncs(connection, day * DAY)
        delivery = history.Delivery(outcome, adds)
        history.record_sync(connection, plan_of(1), delivery, history.ListState(), day * DAY)


def test_syncs_that_moved_nobody_are_forgotten_after_five_weeks(engine: Engine) -> None:
    for day in range(100):
        sync_at(engine, day)
    assert [day for _, day, _ in rows(engine)] == list(range(64, 100))


def test_what_moved_was_refused_or_failed_is_kept_for_good(engine: Engine) -> None:
    sync_at(engine, 1, adds=3)
    sync_at(engine, 2, outcome="refused")
    sync_at(engine, 3, outcome="failed")
    sync_at(engine, 4)
    sync_at(engine, 90)
    sync_at(engine, 91)
    assert [(day, outcome) for _, day, outcome in rows(engine)] == [
        (1, "applied"),
        (2, "refused"),
        (3, "failed"),
        (90, "applied"),
        (91, "applied"),
    ]


def test_the_newest_applied_row_of_a_list_stays_however_old(engine: Engine) -> None:
    sync_at(engine, 1)
    sync_at(engine, 2, outcome="refused")
    sync_at(engine, 90, outcome="refused")
    with reading(engine) as connection:
        assert history.last_units(connection) == {"cart": 1}
