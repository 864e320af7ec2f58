"""Confidence intervals of means over users, by the bootstrap."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 9_999
CONFIDENCE = 0.95
# Distinct values times resamples that are drawn at once; bounds the memory at 32 MB.
_CELLS = 4_000_000
_NORMAL = NormalDist()


def resampled_means(
    values: NDArray[np.float64], *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """The means of samples of the same size, drawn from ``values`` with replacement.

    How often each distinct value is drawn is multinomial, so the counts are drawn rather than the users: the law is
    that of drawing users, and the work grows with the distinct values (an NDCG@10 has 11), not with the users.

    Args:
        values: One value per user; shape ``(n_users,)``, at least one.
        n_resamples: Samples to draw.
        seed: Of the draws.

    Returns:
        Array of shape ``(n_resamples,)``.
    """
    distinct, counts = np.unique(values, return_counts=True)
    random = np.random.default_rng(seed)
    shares = counts / len(values)
    at_once = max(1, _CELLS // len(distinct))
    means = [
        random.multinomial(len(values), shares, size=min(at_once, n_resamples - done)) @ distinct / len(values)
        for done in range(0, n_resamples, at_once)
    ]
    return np.concatenate(means)


def mean_interval(
    values: NDArray[np.float64], *, confidence: float = CONFIDENCE, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> tuple[float, float]:
    """The confidence interval of the mean over users, by the BCa bootstrap.

    Bias-corrected and accelerated (Efron 1987, "Better Bootstrap Confidence Intervals"; Efron and Tibshirani 1993,
    chapter 14): it follows the skewness that quality has, most users having 0, where the normal approximation is
    symmetric. Where all values are equal there is nothing to resample, and the interval is that one value.

    Args:
        values: One value per user; shape ``(n_users,)``, at least one.
        confidence: Share of such intervals that hold the true mean.
        n_resamples: Samples to draw.
        seed: Of the draws.
    """
    mean = float(values.mean())
    deviations = values - mean
    squares = float((deviations**2).sum())
    if values.min() == values.max():
        return mean, mean
    means = resampled_means(values, n_resamples=n_resamples, seed=seed)
    # Half of the ties, else values of few users would look biased; kept off 0 and 1, which have no quantile.
    below = float((means < mean).mean() + (means == mean).mean() / 2)
    bias = _NORMAL.inv_cdf(min(max(below, 1 / (n_resamples + 1)), 1 - 1 / (n_resamples + 1)))
    # The jackknife's acceleration, which for a mean is a sixth of the standardised third moment.
    acceleration = float((deviations**3).sum()) / (6 * squares**1.5)
    tail = (1 - confidence) / 2
    ends = [_adjusted(level, bias, acceleration) for level in (tail, 1 - tail)]
    low, high = np.quantile(means, ends)
    return float(low), float(high)


def bounded_mean_interval(
    values: NDArray[np.float64], *, confidence: float = CONFIDENCE, least: float = 0.0, greatest: float = 1.0
) -> tuple[float, float]:
    """As :func:`mean_interval` for values that have bounds, with room where all are equal.

    Where every user has the same value, there may still be others: at most a share of ``1 - t ** (1 / n)`` with ``t``
    the share of one tail (the exact form of the "rule of three", Hanley and Lippman-Hand 1983). The interval reaches
    as far as the mean would move if that share had the least value, or the greatest.

    Args:
        values: One value per user; shape ``(n_users,)``, at least one.
        confidence: Share of such intervals that hold the true mean.
        least: No user can have less.
        greatest: No user can have more.
    """
    low, high = mean_interval(values, confidence=confidence)
    if values.min() < values.max():
        return low, high
    reach = 1 - ((1 - confidence) / 2) ** (1 / len(values))
    return low - reach * (low - least), high + reach * (greatest - high)


def _adjusted(level: float, bias: float, acceleration: float) -> float:
    """The quantile of the resampled means that BCa takes for ``level``."""
    shifted = bias + _NORMAL.inv_cdf(level)
    stretch = 1 - acceleration * shifted
    # Beyond its pole the formula would turn round; there the end is that of all resamples.
    return _NORMAL.cdf(bias + shifted / stretch) if stretch > 0 else float(shifted > 0)
