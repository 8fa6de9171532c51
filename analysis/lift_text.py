"""The lift document said in plain words, the answer first. Pure."""

from collections.abc import Callable, Sequence
from typing import Any


def render_lift(document: dict[str, Any]) -> str:
    """Lines for a person: who was compared, what the ads added, how sure that is, and what to beware of."""
    return "\n".join([*_arm_lines(document), "", *_answer_lines(document), *_warning_lines(document)])


def _arm_lines(document: dict[str, Any]) -> list[str]:
    arms = document["arms"]
    return [_arm_line("Held out", arms["control"]), _arm_line("Advertised to", arms["treatment"])]


def _arm_line(group: str, arm: dict[str, Any]) -> str:
    each = "" if arm["mean"] is None else f" ({arm['mean']:,.6g} each)"
    return f"{group}: {arm['n']:,} units, {arm['conversions']:,} converted, {arm['sum']:,.2f} in all{each}."


def _answer_lines(document: dict[str, Any]) -> list[str]:
    anytime, relative, absolute = document["always_valid"], document["relative"], document["absolute"]
    added = anytime["incremental"]
    lift = _span(anytime["relative"]["interval"], _percent)
    total = _span(added["interval"], _number)
    once = _span(relative["interval"], _percent)
    per_unit = _span(absolute["interval"], _number)
    share = "" if added["share"] is None else f", {added['share']:.1%} of what the advertised-to bought"
    level = f"{1.0 - document['alpha']:.0%}"
    return [
        f"Lift: {_percent(relative['estimate'])}, {lift} (p = {anytime['p_value']:.2g}).",
        f"Added in total: {_number(added['total'])}{share}; {total}.",
        f"Both intervals hold at {level}, however often you look.",
        f"At one planned look: lift {once}{_p_value(document['p_value'])}, by {relative['method']}.",
        f"Per unit, at one planned look: {_number(absolute['estimate'])}, {per_unit}, by {absolute['method']}.",
    ]


def _warning_lines(document: dict[str, Any]) -> list[str]:
    found = document["warnings"]
    return ["", *(f"Beware: {warning}." for warning in found)] if found else []


def _percent(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:+.1%}"


def _number(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:+,.6g}"


def _p_value(value: float | None) -> str:
    return "" if value is None else f" (p = {value:.2g})"


def _span(interval: Sequence[float | None], shown: Callable[[float | None], str]) -> str:
    low, high = interval
    if low is None and high is None:
        return "not bounded on either side"
    if low is None:
        return f"at most {shown(high)}"
    return f"at least {shown(low)}" if high is None else f"between {shown(low)} and {shown(high)}"
