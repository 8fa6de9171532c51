"""A small calibration: the promises that `make calibrate` checks at length, with stated tolerances."""

import numpy as np
import pytest

from analysis.estimators.score import score
from analysis.estimators.simulation import (
    Conclusions,
    Programme,
    burnt_in,
    claims_by_look,
    conclude,
    draw,
    fieller_rejects,
    fixed_quantiles,
    score_rejects,
    sequential_quantiles,
)
from analysis.estimators.sums import ArmSums, Stratum

EXPERIMENTS = 4_000  # Monte Carlo error of a rate of 2.5 %: 0.25 points


def at_one_look(control_conversions: int, share: float, sigma: float | None, lift: float = 0.0) -> Programme:
    units = control_conversions / (share * 0.01)
    return Programme(units, shares=(share,), rates=(0.01,), lift=lift, sigma=sigma)


def test_a_small_holdout_with_heavy_tails_holds_its_level_where_welch_fails() -> None:
    """5 % holdout, σ = 1.2, 50 control conversions, no effect: nominal 2.5 % upwards."""
    draws = draw(at_one_look(50, 0.05, 1.2), EXPERIMENTS, np.random.default_rng(20))
    ours, welch = (conclude(m(draws, 1.0, fixed_quantiles(1))) for m in (score_rejects, fieller_rejects))
    assert ours.above <= 0.03
    assert ours.above + ours.below <= 0.06
    assert welch.above > 0.07


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_conversion_intervals_cover_the_truth(share: float) -> None:
    programme = at_one_look(50, share, None, lift=0.2)
    draws = draw(programme, EXPERIMENTS, np.random.default_rng(21))
    covered = conclude(score_rejects(draws, programme.ratio, fixed_quantiles(1))).covered
    assert 0.93 <= covered <= 0.975


def test_a_year_of_weekly_reading_stays_below_its_level_where_others_do_not() -> None:
    """Four control conversions a week, 52 looks, σ = 1.2, no effect."""
    programme = Programme(8_000, shares=(0.05,) * 52, rates=(0.01,) * 52, sigma=1.2)
    draws = draw(programme, 800, np.random.default_rng(22))
    limits = sequential_quantiles(draws, programme, tuned_week=13)
    assert conclude(score_rejects(draws, 1.0, limits), burnt_in(draws)).above <= 0.03
    assert conclude(fieller_rejects(draws, 1.0, limits)).above > 0.12
    assert conclude(fieller_rejects(draws, 1.0, fixed_quantiles(52))).above > 0.3


def changing(lift: float) -> Programme:
    return Programme(
        10_000,
        shares=(0.05,) * 18 + (0.2,) * 17 + (0.1,) * 17,
        rates=(0.008,) * 18 + (0.016,) * 17 + (0.01,) * 17,
        lift=lift,
        sigma=1.2,
    )


def test_a_changed_percentage_with_a_moving_base_rate_keeps_level_and_power() -> None:
    found: dict[float, Conclusions] = {}
    naive: dict[float, Conclusions] = {}
    for lift in (0.0, 0.2):
        programme = changing(lift)
        draws = draw(programme, 600, np.random.default_rng(23))
        limits = sequential_quantiles(draws, programme, tuned_week=13)
        found[lift] = conclude(score_rejects(draws, 1.0, limits), burnt_in(draws))
        naive[lift] = conclude(fieller_rejects(draws, 1.0, limits))
    assert found[0.0].above <= 0.03
    assert found[0.0].above + found[0.0].below <= 0.05
    assert naive[0.0].above + naive[0.0].below > 0.25
    assert found[0.2].above > 0.3


def arm(n: float, powers: tuple[np.ndarray, ...], k: int, phase: int) -> ArmSums:
    y, yy, yyy = (float(power[k, -1, phase]) for power in powers)
    return ArmSums.from_sums(int(n), y, yy, yyy, conversions=0)


def test_the_simulation_reads_as_the_product_does() -> None:
    """Whole experiments along leading axes give the verdicts of `score` on each experiment's sums."""
    draws = draw(changing(0.3), 25, np.random.default_rng(24))
    above, below = score_rejects(draws, 1.0, fixed_quantiles(52))
    for k in range(25):
        strata = tuple(
            Stratum(
                arm(draws.n_c[-1, phase], draws.powers_c, k, phase),
                arm(draws.n_t[-1, phase], draws.powers_t, k, phase),
            )
            for phase in range(3)
        )
        found = score(strata, hybrid=False)
        assert found.p_value is not None
        assert (found.p_value < 0.05) == bool(above[k, -1] or below[k, -1])


def test_claims_accumulate_over_looks() -> None:
    rejections = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert claims_by_look(rejections) == [0.0, 0.5, 0.5]
    assert conclude((rejections, np.zeros((2, 3)))) == Conclusions(0.5, 0.0)


def test_a_phase_begins_where_the_share_changes() -> None:
    assert changing(0.0).phases[17:19] == (0, 1)
    assert set(Programme(10, (0.1, 0.1), (0.01, 0.02)).phases) == {0}
