"""Percentiles of latencies under load, which depend on each other.

A request that waits makes the next one wait, so the n latencies of a queue tell less than n independent
ones. How much less is measured: the run is cut into batches, and the share of latencies at or below the
percentile varies between batches more than independent latencies would. The ratio of the two variances,
the design effect, divides n; the rest of ``percentiles`` then holds for that effective number (batch means for
quantiles: Schmeiser, "Batch size effects in the analysis of simulation output", Operations Research 30, 1982;
Heidelberger and Lewis, "Quantile estimation in dependent sequences", Operations Research 32, 1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.percentiles import SUPPORT_CONFIDENCE, interval_ranks, least_requests

# The queue is empty at the begin; the first tenth is left out while it fills.
_SETTLING_SHARE = 0.1
_N_BATCHES = 20
# The variance between 20 batches is itself an estimate: the quantile of Student's t with 19 degrees of freedom
# takes the place of the normal one, squared because it multiplies a variance.
_FEW_BATCHES = (2.093 / 1.960) ** 2


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
    settled = load.latencies_ms[int(load.latencies_ms.size * _SETTLING_SHARE) :]
    return dependent_percentile(settled, percentile)


def dependent_percentile(latencies: NDArray[np.float64], percentile: float) -> Measurement:
    """The percentile of latencies in the order in which they came, with its 95 % confidence interval.

    Raises:
        MeasurementError: The sample is too small, or its values hang together too much.
    """
    needed, n_requests = least_requests(percentile), latencies.size
    if n_requests < needed:
        raise _too_short(percentile, needed, n_requests, n_requests)
    ordered = np.sort(latencies)
    value = ordered[int(np.ceil(n_requests * percentile / 100 - 1e-9)) - 1]
    # With many latencies equal to the percentile, only one of the two says which requests were late together.
    effect = max(design_effect(latencies <= value), design_effect(latencies < value))
    n_effective = int(n_requests / effect)
    if n_effective < needed:
        raise _too_short(percentile, needed, n_requests, n_effective)
    ranks = interval_ranks(n_effective, percentile)
    low, high = (round((rank - 0.5) / n_effective * n_requests - 0.5) for rank in ranks)
    return Measurement(
        float(value), float(ordered[min(low, n_requests - 1)]), float(ordered[min(high, n_requests - 1)])
    )


def design_effect(is_below: NDArray[np.bool_]) -> float:
    """How many of these yes-or-no values tell as much as one independent one; never below 1."""
    share = is_below.mean()
    if not 0 < share < 1:
        return 1.0
    length = is_below.size // _N_BATCHES
    shares = is_below[: length * _N_BATCHES].reshape(_N_BATCHES, length).mean(axis=1)
    independent = share * (1 - share) / length
    return max(1.0, float(shares.var(ddof=1) / independent) * _FEW_BATCHES)


def _too_short(percentile: float, needed: int, n_requests: int, n_effective: int) -> MeasurementError:
    return MeasurementError(
        f"the p{percentile:g} under load needs the worth of {needed:,} independent requests for "
        f"{SUPPORT_CONFIDENCE:.0%} confidence, but {n_requests:,} were measured, which are worth {n_effective:,}. "
        "Measure for longer, or ask for a lower percentile."
    )
