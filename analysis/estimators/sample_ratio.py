"""Whether the arms have the sizes that the assignment gives them, phase by phase and at every look. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from scipy.special import betaln, chdtrc

CONCENTRATION = 100.0
ALARM_LOG_BAYES_FACTOR = log(1000.0)


@dataclass(frozen=True, slots=True)
class PhaseCounts:
    """Entrants of one phase by arm, and the holdout share that was in force when they were assigned."""

    holdout: int
    treatment: int
    share: float

    def __post_init__(self) -> None:
        if min(self.holdout, self.treatment) < 0 or not 0.0 <= self.share <= 1.0:
            raise ValueError("counts must be zero or more, and a share between 0 and 1")

    @property
    def n(self) -> int:
        """Units of both arms."""
        return self.holdout + self.treatment

    @property
    def is_certain(self) -> bool:
        """Whether the share leaves nothing to chance (0 or 1), or nobody entered."""
        return self.share in {0.0, 1.0} or self.n == 0

    @property
    def is_impossible(self) -> bool:
        """Whether somebody is in an arm that had a share of zero."""
        return (self.share == 0.0 and self.holdout > 0) or (self.share == 1.0 and self.treatment > 0)


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """χ² summed over phases, and the sequential Bayes factor multiplied over them."""

    chi2: float
    df: int
    p_value: float | None
    log_bayes_factor: float
    is_impossible: bool

    @property
    def is_alarming(self) -> bool:
        """Bayes factor ≥ 1000, or people in an arm that did not exist: a false alarm in 1000 at any look."""
        return self.is_impossible or self.log_bayes_factor >= ALARM_LOG_BAYES_FACTOR

    @property
    def sequential_p_value(self) -> float:
        """min(1, 1/BF); the smallest over all looks is valid."""
        return 0.0 if self.is_impossible else exp(-max(0.0, self.log_bayes_factor))


def sample_ratio(phases: Sequence[PhaseCounts], concentration: float = CONCENTRATION) -> SampleRatio:
    """χ² = Σ(n_c − Nh)²/(Nh(1 − h)), df = phases with chance in them; log BF by `log_bayes_factor`.

    Units: people. Assumes independent assignment at the recorded share of each phase, never today's. No
    p-value without such a phase. Raises ValueError for negative counts.
    """
    random = [phase for phase in phases if not phase.is_certain]
    chi2 = sum((p.holdout - p.n * p.share) ** 2 / (p.n * p.share * (1.0 - p.share)) for p in random)
    return SampleRatio(
        chi2=chi2,
        df=len(random),
        p_value=float(chdtrc(len(random), chi2)) if random else None,
        log_bayes_factor=sum(log_bayes_factor(p, concentration) for p in random),
        is_impossible=any(phase.is_impossible for phase in phases),
    )


def log_bayes_factor(phase: PhaseCounts, concentration: float = CONCENTRATION) -> float:
    """logB(kθ + n) − logB(kθ) − Σn_i·logθ_i, a Dirichlet(kθ) alternative against the share θ.

    Natural log, no unit. Assumes that units are assigned independently with share θ: then it is a test
    martingale, so it may be read after every unit; a fresh factor per phase, multiplied (logs added). 0 where the
    share leaves nothing to chance. Raises ValueError for a concentration that is not positive. Lindon & Malek (2022);
    k = 100 (their package's default is 10,000, which is slower to see a gross error).
    """
    if concentration <= 0.0:
        raise ValueError("the concentration must be positive")
    if phase.is_certain:
        return 0.0
    a, b = concentration * phase.share, concentration * (1.0 - phase.share)
    evidence = float(betaln(a + phase.holdout, b + phase.treatment)) - float(betaln(a, b))
    return evidence - phase.holdout * log(phase.share) - phase.treatment * log(1.0 - phase.share)
