"""The last look agrees with the frozen assignment, and says no without naming anybody."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programmes import people

import sync.firewall
from experiments.digests import EMPTY
from experiments.errors import Leaked
from experiments.phases import Holdout, assign
from sync.firewall import check_add, count_held_out

_PPM = st.one_of(st.integers(0, 500_000), st.sampled_from([0, 1, 100_000, 500_000]))
_EVERYBODY = people(range(300))


@given(_PPM, _PPM, st.sampled_from(["a", "cart"]))
def test_it_counts_whom_the_planner_would_hold_out(own: int, universal: int, group: str) -> None:
    holdout = Holdout(f"holdout:v1:{group}:s0", own, "holdout:v1:universal:s0", universal)
    found = assign(_EVERYBODY, holdout)
    assert count_held_out(_EVERYBODY, holdout) == len(found.held_out)
    check_add("cart", found.treated, holdout)


def test_one_held_out_person_among_many_stops_the_request() -> None:
    holdout = Holdout("holdout:v1:a:s0", 100_000, "holdout:v1:universal:s0", 20_000)
    found = assign(_EVERYBODY, holdout)
    leak = found.held_out.where([True] + [False] * (len(found.held_out) - 1))  # type: ignore[arg-type]  # a mask
    with pytest.raises(Leaked, match="cart: 1 of the people") as caught:
        check_add("cart", found.treated | leak, holdout)
    assert caught.value.people == 1
    assert next(iter(leak)).hex() not in str(caught.value)


def test_nobody_to_add_is_nobody_held_out() -> None:
    check_add("cart", EMPTY, Holdout("s", 500_000, "u", 500_000))


def test_it_shares_no_code_with_the_planner() -> None:
    tree = ast.parse(Path(sync.firewall.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"__future__", "collections.abc", "experiments.errors", "experiments.phases"}
    names = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert "assign" not in names
