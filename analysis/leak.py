"""How far the ads reached people held out, as Criteo's own claims tell. Pure.

A held-out person should see no ad of these lists. Ads of other audiences, Criteo's other retargeting and older
clicks may reach them all the same, and are claimed alike. Statistics note B5.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.estimators.sums import pooled
from analysis.facts import Claims, Facts
from analysis.readings import strata_of


@dataclass(frozen=True, slots=True)
class Leak:
    """What Criteo claims of each arm since entry, and as which share of the arm's revenue."""

    claims: Claims
    share_holdout: float | None
    share_treatment: float | None

    @property
    def relative(self) -> float | None:
        """How often a held-out person is reached, by whatever ads, beside one advertised to.

        Assumes that Criteo claims the same part of the revenue of whomever it reaches, in both arms. It tells an
        ad set by its name alone, so ads of other audiences cannot be left out: an upper bound.
        """
        if self.share_holdout is None or not self.share_treatment:
            return None
        return max(0.0, self.share_holdout / self.share_treatment)


def read_leak(facts: Facts) -> Leak | None:
    """The claims of one experiment; None where Criteo was not asked."""
    if facts.claims is None:
        return None
    total = pooled(strata_of(facts.since_entry, lambda arm: arm.revenue))
    return Leak(
        facts.claims,
        _share(facts.claims.holdout.revenue, total.holdout.y),
        _share(facts.claims.treatment.revenue, total.treatment.y),
    )


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0.0 else None
