"""The plan of a list beside a current one: a refresh keeps it in step until one takes the place of the other. Pure."""

from __future__ import annotations

from experiments.digests import EMPTY
from experiments.identifiers import Identifiers
from sync.plan import Beside, Counts, Holding, ListPlan


def beside_plan(beside: Beside, plan: ListPlan, holding: Holding, identifiers: Identifiers) -> ListPlan:
    """What it gains and loses so that it holds what the current list will hold after its own plan.

    `holding` is the current list's before that plan. From a list that was replaced people only leave.
    """
    wanted = (holding.at_most | plan.adds) - plan.removes
    is_closed = beside.is_leaving or bool(plan.waits_for)
    adds = EMPTY if is_closed else wanted - beside.holding.surely
    return ListPlan(
        name=f"{'replaced' if beside.is_leaving else 'refresh'} · {plan.name}",
        list=plan.list,
        role=beside.role,
        desired=plan.desired,
        adds=adds,
        removes=beside.holding.at_most - wanted,
        identifiers=identifiers.of_keys(adds),
        counts=Counts(eligible=len(plan.desired)),
        list_id=beside.id,
        waits_for=plan.waits_for,
        of=plan.name,
    )
