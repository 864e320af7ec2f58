"""A typical value of repeated measurements, which an odd one among them hardly moves, and how sure it is.

The estimate is Huber's location (Huber 1964): the mean, with values that lie further than a bound from it taken as if
they lay at the bound. It lies between the mean, which one odd value spoils, and the median, which jumps when a machine
has two speeds. What several artifacts' repetitions have in common, the bound, is estimated from all of them.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_BOUND = 1.345
"""In standard deviations of normal values; 95 % as efficient there as the mean (Huber and Ronchetti 2009)."""
# Not the median of deviations: where half of all values are of a slow spell, it would take the spell for odd.
_QUARTILE, _NORMAL_QUARTILE = 0.75, NormalDist().inv_cdf(0.875)
_STEPS, _PRECISION = 50, 1e-9


def huber_bound(values: NDArray[np.float64]) -> float:
    """How far a value may lie from the location before it is pulled in.

    It is 1.345 standard deviations, estimated by the third quartile of the distances to each artifact's median: a
    quarter of all values may be odd.

    Args:
        values: Array of shape ``(n_rounds, n_artifacts)``, whose columns spread alike.
    """
    distances = np.abs(values - np.median(values, axis=0))
    return float(_BOUND * np.quantile(distances, _QUARTILE) / _NORMAL_QUARTILE)


def huber_location(values: NDArray[np.float64], *, bound: float, axis: int = 0) -> NDArray[np.float64]:
    """The location along ``axis``.

    >>> huber_location(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), bound=2.0).round(6).item()
    3.0
    """
    location: NDArray[np.float64] = np.median(values, axis=axis, keepdims=True)
    for _ in range(_STEPS):
        # Faster than np.clip on arrays as small as these.
        pulled_in = np.minimum(np.maximum(values, location - bound), location + bound)
        before, location = location, pulled_in.mean(axis=axis, keepdims=True)
        if np.abs(location - before).max() <= _PRECISION * bound:
            break
    return location.squeeze(axis)


def huber_interval(
    values: NDArray[np.float64], *, bound: float, n_fitted: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The location of each column, and the half width of its 95 % interval.

    The interval is Student's, with the standard error of Huber and Ronchetti (2009, section 6.3).

    Args:
        values: Array of shape ``(n_rounds, n_artifacts)``.
        bound: As of :func:`huber_bound`.
        n_fitted: Degrees of freedom that each column has lost to what was fitted to the values before.
    """
    location = huber_location(values, bound=bound)
    distances = values - location
    within = np.maximum((np.abs(distances) <= bound).mean(axis=0), 1 / len(values))
    degrees = len(values) - 1 - n_fitted
    squares = (np.clip(distances, -bound, bound) ** 2).sum(axis=0)
    return location, student_quantile(degrees) * np.sqrt(squares / degrees / len(values)) / within


def student_quantile(degrees: float) -> float:
    """The 97.5 % quantile of Student's distribution, by its expansion (Abramowitz and Stegun 1964, 26.7.5).

    Right to 1 % from 4 degrees of freedom on.

    >>> round(student_quantile(9), 3)
    2.262
    """
    z = NormalDist().inv_cdf(0.975)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))
