"""One arm's outcome, held as centred moments so that adding days, weeks and phases loses nothing. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ArmSums:
    """Sufficient statistics of one outcome y (and one covariate x) over the units of one arm.

    Held as n, Σy, Σ(y−ȳ)², Σ(y−ȳ)³, Σx, Σ(x−x̄)², Σ(x−x̄)(y−ȳ), which `+` merges by the pairwise
    formulas of Chan, Golub & LeVeque (1983) and Pébay (2008); the other raw sums are properties. Units of y are
    the outcome's own (orders, euro); `conversions` counts units with y > 0, `negatives` units with y < 0
    (refunds beyond purchases), which decide whether a score interval may be used.
    """

    n: int
    y: float
    m2: float
    m3: float
    conversions: int
    negatives: int = 0
    x: float = 0.0
    x_m2: float = 0.0
    xy_m2: float = 0.0

    def __post_init__(self) -> None:
        if self.n < 0 or not 0 <= self.conversions + self.negatives <= self.n:
            raise ValueError(
                f"{self.n} units cannot hold {self.conversions} conversions and {self.negatives} negatives"
            )

    @classmethod
    def empty(cls) -> "ArmSums":
        """No unit at all: the neutral element of `+`."""
        return cls(n=0, y=0.0, m2=0.0, m3=0.0, conversions=0)

    @classmethod
    def from_sums(
        cls,
        n: int,
        y: float,
        yy: float,
        yyy: float,
        *,
        conversions: int,
        negatives: int = 0,
        x: float = 0.0,
        xx: float = 0.0,
        xy: float = 0.0,
    ) -> "ArmSums":
        """From n, Σy, Σy², Σy³ (and Σx, Σx², Σxy), as a database adds them.

        Second moments that rounding pushed below zero become zero. Raises ValueError where n is 0 and a
        sum is not.
        """
        if n == 0:
            if any((y, yy, yyy, x, xx, xy)):
                raise ValueError("sums without a unit")
            return cls.empty()
        mean, x_mean = y / n, x / n
        m2 = max(0.0, yy - y * mean)
        return cls(
            n=n,
            y=y,
            m2=m2,
            m3=yyy - mean * (3.0 * m2 + y * mean),
            conversions=conversions,
            negatives=negatives,
            x=x,
            x_m2=max(0.0, xx - x * x_mean),
            xy_m2=xy - x * mean,
        )

    @classmethod
    def from_values(
        cls,
        values: Floats,
        *,
        covariate: Floats | None = None,
        weights: Floats | None = None,
    ) -> "ArmSums":
        """From one value per unit; `weights` lets a value stand for that many (whole) units."""
        y = np.asarray(values, dtype=np.float64)
        w = np.ones_like(y) if weights is None else np.asarray(weights, dtype=np.float64)
        x = np.zeros_like(y) if covariate is None else np.asarray(covariate, dtype=np.float64)
        if y.shape != w.shape or y.shape != x.shape:
            raise ValueError("values, weights and covariate differ in length")
        n = round(float(w.sum()))
        if n == 0:
            return cls.empty()
        sum_y, sum_x = float(w @ y), float(w @ x)
        dy, dx = y - sum_y / n, x - sum_x / n
        return cls(
            n=n,
            y=sum_y,
            m2=float(w @ dy**2),
            m3=float(w @ dy**3),
            conversions=round(float(w[y > 0].sum())),
            negatives=round(float(w[y < 0].sum())),
            x=sum_x,
            x_m2=float(w @ dx**2),
            xy_m2=float(w @ (dx * dy)),
        )

    @property
    def mean(self) -> float:
        """ȳ, and 0 without a unit."""
        return self.y / self.n if self.n else 0.0

    @property
    def x_mean(self) -> float:
        """x̄, and 0 without a unit."""
        return self.x / self.n if self.n else 0.0

    @property
    def yy(self) -> float:
        """Σy² = Σ(y−ȳ)² + n·ȳ²."""
        return self.m2 + self.y * self.mean

    @property
    def yyy(self) -> float:
        """Σy³ = Σ(y−ȳ)³ + 3ȳ·Σ(y−ȳ)² + n·ȳ³."""
        return self.m3 + self.mean * (3.0 * self.m2 + self.y * self.mean)

    @property
    def xx(self) -> float:
        """Σx²."""
        return self.x_m2 + self.x * self.x_mean

    @property
    def xy(self) -> float:
        """Σxy."""
        return self.xy_m2 + self.x * self.mean

    @property
    def variance(self) -> float | None:
        """s² = Σ(y−ȳ)²/(n−1); None below two units."""
        return self.m2 / (self.n - 1) if self.n > 1 else None

    @property
    def mean_variance(self) -> float | None:
        """s²/n, the squared standard error of ȳ; None below two units."""
        return self.m2 / (self.n - 1) / self.n if self.n > 1 else None

    @property
    def x_variance(self) -> float | None:
        """Sample variance of the covariate; None below two units."""
        return self.x_m2 / (self.n - 1) if self.n > 1 else None

    @property
    def xy_covariance(self) -> float | None:
        """Sample covariance of covariate and outcome; None below two units."""
        return self.xy_m2 / (self.n - 1) if self.n > 1 else None

    @property
    def converted(self) -> "ArmSums":
        """The same units with the outcome "bought at all": 1 where y > 0, else 0; without a covariate."""
        k = float(self.conversions)
        return ArmSums.from_sums(self.n, k, k, k, conversions=self.conversions)

    @property
    def baskets(self) -> "ArmSums":
        """The buyers alone, y per buyer. Never "incremental": who buys is an outcome (note B1.6).

        Raises ValueError where a unit is below zero, for then Σy is not the buyers'.
        """
        if self.negatives:
            raise ValueError("baskets need outcomes of zero or more")
        if not self.conversions:
            return ArmSums.empty()
        return ArmSums.from_sums(self.conversions, self.y, self.yy, self.yyy, conversions=self.conversions)

    def __add__(self, other: "ArmSums") -> "ArmSums":
        if self.n == 0:
            return other
        if other.n == 0:
            return self
        a, b, n = self.n, other.n, self.n + other.n
        dy, dx = other.mean - self.mean, other.x_mean - self.x_mean
        cross = a * b / n
        return ArmSums(
            n=n,
            y=self.y + other.y,
            m2=self.m2 + other.m2 + dy**2 * cross,
            m3=self.m3 + other.m3 + dy**3 * cross * (a - b) / n + 3.0 * dy * (a * other.m2 - b * self.m2) / n,
            conversions=self.conversions + other.conversions,
            negatives=self.negatives + other.negatives,
            x=self.x + other.x,
            x_m2=self.x_m2 + other.x_m2 + dx**2 * cross,
            xy_m2=self.xy_m2 + other.xy_m2 + dx * dy * cross,
        )


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both arms of a stretch in which everybody met the same holdout share (a phase, or phase × week)."""

    holdout: ArmSums
    treatment: ArmSums
    label: str = "all"

    @property
    def n(self) -> int:
        """Units of both arms."""
        return self.holdout.n + self.treatment.n

    @property
    def is_comparable(self) -> bool:
        """Whether both arms have a unit; a stratum with an empty arm says nothing about lift."""
        return self.holdout.n > 0 and self.treatment.n > 0


Strata = tuple[Stratum, ...]


def comparable(strata: Strata) -> Strata:
    """The strata in which both arms have a unit."""
    return tuple(stratum for stratum in strata if stratum.is_comparable)


def pooled(strata: Strata) -> Stratum:
    """All strata added arm by arm: fit for totals, never for a comparison over changing shares."""
    return Stratum(
        holdout=sum((s.holdout for s in strata), ArmSums.empty()),
        treatment=sum((s.treatment for s in strata), ArmSums.empty()),
        label="pooled",
    )
