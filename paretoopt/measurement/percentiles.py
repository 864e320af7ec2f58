"""Latency percentiles with distribution-free confidence bounds.

The bounds are order statistics. Of n independent latencies, the number that lie at or below the
percentile ``p`` follows a binomial law with n draws and probability p, whatever the
distribution of latencies is; so ranks of the sorted sample bound the percentile.

A percentile is refused unless the sample bounds it from above at 99 % confidence without resting on
its single largest value: at least two latencies must lie beyond the percentile with probability
0.99. That is the early-stopping rule of MLPerf Inference with one overlatency request allowed and
no tolerance (MLCommons, "MLPerf Inference Rules", appendix "Early stopping criterion"; Reddi et
al., "MLPerf Inference Benchmark", ISCA 2020).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError

SUPPORT_CONFIDENCE = 0.99
INTERVAL_CONFIDENCE = 0.95


def latency_percentile(latencies_ms: ArrayLike, percentile: float) -> Measurement:
    """The percentile of independent latencies with its 95 % confidence interval.

    Args:
        latencies_ms: The latencies, in any order and any unit; the result has the same unit.
        percentile: From 50 to below 100, for example 95 or 99.9.

    Raises:
        MeasurementError: The sample is too small to support the percentile at 99 % confidence.
    """
    latencies = np.sort(np.asarray(latencies_ms, dtype=np.float64).ravel())
    refuse_unsupported(latencies.size, percentile)
    ranks = (percentile_rank(latencies.size, percentile), *interval_ranks(latencies.size, percentile))
    return Measurement(*(float(latencies[rank - 1]) for rank in ranks))


def refuse_unsupported(n_requests: int, percentile: float) -> None:
    """Raise MeasurementError where ``n_requests`` do not support ``percentile`` at 99 % confidence."""
    needed = least_requests(percentile)
    if n_requests < needed:
        raise MeasurementError(
            f"the p{percentile:g} needs at least {needed:,} requests for {SUPPORT_CONFIDENCE:.0%} confidence, "
            f"but {n_requests:,} were measured. Measure more requests, or ask for a lower percentile."
        )


def percentile_rank(n_requests: int, percentile: float) -> int:
    """The rank, from 1, of the order statistic that is the percentile: the least with that share at or below it."""
    return int(np.ceil(n_requests * percentile / 100 - 1e-9))


@lru_cache
def least_requests(percentile: float) -> int:
    """The least number of requests that supports ``percentile`` at 99 % confidence.

    >>> [least_requests(percentile) for percentile in (50, 90, 95, 99)]
    [11, 64, 130, 662]
    """
    _check(percentile)
    low, high = 1, 2
    while not _is_supported(high, percentile / 100):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_supported(middle, percentile / 100) else (middle, high)
    return high


def _check(percentile: float) -> None:
    if not 50 <= percentile < 100:
        raise MeasurementError(
            f"a latency percentile must be from 50 to below 100, but got {percentile:g}. "
            "Give it in percent, for example 95 or 99.9."
        )


def _is_supported(n_requests: int, probability: float) -> bool:
    """Whether two or more of the requests exceed the percentile with 99 % probability."""
    none = probability**n_requests
    one = n_requests * (1 - probability) * probability ** (n_requests - 1)
    return none + one <= 1 - SUPPORT_CONFIDENCE


@lru_cache
def interval_ranks(n_requests: int, percentile: float) -> tuple[int, int]:
    """Ranks (from 1) of the order statistics that bound the percentile, as close as the law allows."""
    cumulative = _binomial_cumulative(n_requests, percentile / 100)
    tail = (1 - INTERVAL_CONFIDENCE) / 2
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1 - tail, side="left")) + 1
    return max(low, 1), min(high, n_requests)


def _binomial_cumulative(n_draws: int, probability: float) -> NDArray[np.float64]:
    """P(X <= k) for k = 0..n_draws and X binomial; in logarithms, so that large n does not underflow."""
    k = np.arange(n_draws)
    steps = np.log((n_draws - k) / (k + 1)) + np.log(probability / (1 - probability))
    logarithms = n_draws * np.log1p(-probability) + np.concatenate(([0.0], np.cumsum(steps)))
    return np.cumsum(np.exp(logarithms))
