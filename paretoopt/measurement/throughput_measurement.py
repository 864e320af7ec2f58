"""What the search for the throughput of a deployment found, or why it found nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import Environment
from paretoopt.measurement.rate_search import Probe, Verdict, held_rate, verdict_of
from paretoopt.measurement.serial_percentiles import serial_percentile

# Of the cores' time. In so little of it, others do not make one request of twenty late.
_QUIET_SHARE = 0.05


@dataclass(frozen=True)
class LatencyBound:
    """What a rate has to keep to be held.

    Attributes:
        bound_ms: The greatest latency, from the intended arrival to the answer.
        percentile: The percentile that has to stay within it.
    """

    bound_ms: float
    percentile: float

    def verdict(self, latency: Measurement | None) -> Verdict:
        """Whether the percentile's interval lies within the bound; ``"undecided"`` where there is no percentile."""
        return verdict_of(latency, self.bound_ms)


@dataclass(frozen=True)
class LoneRequests:
    """Latencies of requests that meet no other.

    Attributes:
        percentile_ms: The percentile that the bound is for.
        fastest_ms: A tenth of them took no longer than this.
    """

    percentile_ms: Measurement
    fastest_ms: float


def lone_requests(service_ms: NDArray[np.float64], percentile: float) -> LoneRequests:
    """Lone requests from their service times, in the order in which they were served."""
    return LoneRequests(serial_percentile(service_ms, percentile), float(np.quantile(service_ms, 0.1)))


@dataclass(frozen=True)
class ThroughputMeasurement:
    """The greatest rate that a deployment was seen to hold.

    Attributes:
        throughput_rps: Requests per second. The value, which is also the lower end of the interval, is the
            greatest rate that was held: the percentile's own 95 % interval lies within the bound there. The upper
            end is the least greater rate that broke the bound, and broke it again when it was tried a second time;
            where no rate did, ``ceiling_rps``. 0 if even a lone request breaks it.
        bound: The latency bound.
        alone_ms: The same percentile of requests that meet no other.
        ceiling_rps: No greater rate was tried: 1.25 times what the workers serve when the queue is never empty.
        reason: Why the throughput is 0; empty if it is not.
        probes: The rates that were tried, in order.
        environment: Where it was measured.
    """

    throughput_rps: Measurement
    bound: LatencyBound
    alone_ms: Measurement
    ceiling_rps: float
    reason: str
    probes: tuple[Probe, ...]
    environment: Environment


def throughput_measurement(
    probes: Sequence[Probe], alone: LoneRequests, *, bound: LatencyBound, ceiling_rps: float, environment: Environment
) -> ThroughputMeasurement:
    """What the probes tell of the greatest rate that is held.

    Args:
        probes: The rates that were tried; none where a lone request was too slow for any.
        alone: Requests that meet no other.
        bound: What a rate had to keep.
        ceiling_rps: No greater rate was tried.
        environment: Where that was.

    Raises:
        MeasurementError: No rate was held, and it cannot be told that the artifact holds none.
    """
    others = environment.share_of_others
    if probes and all(probe.verdict != "held" for probe in probes):
        raise _nothing_held(min(probe.rate_rps for probe in probes), alone, bound, others)
    if not probes and alone.fastest_ms <= bound.bound_ms and others is not None and others > _QUIET_SHARE:
        raise _too_busy(alone, bound, others)
    return ThroughputMeasurement(
        throughput_rps=held_rate(probes, ceiling_rps) if probes else Measurement(0.0, 0.0, 0.0),
        bound=bound,
        alone_ms=alone.percentile_ms,
        ceiling_rps=ceiling_rps,
        reason="" if probes else f"{_said(alone, bound)}, which is beyond the bound of {bound.bound_ms:g} ms.",
        probes=tuple(probes),
        environment=environment,
    )


def _nothing_held(least_rps: float, alone: LoneRequests, bound: LatencyBound, others: float | None) -> MeasurementError:
    taken = "" if others is None else f" (they took {others:.0%} of the measured cores)"
    return MeasurementError(
        f"no rate from {least_rps:.3g} requests per second on was shown to keep p{bound.percentile:g} within "
        f"{bound.bound_ms:g} ms, although {_said(alone, bound)}. Either other programs keep the machine too busy"
        f"{taken}, or the budget ended before lower rates were tried. Measure when the machine is idle, or raise "
        "budget_seconds or bound_ms."
    )


def _too_busy(alone: LoneRequests, bound: LatencyBound, others: float) -> MeasurementError:
    return MeasurementError(
        f"{_said(alone, bound)}, beyond the bound of {bound.bound_ms:g} ms, but a tenth of them took no longer than "
        f"{alone.fastest_ms:.3g} ms while other programs took {others:.0%} of the measured cores. The machine is too "
        "busy to tell what the artifact holds. Measure when it is idle."
    )


def _said(alone: LoneRequests, bound: LatencyBound) -> str:
    return f"the p{bound.percentile:g} of requests that meet no other is {alone.percentile_ms.value:.3g} ms"
