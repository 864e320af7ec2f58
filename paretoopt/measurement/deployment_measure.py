"""What the measures of a deployment have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.pipeline.stage import Measure, RunMeasure
from paretoopt.space import Parameter, Value


def deployment_measure(
    name: str,
    metrics: Sequence[str],
    run: RunMeasure,
    *,
    settings: Mapping[str, Value],
    version: str = "1",
    is_timed: bool = True,
) -> Measure:
    """A measure of the deployed artifact on this machine, which reads the number of serving workers.

    Its result does not depend on how the weights were trained. Arguments are those of :class:`Measure`.
    """
    return Measure(
        name=name,
        metrics=tuple(metrics),
        run=run,
        reads=(_SERVING_WORKERS,),
        needs_training=False,
        device=_device,
        is_timed=is_timed,
        settings=settings,
        version=version,
    )


def percentile_metrics(name: str, percentiles: Sequence[float]) -> dict[str, float]:
    """The percentiles by the names of their metrics.

    >>> percentile_metrics("latency", (50, 99.9))
    {'latency_p50_ms': 50, 'latency_p99_9_ms': 99.9}
    """
    return {f"{name}_p{percentile:g}_ms".replace(".", "_"): percentile for percentile in percentiles}


def _device() -> str:
    return current_environment(measured_cores(1, 1)).fingerprint


def _refuse_processes(value: Value) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return None
    return "it is a number of processes. Use a whole number from 1 on."


_SERVING_WORKERS = Parameter("serving_workers", default=1, refuse=_refuse_processes)
