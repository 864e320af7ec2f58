"""What several workers did while all of them ran."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError


def common_window(times: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.float64], float]:
    """Latencies and joint throughput of workers, of the requests that lie within the time when all served.

    Args:
        times: For each worker, an array of shape ``(2, n)``: start and end of its requests in nanoseconds of
            one clock, in order.

    Returns:
        The latencies in milliseconds, ordered by their ends, and the requests that ended per second. One that
        began before the others did has a part in the rate, but its latency is left out.

    Raises:
        MeasurementError: A worker served nothing while all ran.
    """
    begin = max(starts[0] for starts, _ in times)
    end = min(ends[-1] for _, ends in times)
    inside = [worker[:, (worker[0] >= begin) & (worker[1] <= end)] for worker in times]
    if any(worker.shape[1] == 0 for worker in inside):
        raise MeasurementError("the workers never served at the same time. Measure more requests.")
    n_ended = sum(np.count_nonzero((ends > begin) & (ends <= end)) for _, ends in times)
    pooled = np.concatenate(inside, axis=1)
    starts, ends = pooled[:, np.argsort(pooled[1], kind="stable")]
    return (ends - starts) / 1e6, float(n_ended / (end - begin) * 1e9)
