"""The incremental total that a relative lift stands for. Pure."""

from dataclasses import dataclass

from analysis.estimators.intervals import UNBOUNDED, Estimate, Interval
from analysis.estimators.sums import Strata, comparable, pooled


@dataclass(frozen=True, slots=True)
class Increment:
    """What the ads added in total (outcome's own units), and which share of the treated arm's sales it is.

    None is "could not be estimated"; an open side is a total that the data do not bound.
    """

    total: float | None
    interval: Interval
    share: float | None
    share_interval: Interval


NO_INCREMENT = Increment(None, UNBOUNDED, None, UNBOUNDED)


def increment(strata: Strata, lift: Estimate) -> Increment:
    """S_t·(1 − 1/r) and 1 − 1/r, r = 1 + lift, with the ends of the lift's interval put through them.

    The total counts treated units of the strata that have a holdout; it needs no match-rate correction
    (note, section 0.4). A lift of −1 leaves the lower side open; an open upper lift means at most S_t.
    Where the treated arm sold nothing, neither can be said. Assumes what the lift assumes, and that S_t is known
    without error. Raises nothing of its own. Statistics note B1.4.
    """
    sold = pooled(comparable(strata)).treatment.y
    if sold <= 0.0:
        return NO_INCREMENT
    share = None if lift.estimate is None else _share(lift.estimate)
    low, high = lift.interval.low, lift.interval.high
    shares = Interval(
        low=None if low is None else _share(low),
        high=None if low is None else (1.0 if high is None else _share(high)),
    )
    return Increment(
        total=None if share is None else sold * share,
        interval=shares.mapped(lambda value: sold * value),
        share=share,
        share_interval=shares,
    )


def _share(lift: float) -> float | None:
    """1 − 1/r; None for r ≤ 0."""
    return lift / (1.0 + lift) if lift > -1.0 else None
