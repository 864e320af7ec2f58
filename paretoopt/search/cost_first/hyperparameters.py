"""The hyperparameters of a Gaussian process: fitted by scikit-learn, held by a prior while there are few points."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Kernel, Matern, WhiteKernel

Floats = NDArray[np.float64]

_JITTER = 1e-8
_MOST_POINTS = 200
"""More points change hyperparameters little, and fitting takes the cube of their number."""
_MOST_STEPS = 30
_FEWEST_FOR_DOUBT = 6
_MOST_DOUBT = 3.0
# Log-normal priors as (median, spread of the logarithm), for values scaled to unit variance and features from 0 to 1:
# a metric that changes once over a dimension's range, and mostly smooth rather than noisy.
_AMPLITUDE = (1.0, 1.0)
_LENGTH = (1.0, 1.0)
_NOISE = (1e-3, 1.5)
_LEAST_NOISE = 1e-6


@dataclass(frozen=True)
class Hyperparameters:
    """What a Gaussian process is defined by.

    Attributes:
        kernel: Covariance of the noise-free values, in units of ``scale`` squared.
        noise: Variance of a value's own error, in the same unit.
        offset: Prior mean.
        scale: Unit of the values.
        theta: Logarithms of all of it, to start the next fit from.
        doubt: Factor from the deviations that the process claims to those that its values show when each is predicted
            from the others; at least 1.
        error: Median of these predictions' absolute errors, in the values' unit.
        typical_variance: Mean squared standard error of the values that it was fitted to; None where it is not known.
    """

    kernel: Kernel
    noise: float
    offset: float
    scale: float
    theta: Floats
    doubt: float
    error: float
    typical_variance: float | None

    def noise_of(self, variances: Floats) -> Floats:
        """Variance of each value's own error: as fitted on average, in proportion to its squared standard error."""
        if self.typical_variance is None:
            return np.full(len(variances), self.noise)
        return self.noise * np.where(variances > 0, variances / self.typical_variance, 1.0)


def fit_hyperparameters(
    inputs: Floats, values: Floats, variances: Floats, start: Hyperparameters | None
) -> Hyperparameters:
    """Maximise the posterior of amplitude, one length per feature (Matérn 5/2), and noise.

    Candidates are measured on the same users, so their errors are mostly common to all of them: the standard error
    bounds the noise, which is what is a value's own, and the fit says how much that is.

    Args:
        inputs: Array of shape ``(n_points, n_features)``.
        values: Array of shape ``(n_points,)``.
        variances: Squared standard error of each value; NaN where it is not known.
        start: The hyperparameters before, which are near these ones.
    """
    chosen = np.unique(np.linspace(0, len(values) - 1, min(len(values), _MOST_POINTS)).round().astype(int))
    inputs, values = inputs[chosen], values[chosen]
    offset, scale = float(values.mean()), float(values.std())
    # Values that are all equal have no scale: whatever they are given is as good.
    scale = scale if scale > 1e-9 * max(1.0, abs(offset)) else max(abs(offset), 1.0)
    n_features = inputs.shape[1]
    typical = float(variances[variances > 0].mean()) if (variances > 0).any() else None
    highest = 1.0 if typical is None else min(1.0, max(typical / scale**2, 10 * _LEAST_NOISE))
    kernel = ConstantKernel(_AMPLITUDE[0], (1e-2, 1e2)) * Matern(
        np.full(n_features, _LENGTH[0]), (5e-2, 5e1), nu=2.5
    ) + WhiteKernel(min(_NOISE[0], highest), (_LEAST_NOISE, highest))
    model = GaussianProcessRegressor(kernel, alpha=_JITTER, optimizer=_posterior_mode(n_features, start))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a length at its bound is a dimension without effect
        model.fit(inputs, (values - offset) / scale)
    fitted = model.kernel_
    errors, deviations = _left_out(model.L_, model.alpha_)
    doubt = float(np.sqrt(np.mean((errors / deviations) ** 2))) if len(values) >= _FEWEST_FOR_DOUBT else 1.0
    return Hyperparameters(
        fitted.k1,
        float(fitted.k2.noise_level),
        offset,
        scale,
        fitted.theta,
        doubt=min(max(doubt, 1.0), _MOST_DOUBT),
        error=float(np.median(np.abs(errors))) * scale,
        typical_variance=typical,
    )


def _left_out(factor: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Errors of each value as predicted from all others, and their deviations (Rasmussen & Williams 2006, eq. 5.12)."""
    inverse = cho_solve((factor, True), np.eye(len(factor)))
    precision = np.diag(inverse)
    return weights / precision, 1.0 / np.sqrt(precision)


_Objective = Callable[..., tuple[float, Floats]]


def _posterior_mode(
    n_features: int, start: Hyperparameters | None
) -> Callable[[_Objective, Floats, Floats], tuple[Floats, float]]:
    """An optimizer in scikit-learn's sense that adds the priors, which it has no other place for."""
    priors = [_AMPLITUDE, *[_LENGTH] * n_features, _NOISE]
    centre = np.log([median for median, _ in priors])
    spread = np.array([spread for _, spread in priors])

    def optimize(negative_likelihood: _Objective, initial: Floats, bounds: Floats) -> tuple[Floats, float]:
        def negative_posterior(theta: Floats) -> tuple[float, Floats]:
            value, gradient = negative_likelihood(theta, eval_gradient=True)
            distance = (theta - centre) / spread
            return value + 0.5 * float(distance @ distance), gradient + distance / spread

        first = initial if start is None or len(start.theta) != len(initial) else start.theta
        first = np.clip(first, bounds[:, 0], bounds[:, 1])
        found = minimize(
            negative_posterior, first, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": _MOST_STEPS}
        )
        return found.x, float(found.fun)

    return optimize
