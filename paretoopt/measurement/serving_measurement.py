"""What a deployment was measured to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.measurement.environment import Environment


@dataclass(frozen=True, eq=False)
class ServingMeasurement:
    """What a deployment of one or more workers was measured to do.

    Attributes:
        latencies_ms: Latency of each request that was served while all workers ran, in the order of their
            ends; read-only. ``serial_percentile`` gives its percentiles.
        throughput_rps: Requests per second that the workers served together, closed loop, while all ran.
        load_seconds: From opening the artifact until it can serve, in the slowest worker.
        memory_mib: Private memory that the workers add to idle runtimes, after traffic.
        memory_after_load_mib: The same, before the first request.
        memory_total_mib: All memory of the workers, runtimes included, with pages they share counted once.
        memory_peak_mib: The most that the workers can have held together at any moment.
        memory_baseline_mib: Private memory of the idle runtime that was measured in the same run.
        artifact_mib: The artifact on disk.
        workers: Processes that served.
        threads: Threads of each.
        n_warmup_requests: Requests that were served before and are not counted, of all workers.
        environment: Where it was measured.
    """

    latencies_ms: NDArray[np.float64]
    throughput_rps: float
    load_seconds: float
    memory_mib: float
    memory_after_load_mib: float
    memory_total_mib: float
    memory_peak_mib: float
    memory_baseline_mib: float
    artifact_mib: float
    workers: int
    threads: int
    n_warmup_requests: int
    environment: Environment
