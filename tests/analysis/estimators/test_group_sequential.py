"""Group-sequential boundaries spend exactly what they may."""

import numpy as np
import pytest

from analysis.estimators.group_sequential import boundaries, equal_looks, spending_boundaries


@pytest.mark.parametrize(("rho", "final"), [(2.0, 2.2338), (3.0, 2.1454)])
def test_the_final_boundary_of_26_looks_agrees_with_the_reference(rho: float, final: float) -> None:
    assert boundaries(equal_looks(26), rho=rho)[-1].z == pytest.approx(final, abs=1.5e-4)


def test_one_look_is_the_fixed_test() -> None:
    assert boundaries(equal_looks(1))[0].z == pytest.approx(1.959963984540054, rel=1e-12)


def test_two_looks_agree_with_pocock_like_spending_by_bivariate_normal() -> None:
    """Independent oracle: the bivariate normal probability of crossing at either of two looks."""
    from scipy.stats import multivariate_normal

    first, second = boundaries((0.5, 1.0), rho=1.0)
    joint = multivariate_normal(cov=[[1.0, 0.5**0.5], [0.5**0.5, 1.0]])
    box = joint.cdf(np.array([first.z, second.z]), lower_limit=np.array([-first.z, -second.z]))
    assert 1.0 - box == pytest.approx(0.05, abs=1e-5)
    assert first.spent == pytest.approx(0.025)


def test_simulated_paths_cross_as_often_as_promised() -> None:
    rng = np.random.default_rng(7)
    plan = boundaries(equal_looks(10), alpha=0.1, rho=2.0)
    paths = rng.normal(size=(40_000, 10)).cumsum(axis=1) / np.sqrt(np.arange(1, 11))
    crossed = (np.abs(paths) >= [b.z for b in plan]).any(axis=1).mean()
    assert crossed == pytest.approx(0.1, abs=0.006)


def test_looks_at_uneven_times_spend_by_information() -> None:
    plan = boundaries((0.1, 0.35, 1.0), rho=3.0)
    assert [b.spent for b in plan] == pytest.approx([0.05 * t**3 for t in (0.1, 0.35, 1.0)])
    assert plan[0].z > plan[1].z > plan[2].z > 1.96


@pytest.mark.parametrize("fractions", [(), (0.5, 0.5), (0.5, 1.2), (0.0, 1.0)])
def test_fractions_that_do_not_rise_within_one_are_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        boundaries(fractions)


def test_an_impossible_spending_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot spend"):
        boundaries((1.0,), alpha=0.0)
    with pytest.raises(ValueError, match="needs a look"):
        equal_looks(0)


def test_the_calendar_may_spend_while_information_comes_in_unevenly() -> None:
    """Half of all information comes with the last look; the error is spent by the date all the same."""
    rng = np.random.default_rng(8)
    information = np.array([3.0, 10.0, 12.0, 31.0, 49.0, 100.0])
    times = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]
    steps = np.sqrt(np.diff(information, prepend=0.0))
    paths = (rng.normal(size=(60_000, 6)) * steps).cumsum(axis=1) / np.sqrt(information)
    limits = [
        spending_boundaries(list(information[: k + 1]), times[: k + 1], rho=3.0)[-1].z for k in range(6)
    ]
    crossed = np.abs(paths) >= limits
    assert crossed.any(axis=1).mean() == pytest.approx(0.05, abs=0.003)
    assert crossed[:, :4].any(axis=1).mean() == pytest.approx(0.05 * 0.7**3, abs=0.0015)


def test_with_one_clock_it_is_the_usual_boundary() -> None:
    times = (0.2, 0.5, 1.0)
    scaled = spending_boundaries([900.0 * each for each in times], times)
    assert [each.z for each in scaled] == pytest.approx([each.z for each in boundaries(times)], rel=1e-9)


@pytest.mark.parametrize(
    ("information", "times", "sentence"),
    [
        ([], [], "times of the looks"),
        ([1.0, 2.0], [0.5, 1.5], "times of the looks"),
        ([1.0, 2.0], [0.5, 0.5], "times of the looks"),
        ([2.0, 2.0], [0.5, 1.0], "information must rise"),
        ([0.0, 2.0], [0.5, 1.0], "information must rise"),
    ],
)
def test_looks_that_stand_still_are_refused(
    information: list[float], times: list[float], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        spending_boundaries(information, times)
