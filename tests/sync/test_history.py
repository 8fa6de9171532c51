"""What each sync left behind, and approvals that are good for one plan and one sync."""

import json

from programmes import NOBODY, facts, include, members, people, programme
from sqlalchemy import Engine, select

from experiments.database import reading, writing
from experiments.schema import approvals
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
