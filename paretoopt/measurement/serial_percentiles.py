"""Percentiles of latencies that one run gave, one request after the other.

Whether a percentile is refused depends on the number of requests alone: the rule is that of MLPerf Inference
(``percentiles``), which takes them for independent. Its interval counts what they are worth (``dependence``): on a
machine that is disturbed now and then, late requests come together, and the interval is the wider for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from paretoopt.candidate import Measurement
from paretoopt.measurement.dependence import effective_percentile, effective_size
from paretoopt.measurement.percentiles import refuse_unsupported


def serial_percentile(latencies_ms: ArrayLike, percentile: float) -> Measurement:
    """The percentile of latencies in the order in which they came, with its 95 % confidence interval.

    Args:
        latencies_ms: The latencies, in any unit; the result has the same unit.
        percentile: From 50 to below 100, for example 95 or 99.9.

    Raises:
        MeasurementError: There are too few requests to support the percentile at 99 % confidence.
    """
    latencies = np.asarray(latencies_ms, dtype=np.float64).ravel()
    refuse_unsupported(latencies.size, percentile)
    return effective_percentile(latencies, percentile, effective_size(latencies, percentile))
