"""Measure a deployment under open-loop load: requests that arrive at a stated rate."""

from __future__ import annotations

from dataclasses import replace

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.measurement.arrivals import poisson_arrivals
from paretoopt.measurement.deployment import Served, open_deployment
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.program import Limits
from paretoopt.measurement.requests import Requests

_LIMITS = Limits(seconds=120.0)


def measure_load(
    served: Served,
    requests: Requests,
    *,
    rate_rps: float,
    seconds: float = 5.0,
    workers: int = 1,
    threads: int = 1,
    limits: Limits = _LIMITS,
    seed: int = 0,
    listener: ProgressListener | None = None,
) -> LoadMeasurement:
    """Serve real requests that arrive at random, at a stated rate, and measure what they experience.

    Arrivals are those of a Poisson process and are drawn beforehand: a slow answer does not hold back the next
    request, and its latency counts from the moment when it was to arrive (so there is no coordinated omission: Tene,
    "How NOT to measure latency", 2013). All workers serve one queue, first come, first served.
    ``loaded_percentile`` gives percentiles.

    Args:
        served: The ONNX file.
        requests: Inputs to choose from, stacked along axis 0.
        rate_rps: Requests per second that arrive on average.
        seconds: How long they arrive. Workers that are too far behind are stopped a fifth of that later.
        workers: Processes, each with a copy of the artifact.
        threads: Threads of each worker.
        limits: What the processes may take; beyond, they are killed.
        seed: Of the arrivals and of the order of the requests.
        listener: Told what goes on.

    Raises:
        MeasurementError: The artifact cannot serve the requests, or a process died or took more than its limits.
    """
    arrivals = poisson_arrivals(rate_rps, seconds, seed=seed)
    with open_deployment(
        served, requests, workers=workers, threads=threads, limits=limits, seed=seed, listener=listener
    ) as deployment:
        if listener is not None:
            listener(Progress("measure", f"{rate_rps:g} requests per second for {seconds:g} s"))
        measured = deployment.load(arrivals, rate_rps=rate_rps)
    return replace(measured, environment=deployment.environment)
