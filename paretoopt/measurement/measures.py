"""Pipeline measures of a deployment that serves one request after the other: latency and memory."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.errors import PipelineError
from paretoopt.measurement.deployment_measure import deployment_measure, percentile_metrics
from paretoopt.measurement.environment_record import write_environment
from paretoopt.measurement.measure_limits import measure_limits
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.precision import Precision
from paretoopt.measurement.serial_percentiles import serial_percentile
from paretoopt.measurement.serving import measure_serving
from paretoopt.pipeline.stage import Context, Measure
from paretoopt.space import Params

# Memory is settled after every kind of request has been served a few times.
_MEMORY_REQUESTS = 200
_MEMORY_METRICS = (
    "memory_mib",
    "memory_total_mib",
    "artifact_mib",
    "memory_after_load_mib",
    "memory_peak_mib",
    "memory_baseline_mib",
)


def latency(
    *,
    percentiles: Sequence[float] = (50, 95, 99),
    threads: int = 1,
    n_requests: int = 10_000,
    budget_seconds: float = 1.0,
    relative_precision: float = 0.05,
    limit_seconds: float | None = None,
    memory_limit_mib: float | None = None,
) -> Measure:
    """The measure of ``latency_p*_ms`` and ``closed_loop_rps``.

    Every serving worker answers different real requests one after the other, all workers at once. Latency is that of
    a single request; ``closed_loop_rps`` is what the workers answer together. Requests stop as soon as their number
    supports every percentile (MLPerf's rule) and the interval of the highest one, which allows for requests that were
    late together, is narrow enough.

    Args:
        percentiles: In percent, for example ``(50, 95, 99)``.
        threads: Threads of each worker.
        n_requests: Requests to time at most, of all workers together; more in the first quarter of a second.
        budget_seconds: Time after which fewer are enough, if they support every percentile.
        relative_precision: Fewer are enough once the 95 % interval of the highest percentile reaches no further than
            this share of its value to either side.
        limit_seconds: Time after which the processes are killed; None for enough at 2 s per request.
        memory_limit_mib: Private memory that each process may take; None for a share of what is free.

    Raises:
        MeasurementError: A percentile, ``relative_precision`` or a limit is out of its range.
        PipelineError: ``n_requests`` cannot support a percentile at 99 % confidence.
    """
    names = percentile_metrics("latency", percentiles)
    precision = Precision(max(percentiles), relative_precision)
    needed = _refuse_few(n_requests, percentiles)
    limits = measure_limits(budget_seconds, needed, limit_seconds, memory_limit_mib)
    settings = {"threads": threads, "n_requests": n_requests, "budget_seconds": budget_seconds}
    settings["relative_precision"] = relative_precision

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        serving = measure_serving(
            artifact.model_path,
            context.requests,
            workers=int(params["serving_workers"]),
            threads=threads,
            n_requests=n_requests,
            budget_seconds=budget_seconds,
            least_percentile=precision.percentile,
            relative_precision=precision.relative,
            limits=limits,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, serving.environment)
        measured = {name: serial_percentile(serving.latencies_ms, value) for name, value in names.items()}
        return {**measured, "closed_loop_rps": Measurement(serving.throughput_rps)}

    return deployment_measure("latency", (*names, "closed_loop_rps"), run, settings=settings, version="2")


def memory(*, threads: int = 1, limit_seconds: float | None = None, memory_limit_mib: float | None = None) -> Measure:
    """The measure of the deployment's memory, all in MiB.

    - ``memory_mib``: private memory that all serving workers together add to idle runtimes, after traffic;
    - ``memory_after_load_mib``: the same before the first request;
    - ``memory_total_mib``: all memory of the workers, runtimes included, shared pages counted once;
    - ``memory_peak_mib``: the most of it that they can have held together at any moment;
    - ``memory_baseline_mib``: private memory of the idle runtime that was measured in the same run;
    - ``artifact_mib``: the artifact on disk.

    The requests are the client's, and count nowhere.

    Args:
        threads: Threads of each worker.
        limit_seconds: Time after which the processes are killed; None for enough at 2 s per request.
        memory_limit_mib: Private memory that each process may take; None for a share of what is free.

    Raises:
        MeasurementError: A limit is out of its range.
    """
    limits = measure_limits(1.0, _MEMORY_REQUESTS, limit_seconds, memory_limit_mib)

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        serving = measure_serving(
            artifact.model_path,
            context.requests,
            workers=int(params["serving_workers"]),
            threads=threads,
            n_requests=_MEMORY_REQUESTS,
            limits=limits,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, serving.environment)
        return {name: Measurement(getattr(serving, name)) for name in _MEMORY_METRICS}

    return deployment_measure(
        "memory", _MEMORY_METRICS, run, settings={"threads": threads}, version="2", is_timed=False
    )


def _refuse_few(n_requests: int, percentiles: Sequence[float]) -> int:
    """How many requests the percentiles need, if there are as many."""
    needed = max(least_requests(percentile) for percentile in percentiles)
    if n_requests < needed:
        raise PipelineError(
            f"latency(percentiles={tuple(percentiles)}) needs at least {needed:,} requests for 99 % confidence, but "
            f"n_requests={n_requests:,}. Raise n_requests, or leave the highest percentile out."
        )
    return needed
