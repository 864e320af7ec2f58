"""Percentiles of latencies under load, which depend on each other.

A request that waits makes the next one wait, so the n latencies of a queue tell less than n independent
ones. Here both rules of ``percentiles``, the interval and what is refused, count what they are worth
(``dependence``): a run in which all late requests waited in one jam tells nothing of the next run.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError
from paretoopt.measurement.dependence import bounds_percentile, effective_percentile, effective_size
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.percentiles import SUPPORT_CONFIDENCE, least_requests

# The queue is empty at the begin; the first tenth is left out while it fills.
_SETTLING_SHARE = 0.1


def least_load_seconds(rate_rps: float, percentile: float, *, dependence: float) -> float:
    """How long requests have to arrive to support a percentile.

    Args:
        rate_rps: Requests per second that arrive on average.
        percentile: From 50 to below 100.
        dependence: How many requests are worth an independent one, from 1 on.

    >>> round(least_load_seconds(13, 95, dependence=2), 1)
    22.2
    """
    return math.ceil(dependence * least_requests(percentile) / (1 - _SETTLING_SHARE)) / rate_rps


def loaded_percentile(load: LoadMeasurement, percentile: float) -> Measurement:
    """The latency percentile of a run under load with its 95 % confidence interval, in milliseconds.

    Args:
        load: The run.
        percentile: From 50 to below 100, for example 95.

    Raises:
        MeasurementError: The run is saturated, so that its latencies only tell how long it took; or it is too short
            to support the percentile at 99 % confidence.
    """
    if load.is_saturated:
        raise MeasurementError(
            f"there is no p{percentile:g} at {load.rate_rps:g} requests per second: {load.workers} worker(s) are "
            f"saturated (utilisation {load.utilisation:.2f}, {load.achieved_rps:.0f} requests per second achieved, "
            f"{load.n_unserved:,} unserved), and latency grows as long as the load lasts. Lower the rate, add "
            "workers, or measure for longer if the utilisation is below 1."
        )
    return dependent_percentile(_settled(load), percentile)


def loaded_bounds(load: LoadMeasurement, percentile: float) -> Measurement | None:
    """As :func:`loaded_percentile`, for a decision at 95 % confidence, which takes fewer requests than a value at 99 %.

    Returns:
        The percentile with its interval; None where the requests do not bound it from above.
    """
    latencies = _settled(load)
    n_effective = effective_size(latencies, percentile)
    if not bounds_percentile(n_effective, percentile):
        return None
    return effective_percentile(latencies, percentile, n_effective)


def dependent_percentile(latencies: NDArray[np.float64], percentile: float) -> Measurement:
    """The percentile of latencies in the order in which they came, with its 95 % confidence interval.

    Raises:
        MeasurementError: The sample is too small, or its values hang together too much.
    """
    needed, n_requests = least_requests(percentile), latencies.size
    if n_requests < needed:
        raise _too_short(percentile, needed, n_requests, n_requests)
    n_effective = effective_size(latencies, percentile)
    if n_effective < needed:
        raise _too_short(percentile, needed, n_requests, n_effective)
    return effective_percentile(latencies, percentile, n_effective)


def _settled(load: LoadMeasurement) -> NDArray[np.float64]:
    return load.latencies_ms[int(load.latencies_ms.size * _SETTLING_SHARE) :]


def _too_short(percentile: float, needed: int, n_requests: int, n_effective: int) -> MeasurementError:
    return MeasurementError(
        f"the p{percentile:g} under load needs the worth of {needed:,} independent requests for "
        f"{SUPPORT_CONFIDENCE:.0%} confidence, but {n_requests:,} were measured, which are worth {n_effective:,}. "
        "Measure for longer, or ask for a lower percentile."
    )
