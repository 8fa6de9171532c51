"""Each ad set through which people held out could be reached is named, with the algebra that stops it."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.audiences import Audience as Ours
from experiments.audiences import Programme
from sync.algebra import Algebra, And, In, Not, Or
from sync.criteo_values import AdSet, Audience
from sync.firewall_audit import Fault, FirewallAudit, audit_firewall, includes, subtracts, without

CART, LAPSED, EVERYWHERE = "holdout · cart", "holdout · lapsed", "holdout · universal"
IDS = {CART: "h1", LAPSED: "h2", EVERYWHERE: "h0"}
PROGRAMME = Programme(
    "1",
    "EUR",
    0.45,
    (
        Ours("cart-0-4h", 1, "include", "cart-0-4h", holdout_group="cart", ad_sets=("401",)),
        Ours("lapsed", 2, "include", "lapsed", holdout_group="lapsed", ad_sets=("405",)),
        Ours("vip", 3, "exclude", "vip"),
    ),
)
OURS = (AdSet("401", "cart", None, "live"), AdSet("405", "lapsed", None, "live"))
TAG = AdSet("490", "site-visitors", None, "live")


def less(segment: str, *held: str) -> Algebra:
    return And((In(segment), *(Not(In(one)) for one in held)))


TIGHT = (
    Audience("a1", "cart", less("cart", "h1", "h0"), ("401",)),
    Audience("a2", "lapsed", less("lapsed", "h0", "h2"), ("405",)),
)


def audit(
    *others: Audience,
    ad_sets: tuple[AdSet, ...] = OURS,
    programme: Programme = PROGRAMME,
    ids: dict[str, str] = IDS,
) -> FirewallAudit:
    return audit_firewall(programme, ad_sets, others, ids, frozenset(ids))


def test_ad_sets_that_subtract_their_own_group_and_the_universal_holdout_are_tight() -> None:
    found = audit(*TIGHT)
    assert (found.ad_sets, found.findings, found.changes) == (2, (), ())


def test_an_ad_set_of_ours_need_not_subtract_another_group_s_holdout() -> None:
    """The other group's people are randomised on their own: both comparisons stay what they are."""
    assert not subtracts(TIGHT[0].algebra or In(""), "h2")


def test_an_ad_set_of_ours_that_lacks_one_is_named_with_what_is_missing() -> None:
    loose = replace(TIGHT[0], algebra=less("cart", "h1"))
    (finding,) = audit(loose, TIGHT[1]).findings
    assert (finding.fault, finding.subject, finding.lists) == (
        Fault.NOT_SUBTRACTED,
        "ad set 401 (cart)",
        (EVERYWHERE,),
    )
    assert "audience a1 (cart)" in finding.advice


def test_every_other_ad_set_must_subtract_all_of_them() -> None:
    visitors = Audience("a3", "visitors", In("tag"), ("490",))
    found = audit(*TIGHT, visitors, ad_sets=(*OURS, TAG))
    (finding,) = found.findings
    assert (finding.subject, set(finding.lists)) == ("ad set 490 (site-visitors)", set(IDS))
    (change,) = found.changes
    assert change.before == In("tag")
    assert change.after == And((In("tag"), Not(In("h1")), Not(In("h2")), Not(In("h0"))))


def test_an_ad_set_without_an_audience_is_named_and_nothing_is_made_up_for_it() -> None:
    found = audit(*TIGHT, ad_sets=(*OURS, TAG))
    (finding,) = found.findings
    assert (finding.fault, finding.subject) == (Fault.NO_AUDIENCE, "ad set 490 (site-visitors)")
    assert "link an audience" in finding.advice
    assert found.changes == ()


@pytest.mark.parametrize("status", ["ended", "archived"])
def test_an_ad_set_that_is_over_reaches_nobody(status: str) -> None:
    assert audit(*TIGHT, ad_sets=(*OURS, replace(TAG, delivery_status=status))).findings == ()


@pytest.mark.parametrize("status", ["paused", "draft", "notDelivering", None])
def test_an_ad_set_that_can_start_again_is_named(status: str | None) -> None:
    assert audit(*TIGHT, ad_sets=(*OURS, replace(TAG, delivery_status=status))).findings


