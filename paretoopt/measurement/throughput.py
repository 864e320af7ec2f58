"""Find the greatest rate of requests that a deployment holds within a latency bound."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from paretoopt.candidate import Measurement, Progress, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.arrivals import poisson_arrivals
from paretoopt.measurement.deployment import Deployment, Served, open_deployment
from paretoopt.measurement.environment import Environment
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.load_percentiles import loaded_percentile
from paretoopt.measurement.percentiles import latency_percentile, least_requests
from paretoopt.measurement.program import Limits
from paretoopt.measurement.rate_search import Probe, Verdict, held_rate, next_rate
from paretoopt.measurement.requests import Requests

_LIMITS = Limits(seconds=300.0)
# Bisection of the bracket down to 2 % of its ceiling takes six probes; the budget also pays for what comes before.
_PRECISION = 0.02
_PROBES_PER_BUDGET = 7
_ALONE_SHARE = 0.05
# Of the back-to-back rate, which one bad moment of the machine may have lowered.
_HEADROOM = 1.25
# Waiting requests depend on each other, so a probe has several times the independent ones that a percentile needs.
_DEPENDENCE = 4


@dataclass(frozen=True)
class ThroughputMeasurement:
    """The greatest rate that a deployment was seen to hold.

    Attributes:
        throughput_rps: Requests per second. The value was held; at the upper end of the interval the bound was
            seen to break. 0 if no rate was held.
        bound_ms: The latency bound.
        percentile: The percentile that has to stay within it.
        alone_ms: The same percentile of requests that meet no other.
        back_to_back_rps: Requests per second that the workers serve when the queue is never empty.
        reason: Why the throughput is 0; empty if it is not.
        probes: The rates that were tried, in order.
        environment: Where it was measured.
    """

    throughput_rps: Measurement
    bound_ms: float
    percentile: float
    alone_ms: Measurement
    back_to_back_rps: float
    reason: str
    probes: tuple[Probe, ...]
    environment: Environment


def find_throughput(
    served: Served,
    requests: Requests,
    *,
    bound_ms: float,
    percentile: float = 95,
    workers: int = 1,
    threads: int = 1,
    budget_seconds: float = 10.0,
    limits: Limits = _LIMITS,
    seed: int = 0,
    listener: ProgressListener | None = None,
) -> ThroughputMeasurement:
    """Search for the greatest rate of Poisson arrivals at which the percentile stays within ``bound_ms``.

    A rate counts as held only if the upper end of the percentile's 95 % confidence interval is within the bound.
    The workers are started once; the search bisects between 0 and what they serve back to back. If even a
    request that meets no other takes longer than the bound, the throughput is 0.

    Args:
        served: The ONNX file.
        requests: Inputs to choose from, stacked along axis 0.
        bound_ms: The latency bound, from the intended arrival to the answer.
        percentile: The percentile that has to stay within it, for example 95 or 99.
        workers: Processes, each with a copy of the artifact.
        threads: Threads of each worker.
        budget_seconds: Time after which no further rate is tried. One rate takes a seventh, or longer where the
            percentile needs more requests than arrive in that time.
        limits: What the processes may take; beyond, they are killed.
        seed: Of the arrivals and of the order of the requests.
        listener: Told what goes on.

    Raises:
        MeasurementError: The artifact cannot serve the requests, or a process died or took more than its limits.
    """
    for name, value in (("bound_ms", bound_ms), ("budget_seconds", budget_seconds)):
        if not 0 < value < math.inf:
            raise MeasurementError(f"{name} must be above 0 and finite, but got {value:g}. Give a positive number.")
    needed = least_requests(percentile)
    with open_deployment(
        served, requests, workers=workers, threads=threads, limits=limits, seed=seed, listener=listener
    ) as deployment:
        began = time.monotonic()
        alone_ms, capacity = _without_queue(deployment, percentile, needed, budget_seconds, workers)
        probes: tuple[Probe, ...] = ()
        if _verdict(alone_ms, bound_ms) != "broken":
            probe = _prober(deployment, bound_ms, percentile, budget_seconds / _PROBES_PER_BUDGET, seed)
            probes = _search(probe, _HEADROOM * capacity, began + budget_seconds, listener)
    return ThroughputMeasurement(
        throughput_rps=held_rate(probes, _HEADROOM * capacity) if probes else Measurement(0.0, 0.0, 0.0),
        bound_ms=bound_ms,
        percentile=percentile,
        alone_ms=alone_ms,
        back_to_back_rps=capacity,
        reason=_reason(probes, alone_ms, bound_ms, percentile),
        probes=probes,
        environment=deployment.environment,
    )


def _without_queue(
    deployment: Deployment, percentile: float, needed: int, budget_seconds: float, workers: int
) -> tuple[Measurement, float]:
    """The percentile of requests that meet no other, and the rate of all workers back to back."""
    seconds = _ALONE_SHARE * budget_seconds
    alone = deployment.back_to_back(seconds, least_requests=needed, active_workers=1)
    together = alone
    if workers > 1:
        together = deployment.back_to_back(seconds, least_requests=workers, active_workers=workers)
    return latency_percentile(alone.service_ms, percentile), together.rate_rps


def _search(
    probe: Callable[[float, int], Probe], ceiling_rps: float, deadline: float, listener: ProgressListener | None
) -> tuple[Probe, ...]:
    probes: list[Probe] = []
    rate: float | None = ceiling_rps / 2
    while rate is not None and (not probes or time.monotonic() < deadline):
        if listener is not None:
            listener(Progress("measure", f"{rate:.4g} requests per second", min(1.0, len(probes) / _PROBES_PER_BUDGET)))
        probes.append(probe(rate, len(probes)))
        rate = next_rate(probes, ceiling_rps, relative_precision=_PRECISION)
    return tuple(probes)


def _prober(
    deployment: Deployment, bound_ms: float, percentile: float, seconds: float, seed: int
) -> Callable[[float, int], Probe]:
    """The function that tries a rate; each try has arrivals of its own, so that none is lucky for all."""
    needed = _DEPENDENCE * least_requests(percentile)

    def probe(rate_rps: float, number: int) -> Probe:
        arrivals = poisson_arrivals(rate_rps, max(seconds, needed / rate_rps), seed=seed + number)
        load = deployment.load(arrivals, rate_rps=rate_rps)
        latency = _percentile_or_none(load, percentile)
        verdict = "broken" if load.is_saturated else _verdict(latency, bound_ms)
        return Probe(rate_rps, verdict, latency, load.utilisation)

    return probe


def _percentile_or_none(load: LoadMeasurement, percentile: float) -> Measurement | None:
    try:
        return loaded_percentile(load, percentile)
    except MeasurementError:
        return None


def _verdict(latency: Measurement | None, bound_ms: float) -> Verdict:
    if latency is None or latency.low is None or latency.high is None:
        return "undecided"
    if latency.high <= bound_ms:
        return "held"
    return "broken" if latency.low > bound_ms else "undecided"


def _reason(probes: tuple[Probe, ...], alone_ms: Measurement, bound_ms: float, percentile: float) -> str:
    if any(probe.verdict == "held" for probe in probes):
        return ""
    alone = f"p{percentile:g} of requests that meet no other is {alone_ms.value:.3g} ms"
    if not probes:
        return f"the {alone}, which is beyond the bound of {bound_ms:g} ms."
    least = min(probe.rate_rps for probe in probes)
    return (
        f"no rate from {least:.3g} requests per second on was shown to be held within {bound_ms:g} ms; the {alone}. "
        "Raise bound_ms, or budget_seconds to try lower rates."
    )
