"""Everything that one measurement rests on, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analysis.early import SeenSpan
from analysis.estimators.balance import Covariates
from analysis.estimators.dilution import MatchRate
from analysis.estimators.sums import ArmSums
from analysis.planned import Plan
from analysis.timeline import Span
from experiments.phases import Phase

Kind = Literal["audience", "group", "programme"]

_NOBODY = ArmSums.empty()


@dataclass(frozen=True, slots=True)
class ArmOutcomes:
    """One arm of one span: revenue and orders in the window, and revenue before entry."""

    revenue: ArmSums
    """Net revenue per unit, with revenue before entry as its covariate."""
    conversions: ArmSums
    """1 for a unit that bought, else 0."""
    before: ArmSums
    """Revenue in the 28 days before entry: no ad of ours can have caused it."""
    capped: ArmSums = _NOBODY
    """Revenue with each order cut off at the experiment's cap; empty where it has none yet."""
    history: Covariates | None = None
    """What they did before entry, together: of everyone, so None where only matured units were summed."""

    def __add__(self, other: ArmOutcomes) -> ArmOutcomes:
        return ArmOutcomes(
            self.revenue + other.revenue,
            self.conversions + other.conversions,
            self.before + other.before,
            self.capped + other.capped,
            None if self.history is None or other.history is None else self.history + other.history,
        )


EMPTY_ARM = ArmOutcomes(_NOBODY, _NOBODY, _NOBODY)


@dataclass(frozen=True, slots=True)
class SpanOutcomes:
    """Both arms of one span."""

    span: Span
    holdout: ArmOutcomes
    treatment: ArmOutcomes


@dataclass(frozen=True, slots=True)
class SpendTotal:
    """Cost and claims of some ad sets over some days, in the programme's currency."""

    cost: float
    attributed_revenue: float
    attributed_orders: int


@dataclass(frozen=True, slots=True)
class Experiment:
    """Who is compared: one audience, the windows of one holdout group together, or the programme.

    Windows of one group share their arms, so a later window only sees whom the earlier ones did not
    persuade; money is therefore read for the group, and a window's own lift is a description.
    """

    name: str
    kind: Kind
    audiences: tuple[str, ...]
    window: int
    ad_sets: tuple[str, ...]
    has_money: bool
    lasts: int | None = None
    """Seconds from its start to the planned end that the file asks for; None is read for ever."""


@dataclass(frozen=True, slots=True)
class OrderCap:
    """Where single orders are cut off, in cents: the same for both arms and at every look."""

    cents: int
    orders: int
    """How many orders it was read from."""
    until: int
    """They were placed before this moment."""
    frozen_at: int


@dataclass(frozen=True, slots=True)
class ClaimedOrders:
    """Orders that Criteo claims, and what they brought in the programme's currency."""

    orders: int = 0
    revenue: float = 0.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What Criteo claims of the people held out and of those advertised to, since entry."""

    holdout: ClaimedOrders = ClaimedOrders()
    treatment: ClaimedOrders = ClaimedOrders()

    def __add__(self, other: Claims) -> Claims:
        return Claims(_added(self.holdout, other.holdout), _added(self.treatment, other.treatment))


def _added(one: ClaimedOrders, other: ClaimedOrders) -> ClaimedOrders:
    return ClaimedOrders(one.orders + other.orders, one.revenue + other.revenue)


@dataclass(frozen=True, slots=True)
class Entered:
    """Entrants of one phase of one audience, by arm."""

    phase: Phase
    holdout: int
    treatment: int
    universal: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that one measurement rests on."""

    experiment: Experiment
    watermark: int
    entered: tuple[Entered, ...]
    matured: tuple[SpanOutcomes, ...]
    """Outcomes inside the window, of units whose window has closed."""
    since_entry: tuple[SpanOutcomes, ...]
    """Outcomes from entry to the watermark, of everyone."""
    spend: SpendTotal
    ever_treated: int
    """Distinct units that were treated at some time: the spend is theirs."""
    margin: float
    planned_information: float
    """What the always-valid intervals are tuned to, frozen at the first measurement."""
    failed_audit: str | None = None
    cap: OrderCap | None = None
    plan: Plan | None = None
    """The planned end that was frozen before the first look, if one was."""
    match: MatchRate | None = None
    claims: Claims | None = None
    """None where Criteo was not asked which orders it claims."""
    early: tuple[SeenSpan, ...] | None = None
    """Who was seen and bought by day of the window; None once half of all windows have closed."""
