"""How much latencies that depend on each other tell of a percentile.

One pause of the machine, or one queue, makes many requests late together, so n latencies of one run tell less than
n independent ones. How much less is measured: the run is cut into batches, and the share of latencies at or below
the percentile varies between batches more than independent latencies would. The ratio of the two variances, the design
effect, divides n; order statistics then bound the percentile as they would for that effective number (batch means
for quantiles: Schmeiser, "Batch size effects in the analysis of simulation output", Operations Research 30, 1982;
Heidelberger and Lewis, "Quantile estimation in dependent sequences", Operations Research 32, 1984).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.measurement.percentiles import INTERVAL_CONFIDENCE, interval_ranks, percentile_rank

_N_BATCHES = 20
# The variance between 20 batches is itself an estimate: the quantile of Student's t with 19 degrees of freedom
# takes the place of the normal one, squared because it multiplies a variance.
_FEW_BATCHES = (2.093 / 1.960) ** 2


def effective_size(latencies: NDArray[np.float64], percentile: float) -> int:
    """How many independent latencies tell as much of the percentile, from 1 to all of them.

    Args:
        latencies: In the order in which they came, at least one.
        percentile: From 50 to below 100.
    """
    rank = percentile_rank(latencies.size, percentile)
    value = np.partition(latencies, rank - 1)[rank - 1]
    # With many latencies equal to the percentile, only one of the two says which requests were late together.
    effect = max(design_effect(latencies <= value), design_effect(latencies < value))
    return max(1, int(latencies.size / effect))


def effective_percentile(latencies: NDArray[np.float64], percentile: float, n_effective: int) -> Measurement:
    """The percentile with the 95 % interval that ``n_effective`` independent latencies would have.

    Where they are too few to bound it, the interval ends at the least or the greatest latency.
    """
    ordered = np.sort(latencies)
    low, high = interval_ranks(n_effective, percentile)
    first = 0 if low == 1 else _position(low, n_effective, latencies.size)
    last = latencies.size - 1 if high == n_effective else _position(high, n_effective, latencies.size)
    value = ordered[percentile_rank(latencies.size, percentile) - 1]
    return Measurement(float(value), float(ordered[first]), float(ordered[last]))


def bounds_percentile(n_effective: int, percentile: float) -> bool:
    """Whether the greatest of ``n_effective`` independent latencies is an upper end of the 95 % interval."""
    return (percentile / 100) ** n_effective <= (1 - INTERVAL_CONFIDENCE) / 2


def design_effect(is_below: NDArray[np.bool_]) -> float:
    """How many of these yes-or-no values tell as much as one independent one; never below 1.

    Fewer values than there are batches are taken for independent.
    """
    share = is_below.mean()
    length = is_below.size // _N_BATCHES
    if not 0 < share < 1 or length == 0:
        return 1.0
    shares = is_below[: length * _N_BATCHES].reshape(_N_BATCHES, length).mean(axis=1)
    independent = share * (1 - share) / length
    return max(1.0, float(shares.var(ddof=1) / independent) * _FEW_BATCHES)


def _position(rank: int, n_effective: int, n_requests: int) -> int:
    """Where the order statistic ``rank`` of the effective sample lies in the sorted sample, from 0."""
    return min(round((rank - 0.5) / n_effective * n_requests - 0.5), n_requests - 1)
