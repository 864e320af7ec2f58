"""Find the greatest rate of requests that a deployment holds within a latency bound."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.arrivals import poisson_arrivals
from paretoopt.measurement.deployment import Deployment, Served, open_deployment
from paretoopt.measurement.load_percentiles import least_load_seconds, loaded_bounds
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.program import Limits
from paretoopt.measurement.rate_search import Probe, TryRate, search_rates, tries_of
from paretoopt.measurement.requests import Requests
from paretoopt.measurement.throughput_measurement import (
    LatencyBound,
    LoneRequests,
    ThroughputMeasurement,
    lone_requests,
    throughput_measurement,
)

_LIMITS = Limits(seconds=300.0)
# Bisection of the bracket down to 2 % of its ceiling takes six rates, of which about half are tried twice.
_PRECISION = 0.02
_PROBES_PER_BUDGET = 10
_ALONE_SHARE = 0.05
# Of the back-to-back rate, which one bad moment of the machine may have lowered.
_HEADROOM = 1.25
# Waiting requests depend on each other, so a probe has several times the independent ones that a percentile needs.
_DEPENDENCE = 4


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
    The workers are started once; the search bisects between 0 and what they serve back to back. A rate that broke
    the bound is tried again, with other arrivals, before that is believed: another program on the machine makes
    latency longer, never shorter. If even a request that meets no other takes longer than the bound, twice, the
    throughput is 0.

    Args:
        served: The ONNX file.
        requests: Inputs to choose from, stacked along axis 0.
        bound_ms: The latency bound, from the intended arrival to the answer.
        percentile: The percentile that has to stay within it, for example 95 or 99.
        workers: Processes, each with a copy of the artifact.
        threads: Threads of each worker.
        budget_seconds: Time after which no further rate is tried, once one was held or four were not. One try takes
            a tenth, or longer where the percentile needs more requests than arrive in that time, or where it was
            undecided before.
        limits: What the processes may take; beyond, they are killed.
        seed: Of the arrivals and of the order of the requests.
        listener: Told what goes on.

    Raises:
        MeasurementError: The artifact cannot serve the requests, or a process died or took more than its limits; or
            it cannot be told whether the artifact holds any rate, because the machine is too busy or the budget small.
    """
    for name, value in (("bound_ms", bound_ms), ("budget_seconds", budget_seconds)):
        if not 0 < value < math.inf:
            raise MeasurementError(f"{name} must be above 0 and finite, but got {value:g}. Give a positive number.")
    least_requests(percentile)
    bound = LatencyBound(bound_ms, percentile)
    with open_deployment(
        served, requests, workers=workers, threads=threads, limits=limits, seed=seed, listener=listener
    ) as deployment:
        deadline = time.monotonic() + budget_seconds
        alone, ceiling_rps = _without_queue(deployment, bound, _ALONE_SHARE * budget_seconds, workers)
        probes: tuple[Probe, ...] = ()
        if bound.verdict(alone.percentile_ms) != "broken":
            probes = search_rates(
                _prober(deployment, bound, budget_seconds / _PROBES_PER_BUDGET, seed, listener),
                ceiling_rps,
                relative_precision=_PRECISION,
                is_over=lambda: time.monotonic() >= deadline,
            )
    return throughput_measurement(
        probes, alone, bound=bound, ceiling_rps=ceiling_rps, environment=deployment.environment
    )


def _without_queue(
    deployment: Deployment, bound: LatencyBound, seconds: float, workers: int
) -> tuple[LoneRequests, float]:
    """Requests that meet no other, a second time where the first breaks the bound; and the greatest rate to try."""

    def measured() -> LoneRequests:
        needed = least_requests(bound.percentile)
        served = deployment.back_to_back(seconds, least_requests=needed, active_workers=1)
        return lone_requests(served.service_ms, bound.percentile)

    alone = measured()
    if bound.verdict(alone.percentile_ms) == "broken":
        alone = min(alone, measured(), key=lambda one: one.percentile_ms.value)
    together = deployment.back_to_back(seconds, least_requests=workers, active_workers=workers)
    return alone, _HEADROOM * together.rate_rps


def _prober(
    deployment: Deployment, bound: LatencyBound, seconds: float, seed: int, listener: ProgressListener | None
) -> TryRate:
    """The function that tries a rate; each try has arrivals of its own, so that none is lucky for all."""

    def try_rate(rate_rps: float, before: Sequence[Probe]) -> Probe:
        if listener is not None:
            share = min(1.0, len(before) / _PROBES_PER_BUDGET)
            listener(Progress("measure", f"{rate_rps:.4g} requests per second", share))
        n_undecided = sum(probe.verdict == "undecided" for probe in tries_of(before, rate_rps))
        least = least_load_seconds(rate_rps, bound.percentile, dependence=_DEPENDENCE)
        arrivals = poisson_arrivals(rate_rps, max(seconds, least) * 2**n_undecided, seed=1000 * seed + len(before))
        load = deployment.load(arrivals, rate_rps=rate_rps)
        latency = None if load.is_saturated else loaded_bounds(load, bound.percentile)
        verdict = "broken" if load.is_saturated else bound.verdict(latency)
        return Probe(rate_rps, verdict, latency, load.utilisation)

    return try_rate
