"""What it costs to serve a stated load: from throughput and memory to replicas and money."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from paretoopt.candidate import Measurement, Measurements
from paretoopt.errors import CostError
from paretoopt.space import Params

# Throughput that is held within a latency bound is what can be sold; the whole memory is what is paid.
_THROUGHPUTS, _MEMORIES = ("throughput_rps", "closed_loop_rps"), ("memory_total_mib", "memory_mib")
_HOURS_PER_MONTH = 730.0
_MIB_PER_GIB = 1024.0
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True)
class ServingCost:
    """The metrics ``replicas``, ``workers_needed``, ``serving_cost_per_month`` and ``serving_cost_per_million``.

    A replica is one deployment as it was measured: its ``serving_workers`` and all their memory. As many are paid as
    hold the load with the throughput that each was measured to hold; they share nothing, so that two hold twice as
    much. A month has 730 hours. Prices, and so costs, are in a currency of the user's choice. The interval of a cost
    comes from those of throughput and memory, both at their worse and both at their better ends. Where no throughput is
    held, or where it may be 0, there is no cost.

    Attributes:
        requests_per_second: The load that replicas must hold: the peak.
        price_per_core_hour: Of one core.
        price_per_gib_hour: Of one GiB of memory.
        price_per_machine_hour: Of whatever each replica costs beside.
        cores_per_worker: Cores that are paid for each serving worker.
        utilization: Share of the measured throughput that is planned with, in (0, 1].
        mean_requests_per_second: What is really answered, over the month, for the cost per million requests; None for
            the peak.
        throughput: The metric that is the throughput; None for ``throughput_rps``, else ``closed_loop_rps``.
        memory: The metric that is the memory, in MiB; None for ``memory_total_mib``, else ``memory_mib``.

    Raises:
        CostError: A load, price or share is none.
    """

    requests_per_second: float
    price_per_core_hour: float
    price_per_gib_hour: float
    price_per_machine_hour: float = 0.0
    cores_per_worker: float = 1.0
    utilization: float = 1.0
    mean_requests_per_second: float | None = None
    throughput: str | None = None
    memory: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no load, price or share."""
        prices = ("price_per_core_hour", "price_per_gib_hour", "price_per_machine_hour")
        for name in ("requests_per_second", *prices, "cores_per_worker"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0) or (name == "requests_per_second" and value == 0):
                kind = "a positive number" if name == "requests_per_second" else "0 or a positive number"
                raise CostError(f"{name}={value!r} cannot be reckoned with. Give {kind}.")
        if not any(getattr(self, name) for name in prices):
            raise CostError("every price is 0, so that everything costs the same. Give one above 0.")
        if not 0 < self.utilization <= 1:
            raise CostError(
                f"utilization={self.utilization!r} is no share of the throughput. Give one above 0, up to 1."
            )
        mean = self.mean_requests_per_second
        if mean is not None and not 0 < mean <= self.requests_per_second:
            raise CostError(
                f"mean_requests_per_second={mean!r} is no mean of a load whose peak is {self.requests_per_second:g}. "
                "Give one above 0, up to the peak."
            )

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it gives."""
        return ("replicas", "workers_needed", "serving_cost_per_month", "serving_cost_per_million")

    def inputs(self, available: Collection[str]) -> tuple[str, ...]:
        """The metrics that it is reckoned from, of those that are available; where one is missing, its name."""
        return (
            self.throughput or _first(_THROUGHPUTS, available),
            self.memory or _first(_MEMORIES, available),
        )

    def derive(self, params: Params, measurements: Measurements) -> dict[str, Measurement]:
        """The metrics of one candidate; none where something is missing, or no throughput is held for certain."""
        throughput, memory = (measurements.get(name) for name in self.inputs(measurements))
        if throughput is None or memory is None:
            return {}
        if not all(value > 0 for value in (throughput.value, throughput.low) if value is not None):
            return {}
        workers = float(params.get("serving_workers", 1))
        found = self._reckoned(throughput.value, memory.value, workers)
        if throughput.low is throughput.high is memory.low is memory.high is None:
            return {name: Measurement(value) for name, value in found.items()}
        low = self._reckoned(_end(throughput, throughput.high), _end(memory, memory.low), workers)
        high = self._reckoned(_end(throughput, throughput.low), _end(memory, memory.high), workers)
        return {name: Measurement(value, low[name], high[name]) for name, value in found.items()}

    def _reckoned(self, throughput: float, memory_mib: float, workers: float) -> dict[str, float]:
        replicas = math.ceil(self.requests_per_second / (throughput * self.utilization))
        per_replica = (
            self.price_per_machine_hour
            + self.price_per_core_hour * self.cores_per_worker * workers
            + self.price_per_gib_hour * memory_mib / _MIB_PER_GIB
        )
        per_hour = replicas * per_replica
        answered = (self.mean_requests_per_second or self.requests_per_second) * _SECONDS_PER_HOUR
        values = (replicas, replicas * workers, per_hour * _HOURS_PER_MONTH, per_hour / answered * 1e6)
        return dict(zip(self.metrics, map(float, values), strict=True))


def _first(names: tuple[str, ...], available: Collection[str]) -> str:
    return next((name for name in names if name in available), names[0])


def _end(measurement: Measurement, end: float | None) -> float:
    return measurement.value if end is None else end
