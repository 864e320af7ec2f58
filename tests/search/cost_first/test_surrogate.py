"""The Gaussian process: its predictions, and that they depend on the observations alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.gaussian_process import GaussianProcessRegressor

from paretoopt.search.cost_first.surrogate import Observations, Surrogate

Floats = NDArray[np.float64]

INPUTS = np.stack(np.meshgrid(np.linspace(0, 1, 8), np.linspace(0, 1, 6), indexing="ij"), axis=-1).reshape(-1, 2)


def values_of(inputs: Floats) -> Floats:
    """A smooth metric of two dimensions."""
    return np.asarray(0.1 - 0.05 * np.exp(-3 * inputs[:, 0]) - 0.02 * inputs[:, 1] ** 2)


def observed(n: int, deviation: float = 0.0) -> Observations:
    """The first ``n`` points of a fixed random order."""
    rng = np.random.default_rng(0)
    points = rng.permutation(len(INPUTS))[:n]
    noise = deviation * rng.standard_normal(n)
    return Observations(points, values_of(INPUTS[points]) + noise, np.full(n, deviation**2 or np.nan))


def test_smooth_metric_is_predicted_from_a_third_of_its_points() -> None:
    """After 16 of 48 points the others are known to a tenth of the metric's range."""
    predicted = Surrogate(INPUTS).predict(observed(16))

    truth = values_of(INPUTS)
    assert np.abs(predicted.mean - truth).max() < 0.1 * np.ptp(truth)
    assert np.mean(np.abs(predicted.mean - truth) < 3 * predicted.deviation + 1e-6) > 0.95


def test_prediction_is_that_of_scikit_learn() -> None:
    """Growing the factor row by row gives the mean and deviation of scikit-learn's own process."""
    surrogate = Surrogate(INPUTS)
    for n in (5, 6, 9, 10):
        known = observed(n)
        predicted = surrogate.predict(known)
    fit = surrogate._fits[-1][1]

    model = GaussianProcessRegressor(fit.kernel, alpha=fit.noise + 1e-8, optimizer=None)
    model.fit(INPUTS[known.points], (known.values - fit.offset) / fit.scale)
    mean, deviation = model.predict(INPUTS, return_std=True)

    assert predicted.mean == pytest.approx(fit.offset + fit.scale * mean, rel=1e-6)
    assert predicted.deviation == pytest.approx(fit.doubt * fit.scale * deviation, abs=1e-6)


def test_prediction_does_not_depend_on_what_was_asked_before() -> None:
    """A resumed search, which is told all at once, predicts what one that was told point by point predicts."""
    step_by_step = Surrogate(INPUTS)
    for n in range(2, 21):
        last = step_by_step.predict(observed(n))

    at_once = Surrogate(INPUTS).predict(observed(20))

    assert at_once.mean == pytest.approx(last.mean, rel=1e-9)
    assert at_once.deviation == pytest.approx(last.deviation, abs=1e-9)


def test_noise_is_no_more_than_the_standard_error() -> None:
    """Where intervals are narrow, differences between values are believed; where they are wide, smoothed."""
    known = observed(20, deviation=0.005)
    narrow = Observations(known.points, known.values, np.full(20, 1e-10))

    smoothed, believed = Surrogate(INPUTS).predict(known), Surrogate(INPUTS).predict(narrow)

    off = [np.abs(one.mean[known.points] - known.values).mean() for one in (smoothed, believed)]
    assert off[1] < 0.2 * off[0]


def test_pending_points_lower_the_doubt_and_leave_the_mean() -> None:
    """A value on its way is believed to come out as predicted."""
    surrogate, known = Surrogate(INPUTS), observed(8)
    before = surrogate.predict(known)
    pending = np.setdiff1d(np.arange(len(INPUTS)), known.points)[:1]

    after = surrogate.predict(known, pending)

    assert after.mean.tolist() == before.mean.tolist()
    assert after.deviation[pending[0]] < 0.5 * before.deviation[pending[0]]


def test_error_tells_how_far_off_predictions_are() -> None:
    """Left-out errors of a smooth metric are a small share of its range, and shrink with more points."""
    few, many = (Surrogate(INPUTS).predict(observed(n)).error for n in (8, 30))

    assert 0 < many < few < 0.3 * np.ptp(values_of(INPUTS))
