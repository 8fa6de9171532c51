"""What Criteo takes credit for, and the metrics it computes from that. Pure."""

import re
from dataclasses import dataclass, field

from sandbox.shop import DAY

_ATTRIBUTED = re.compile(
    r"(Sales|RevenueGenerated|Roas|ECos|CostPerOrder|ConversionRate|AverageCart)(All)?"
    r"(Pc30dPv24h|Pc30Pv24|Pc7dPv24|Pc30dClientAttribution|ClientAttribution|Pc30d|Pc7d|Pc1d|Pv24h|Lc)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One order that Criteo takes credit for."""

    number: int
    revenue: float
    at: float
    touch_at: float
    clicked: bool
    cross_device: bool

    def counts_in(self, window: str) -> bool:
        """Whether an attribution window, by its suffix, takes the order in."""
        days = {"Pc1d": 1, "Pc7d": 7, "ClientAttribution": 7, "Pc7dPv24": 7}.get(window, 30)
        if self.clicked:
            return window != "Pv24h" and self.at - self.touch_at <= days * DAY
        return "Pv24" in window


@dataclass(slots=True)
class Cell:
    """What falls into one row of a report."""

    displays: int = 0
    clicks: int = 0
    cost: float = 0.0
    users: int = 0
    claims: list[Claim] = field(default_factory=list)

    def metric(self, name: str) -> float:
        """A metric's value; 0 for those that this shop has nothing to say about."""
        plain = {
            "Displays": float(self.displays),
            "Clicks": float(self.clicks),
            "AdvertiserCost": round(self.cost, 4),
            "ExposedUsers": float(self.users),
            "Reach": float(self.users),
            "Visits": float(self.clicks),
            "ClickThroughRate": _ratio(self.clicks, self.displays),
            "Cpc": _ratio(self.cost, self.clicks),
            "ECpc": _ratio(self.cost, self.clicks),
            "ECpm": _ratio(1000 * self.cost, self.displays),
            "Frequency": _ratio(self.displays, self.users),
        }
        if name in plain:
            return plain[name]
        parts = _ATTRIBUTED.fullmatch(name)
        return 0.0 if parts is None else self._attributed(parts[1], parts[2] is not None, parts[3])

    def _attributed(self, measure: str, across_devices: bool, window: str) -> float:
        counted = [
            claim
            for claim in self.claims
            if claim.counts_in(window) and (across_devices or not claim.cross_device)
        ]
        sales, revenue = len(counted), round(sum(claim.revenue for claim in counted), 4)
        return {
            "Sales": float(sales),
            "RevenueGenerated": revenue,
            "Roas": _ratio(revenue, self.cost),
            "ECos": _ratio(self.cost, revenue),
            "CostPerOrder": _ratio(self.cost, sales),
            "ConversionRate": _ratio(sales, self.clicks),
            "AverageCart": _ratio(revenue, sales),
        }[measure]


def _ratio(above: float, below: float) -> float:
    return round(above / below, 6) if below else 0.0
