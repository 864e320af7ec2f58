"""A Gaussian process over a fixed list of points, kept up to date point by point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from paretoopt.search.cost_first.hyperparameters import Hyperparameters, fit_hyperparameters

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

_FIRST_FIT = 2
_GROWTH = 1.2
_JITTER = 1e-8


@dataclass(frozen=True)
class Observations:
    """Measured values at some of the points, in the order in which they became known.

    Attributes:
        points: Number of each value's point.
        values: The values.
        variances: Squared standard error of each; NaN where it is not known.
    """

    points: Numbers
    values: Floats
    variances: Floats

    def first(self, n: int) -> Observations:
        """The ``n`` oldest."""
        return Observations(self.points[:n], self.values[:n], self.variances[:n])

    def with_believed(self, points: Numbers, mean: Floats) -> Observations:
        """These and ``points``, as if they had been measured to be as predicted."""
        return Observations(
            np.concatenate([self.points, points]),
            np.concatenate([self.values, mean[points]]),
            np.concatenate([self.variances, np.full(len(points), np.nan)]),
        )

    def begins_with(self, other: Observations) -> bool:
        """Whether ``other`` is what was known earlier."""
        n = len(other.points)
        return (
            n <= len(self.points)
            and np.array_equal(self.points[:n], other.points)
            and np.array_equal(self.values[:n], other.values)
        )


@dataclass(frozen=True)
class Prediction:
    """What is expected at every point, measured ones included.

    Attributes:
        mean: Array of shape ``(n_points,)``.
        deviation: Standard deviation of the noise-free value; array of the same shape.
        error: Median absolute error of measured values, each predicted from the others, as of the last fit.
    """

    mean: Floats
    deviation: Floats
    error: float


class Surrogate:
    """Predicts one metric at all points of a list from its values at some.

    What it predicts depends on the observations alone: hyperparameters are fitted to the first 2, 3, 4, ... values,
    the numbers growing by a fifth, each fit starting from the one before. What is kept between calls only saves time,
    so that an observation costs ``n_observations * n_points`` operations, and not the square of the first.
    """

    def __init__(self, inputs: Floats) -> None:
        """Prepare for ``inputs``, an array of shape ``(n_points, n_features)``."""
        self._inputs = inputs
        self._fits: list[tuple[Observations, Hyperparameters]] = []
        self._state: _State | None = None

    def predict(self, observations: Observations, pending: Numbers | None = None) -> Prediction:
        """Condition on ``observations``, of which there must be at least two.

        Args:
            observations: What was measured.
            pending: Points whose values are on their way: taken to come out as predicted.
        """
        hyperparameters = self._fitted(observations)
        state = self._state
        if (
            state is None
            or state.hyperparameters is not hyperparameters
            or not observations.begins_with(state.observations)
        ):
            state = _State.prior(hyperparameters, self._inputs)
        self._state = state = state.extended(observations, self._inputs)
        variance = state.variance
        mean = hyperparameters.offset + hyperparameters.scale * state.mean
        if pending is not None and len(pending):
            variance = state.extended(observations.with_believed(pending, mean), self._inputs).variance
        deviation = hyperparameters.doubt * hyperparameters.scale * np.sqrt(np.maximum(variance, 0.0))
        return Prediction(mean, deviation, hyperparameters.error)

    def _fitted(self, observations: Observations) -> Hyperparameters:
        while self._fits and not observations.begins_with(self._fits[-1][0]):
            self._fits.pop()
        for size in _fit_sizes(len(observations.points))[len(self._fits) :]:
            known = observations.first(size)
            before = self._fits[-1][1] if self._fits else None
            fitted = fit_hyperparameters(self._inputs[known.points], known.values, known.variances, before)
            self._fits.append((known, fitted))
        return self._fits[-1][1]


@dataclass(frozen=True)
class _State:
    """The posterior at all points: a Cholesky factor of the observed points, grown row by row.

    With ``L`` the factor and ``K`` the covariance between observed and all points, ``rows`` is ``L⁻¹ K``: the mean is
    ``rowsᵀ (L⁻¹ y)``, and the variance what the squared rows leave of the prior's.
    """

    hyperparameters: Hyperparameters
    observations: Observations
    rows: Floats
    solved: Floats
    mean: Floats
    variance: Floats

    @staticmethod
    def prior(hyperparameters: Hyperparameters, inputs: Floats) -> _State:
        nothing = Observations(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0))
        variance = hyperparameters.kernel.diag(inputs)
        return _State(
            hyperparameters, nothing, np.zeros((0, len(inputs))), np.zeros(0), np.zeros(len(inputs)), variance
        )

    def extended(self, observations: Observations, inputs: Floats) -> _State:
        """The posterior with what is new in ``observations``, all at once."""
        n_known = len(self.observations.points)
        points = observations.points[n_known:]
        if len(points) == 0:
            return self
        covariance = self.hyperparameters.kernel(inputs[points], inputs)
        # The columns of the observed points in `rows` are the rows that the factor has for the new ones.
        left = self.rows[:, points].T
        noise = self.hyperparameters.noise_of(observations.variances[n_known:]) + _JITTER
        factor = np.linalg.cholesky(covariance[:, points] + np.diag(noise) - left @ left.T)
        rows = solve_triangular(factor, covariance - left @ self.rows, lower=True)
        values = (observations.values[n_known:] - self.hyperparameters.offset) / self.hyperparameters.scale
        solved = solve_triangular(factor, values - left @ self.solved, lower=True)
        return _State(
            self.hyperparameters,
            observations,
            np.vstack([self.rows, rows]),
            np.concatenate([self.solved, solved]),
            self.mean + solved @ rows,
            self.variance - np.einsum("ij,ij->j", rows, rows),
        )


def _fit_sizes(n: int) -> list[int]:
    """How many observations there were at each fit, up to ``n``."""
    sizes, size = [], _FIRST_FIT
    while size <= n:
        sizes.append(size)
        size = max(size + 1, int(size * _GROWTH))
    return sizes
