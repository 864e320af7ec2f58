"""Huber's location and Student's quantile, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.front.location import huber_bound, huber_interval, huber_location, student_quantile

QUANTILES = {5: 2.5706, 9: 2.2622, 30: 2.0423, 1000: 1.9623}
"""The 97.5 % quantiles of printed tables, by degrees of freedom."""


@pytest.mark.parametrize(("degrees", "expected"), QUANTILES.items())
def test_quantiles_are_those_of_the_tables(degrees: int, expected: float) -> None:
    """To the last printed digit or the one before."""
    assert student_quantile(degrees) == pytest.approx(expected, abs=3e-4)


def test_without_odd_values_it_is_the_mean_with_students_interval() -> None:
    """A bound that nothing reaches leaves the mean, and the textbook's half width."""
    values = np.random.default_rng(0).normal(3.0, 1.0, (10, 2))

    location, half_width = huber_interval(values, bound=100.0)

    np.testing.assert_allclose(location, values.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(half_width, student_quantile(9) * values.std(axis=0, ddof=1) / 10**0.5, rtol=1e-12)


def test_an_odd_value_pulls_no_further_than_the_bound() -> None:
    """However far it lies, it counts as if it lay at the bound: the root of the clipped distances is the location."""
    values = np.array([[1.0], [2.0], [3.0], [1e6]])

    location = huber_location(values, bound=2.0)

    assert np.clip(values - location, -2.0, 2.0).sum() == pytest.approx(0.0, abs=1e-7)
    assert location == pytest.approx(8 / 3)


def test_equal_values_are_their_location_and_leave_no_doubt() -> None:
    """The bound is nothing, and so is the interval's width."""
    values = np.full((6, 2), 7.0)

    location, half_width = huber_interval(values, bound=huber_bound(values))

    assert (location.tolist(), half_width.tolist()) == ([7.0, 7.0], [0.0, 0.0])


def test_bound_of_normal_values_is_that_of_huber() -> None:
    """1.345 standard deviations, whatever each column's level."""
    values = np.random.default_rng(0).normal([0.0, 50.0], 2.0, (20_000, 2))

    assert huber_bound(values) == pytest.approx(1.345 * 2.0, rel=0.02)
