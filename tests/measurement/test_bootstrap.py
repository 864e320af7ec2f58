"""Bootstrap intervals of means over users."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.measurement.bootstrap import bounded_mean_interval, mean_interval, resampled_means

# NDCG@10 of a hit at each place of the list, and what most users have.
GAINS = np.array([0.0, *(1 / np.log2(np.arange(10) + 2))])
SHARES = np.array([0.85, *([0.015] * 10)])


def qualities(n_users: int, seed: int) -> NDArray[np.float64]:
    """Users whose quality is mostly 0, as that of next-item recommendation is."""
    return np.random.default_rng(seed).choice(GAINS, size=n_users, p=SHARES)


def test_resampled_means_have_the_mean_and_the_spread_of_the_closed_form() -> None:
    """Drawing n users with replacement gives means around the mean, with the standard error sigma / sqrt(n)."""
    values = qualities(500, seed=0)

    means = resampled_means(values, n_resamples=20_000)

    assert means.mean() == pytest.approx(values.mean(), abs=5 * values.std() / 500**0.5 / 20_000**0.5)
    assert means.std() == pytest.approx(values.std() / 500**0.5, rel=0.03)


def test_resampling_distinct_values_is_resampling_users() -> None:
    """Quantiles of the means equal those of a second implementation that draws every user."""
    values = qualities(200, seed=1)
    drawn = np.random.default_rng(1).integers(0, 200, (20_000, 200))

    quantiles = [np.quantile(means, [0.025, 0.5, 0.975]) for means in (resampled_means(values), values[drawn].mean(1))]

    assert quantiles[0] == pytest.approx(quantiles[1], abs=0.1 * values.std() / 200**0.5)


def test_many_distinct_values_are_resampled_in_parts() -> None:
    """Values that are all different need more than one draw, and as many means come back as were asked for."""
    values = np.random.default_rng(2).normal(size=5_000)

    assert resampled_means(values, n_resamples=1_001).shape == (1_001,)


def test_interval_is_that_of_the_normal_approximation_for_many_normal_values() -> None:
    """Where the central limit theorem is right, the bootstrap agrees with it."""
    values = np.random.default_rng(3).normal(size=2_000).round(2)
    margin = 1.96 * values.std(ddof=1) / 2_000**0.5

    low, high = mean_interval(values)

    assert (low, high) == pytest.approx((values.mean() - margin, values.mean() + margin), abs=0.1 * margin)


def test_interval_of_skewed_values_reaches_further_up() -> None:
    """Most users have 0, so the mean is more likely too low than too high, and no quality is below 0."""
    values = qualities(100, seed=4)

    low, high = mean_interval(values)

    assert 0 <= low < values.mean() < high
    assert high - values.mean() > values.mean() - low


def test_interval_holds_the_true_mean_as_often_as_it_says() -> None:
    """Of 400 samples of 300 users, about 95 % of the intervals hold the mean that the samples were drawn with."""
    truth = float(GAINS @ SHARES)
    intervals = [mean_interval(qualities(300, seed), n_resamples=999) for seed in range(400)]

    coverage = np.mean([low <= truth <= high for low, high in intervals])

    assert 0.92 <= coverage <= 0.98


def test_the_same_values_give_the_same_interval() -> None:
    """The seed is fixed, so that an interval can be told again."""
    values = qualities(100, seed=5)

    assert mean_interval(values) == mean_interval(values)


def test_more_confidence_is_wider() -> None:
    """The interval at 99 % holds that at 95 %."""
    values = qualities(400, seed=6)

    (low, high), (lower, higher) = mean_interval(values), mean_interval(values, confidence=0.99)

    assert lower < low < high < higher


@pytest.mark.parametrize("n_users", [10, 1_000])
def test_users_who_all_miss_leave_room_above_zero(n_users: int) -> None:
    """If a user hits with the probability at the upper end, all miss in one of 40 samples: the exact bound."""
    low, high = bounded_mean_interval(np.zeros(n_users))

    assert low == 0
    assert (1 - high) ** n_users == pytest.approx(0.025)


def test_users_who_all_hit_leave_room_below_one() -> None:
    """The same at the other end."""
    low, high = bounded_mean_interval(np.ones(50))

    assert high == 1
    assert low**50 == pytest.approx(0.025)


def test_users_who_are_all_equal_leave_room_to_both_bounds() -> None:
    """Halfway between the bounds, the room is half of that of users who all miss."""
    _, reach = bounded_mean_interval(np.zeros(20))

    assert bounded_mean_interval(np.full(20, 0.5)) == pytest.approx((0.5 - reach / 2, 0.5 + reach / 2))
    assert bounded_mean_interval(np.zeros(20), least=-2, greatest=1) == pytest.approx((-2 * reach, reach))