def test_an_audience_that_includes_people_held_out_is_named_though_no_ad_set_uses_it() -> None:
    found = audit(*TIGHT, Audience("a9", "mistake", Or((In("x"), In("h1"))), ()))
    (finding,) = found.findings
    assert (finding.fault, finding.subject, finding.lists) == (
        Fault.INCLUDED,
        "audience a9 (mistake)",
        (CART,),
    )
    (change,) = found.changes
    assert change.after == And((Or((In("x"), In("h1"))), Not(In("h1"))))


def test_an_audience_of_an_unknown_kind_is_named_and_left_alone() -> None:
    found = audit(replace(TIGHT[0], algebra=None), TIGHT[1])
    assert [each.fault for each in found.findings] == [Fault.UNREADABLE]
    assert found.changes == ()


def test_an_audience_that_two_ad_sets_share_subtracts_for_both() -> None:
    shared = Audience("a1", "both", In("cart"), ("401", "405"))
    (change,) = audit(shared).changes
    assert all(subtracts(change.after, segment) for segment in IDS.values())


def test_a_list_that_should_be_there_and_is_not_is_a_finding() -> None:
    found = audit_firewall(PROGRAMME, OURS, TIGHT, {EVERYWHERE: "h0", LAPSED: "h2"}, frozenset(IDS))
    assert [(each.fault, each.subject) for each in found.findings] == [(Fault.NO_LIST, CART)]


def test_a_group_that_keeps_its_people_to_itself_is_said_and_not_asked_for() -> None:
    private = replace(PROGRAMME, private_groups=frozenset({"cart"}))
    ids = {LAPSED: "h2", EVERYWHERE: "h0"}
    loose = replace(TIGHT[0], algebra=less("cart", "h0"))
    found = audit(loose, TIGHT[1], programme=private, ids=ids)
    assert (found.findings, found.private_groups) == ((), ("cart",))


def test_where_nobody_is_held_out_nothing_need_be_subtracted() -> None:
    assert audit(ids={}, ad_sets=(*OURS, TAG)).findings == ()


@pytest.mark.parametrize(
    "algebra",
    [
        less("x", "h"),
        And((In("x"), Not(Or((In("h"), In("y")))))),
        And((And((In("x"), Not(In("h")))), Or((In("y"), In("z"))))),
        Not(Or((In("h"), Not(In("x"))))),
        Or((less("x", "h"), less("y", "h"))),
        Not(In("h")),
    ],
)
def test_every_way_to_write_a_subtraction_counts(algebra: Algebra) -> None:
    assert subtracts(algebra, "h")


@pytest.mark.parametrize(
    "algebra",
    [
        In("x"),
        In("h"),
        Or((less("x", "h"), In("y"))),
        And((In("x"), Not(And((In("h"), In("y")))))),
        Not(In("x")),
    ],
)
def test_what_lets_somebody_through_does_not(algebra: Algebra) -> None:
    assert not subtracts(algebra, "h")


def test_leaving_out_is_not_including() -> None:
    assert not includes(less("x", "h"), "h")
    assert includes(Not(And((In("x"), Not(In("h"))))), "h")


segments = st.sampled_from(["h", "x", "y"])
algebras: st.SearchStrategy[Algebra] = st.recursive(
    st.builds(In, segments),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=8,
)


def reached(algebra: Algebra, member_of: frozenset[str]) -> bool:
    match algebra:
        case In(name):
            return name in member_of
        case Not(node):
            return not reached(node, member_of)
        case And(nodes):
            return all(reached(node, member_of) for node in nodes)
        case Or(nodes):
            return any(reached(node, member_of) for node in nodes)


PEOPLE = [
    frozenset(name for name, is_in in zip("hxy", each, strict=True) if is_in)
    for each in product([True, False], repeat=3)
]


@given(algebras)
def test_whoever_is_said_to_be_subtracted_is_reached_in_no_case(algebra: Algebra) -> None:
    if subtracts(algebra, "h"):
        assert not any(reached(algebra, person) for person in PEOPLE if "h" in person)


@given(algebras)
def test_the_changed_algebra_loses_exactly_the_people_held_out(algebra: Algebra) -> None:
    changed = without(algebra, ["h"])
    assert subtracts(changed, "h")
    for person in PEOPLE:
        assert reached(changed, person) == (reached(algebra, person) and "h" not in person)
