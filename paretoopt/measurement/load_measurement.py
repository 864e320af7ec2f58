"""What a deployment was measured to do under open-loop load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import Environment

_NS_PER_MS = 1e6


@dataclass(frozen=True, eq=False)
class LoadMeasurement:
    """What a deployment did with requests that arrived at a stated rate, whether or not it kept up.

    The arrays hold one value for each request that was served, in the order of arrival, and are read-only.

    Attributes:
        rate_rps: Requests per second that were to arrive, on average.
        achieved_rps: Requests per second that were answered by the time of the last arrival.
        utilisation: Time for which a worker is taken by the requests of one second, divided by the workers. At
            1 or above they cannot keep up.
        is_saturated: Whether the queue grew through the run: requests were left unserved, or the utilisation is
            1 or above, or in the second half no request found a worker free.
        arrivals_ms: Intended arrivals, from the begin of the traffic.
        latencies_ms: From the intended arrival to the answer.
        service_ms: From the start of the work to the answer.
        dispatch_ms: What the measurement itself added: from the moment when the request had arrived and its
            worker was ready, to the start of the work. It is a part of the latency.
        n_unserved: Requests that were not served, because the workers were too far behind.
        workers: Processes that served from one queue.
        threads: Threads of each.
        environment: Where it was measured.
    """

    rate_rps: float
    achieved_rps: float
    utilisation: float
    is_saturated: bool
    arrivals_ms: NDArray[np.float64]
    latencies_ms: NDArray[np.float64]
    service_ms: NDArray[np.float64]
    dispatch_ms: NDArray[np.float64]
    n_unserved: int
    workers: int
    threads: int
    environment: Environment


def load_measurement(
    arrivals: NDArray[np.int64],
    served: NDArray[np.int64],
    *,
    rate_rps: float,
    workers: int,
    threads: int,
    environment: Environment,
) -> LoadMeasurement:
    """Put together what the workers of one queue recorded.

    Args:
        arrivals: Intended arrivals of all requests, in nanoseconds from the begin of the traffic, ascending.
        served: Array of shape ``(n_served, 4)``: number, ready, start and end of each served request on the same
            clock, in any order.
        rate_rps: The rate that the arrivals were drawn for.
        workers: Workers that served.
        threads: Threads of each.
        environment: Where they served.

    Raises:
        MeasurementError: A request was not served exactly once.
    """
    number, ready, start, end = served[np.argsort(served[:, 0], kind="stable")].T
    if not len(number) or not np.array_equal(number, np.arange(len(number))):
        raise MeasurementError(
            "the workers did not serve each request of their queue exactly once, so this system "
            "does not share the position in an open file between processes. Measure on Linux."
        )
    arrived = arrivals[: len(number)]
    possible = np.maximum(arrived, ready)
    span = int(arrivals[-1])
    utilisation = float((end - possible).mean() * len(arrivals) / (span * workers))
    n_unserved = len(arrivals) - len(number)
    has_emptied = bool((ready < arrived)[len(arrived) // 2 :].any())
    return LoadMeasurement(
        rate_rps=rate_rps,
        achieved_rps=float(np.count_nonzero(end <= span) / span * 1e9),
        utilisation=utilisation,
        is_saturated=n_unserved > 0 or utilisation >= 1 or not has_emptied,
        arrivals_ms=_milliseconds(arrived),
        latencies_ms=_milliseconds(end - arrived),
        service_ms=_milliseconds(end - start),
        dispatch_ms=_milliseconds(start - possible),
        n_unserved=n_unserved,
        workers=workers,
        threads=threads,
        environment=environment,
    )


def _milliseconds(nanoseconds: NDArray[np.int64]) -> NDArray[np.float64]:
    milliseconds = nanoseconds / _NS_PER_MS
    milliseconds.setflags(write=False)
    return milliseconds
