"""Pipeline measures of a deployment: latency, throughput and memory of the artifact that ships."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.errors import PipelineError
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.environment_record import write_environment
from paretoopt.measurement.load import measure_load
from paretoopt.measurement.load_percentiles import loaded_percentile
from paretoopt.measurement.percentiles import latency_percentile, least_requests
from paretoopt.measurement.precision import Precision
from paretoopt.measurement.program import Limits
from paretoopt.measurement.serving import measure_serving
from paretoopt.measurement.throughput import find_throughput
from paretoopt.pipeline.stage import Context, Measure
from paretoopt.space import Parameter, Params, Value

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
# To start workers, load a large artifact in each, and warm up.
_START_SECONDS = 120.0


def latency(
    *,
    percentiles: Sequence[float] = (50, 95, 99),
    threads: int = 1,
    n_requests: int = 10_000,
    budget_seconds: float = 1.0,
    relative_precision: float = 0.05,
) -> Measure:
    """The measure of ``latency_p*_ms`` and ``closed_loop_rps``.

    Every serving worker answers different real requests one after the other, all workers at once.
    Latency is that of a single request; ``closed_loop_rps`` is what the workers answer together.
    Requests stop as soon as they support every percentile and the highest one is known precisely enough.

    Args:
        percentiles: In percent, for example ``(50, 95, 99)``.
        threads: Threads of each worker.
        n_requests: Requests to time at most, of all workers together; more where they take less than a quarter of a
            second.
        budget_seconds: Time after which fewer are enough, if they support every percentile.
        relative_precision: Fewer are enough once the 95 % interval of the highest percentile reaches no further than
            this share of its value to either side.

    Raises:
        MeasurementError: A percentile, ``budget_seconds`` or ``relative_precision`` is out of its range.
        PipelineError: ``n_requests`` cannot support a percentile at 99 % confidence.
    """
    Precision(max(percentiles), relative_precision)
    needed = max(least_requests(percentile) for percentile in percentiles)
    if n_requests < needed:
        raise PipelineError(
            f"latency(percentiles={tuple(percentiles)}) needs at least {needed:,} requests for 99 % confidence, but "
            f"n_requests={n_requests:,}. Raise n_requests, or leave the highest percentile out."
        )
    names = {f"latency_p{percentile:g}_ms".replace(".", "_"): percentile for percentile in percentiles}

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        serving = measure_serving(
            artifact.model_path,
            context.requests,
            workers=int(params["serving_workers"]),
            threads=threads,
            n_requests=n_requests,
            budget_seconds=budget_seconds,
            least_percentile=max(percentiles),
            relative_precision=relative_precision,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, serving.environment)
        measured = {name: latency_percentile(serving.latencies_ms, value) for name, value in names.items()}
        return {**measured, "closed_loop_rps": Measurement(serving.throughput_rps)}

    return Measure(
        name="latency",
        metrics=(*names, "closed_loop_rps"),
        run=run,
        reads=(_SERVING_WORKERS,),
        needs_training=False,
        device=_device,
        is_timed=True,
        settings={
            "threads": threads,
            "n_requests": n_requests,
            "budget_seconds": budget_seconds,
            "relative_precision": relative_precision,
        },
    )


def load(
    *, rate_rps: float, percentiles: Sequence[float] = (50, 95), seconds: float = 10.0, threads: int = 1
) -> Measure:
    """The measure of ``loaded_latency_p*_ms``, under requests that arrive at random at a stated rate.

    Latency counts from the moment when the request was to arrive. A candidate whose workers cannot keep up fails, as
    infeasible.

    Args:
        rate_rps: Requests per second that arrive on average.
        percentiles: In percent, for example ``(50, 95, 99)``; the higher, the more seconds they need.
        seconds: How long requests arrive.
        threads: Threads of each worker.

    Raises:
        PipelineError: ``rate_rps * seconds`` requests cannot support a percentile at 99 % confidence.
    """
    names = {f"loaded_latency_p{percentile:g}_ms".replace(".", "_"): percentile for percentile in percentiles}
    needed = max(least_requests(percentile) for percentile in percentiles)
    if not rate_rps * seconds >= needed:
        raise PipelineError(
            f"load(percentiles={tuple(percentiles)}) needs at least {needed:,} requests for 99 % confidence, but "
            f"rate_rps={rate_rps:g} gives {rate_rps * seconds:,.0f} in {seconds:g} s. Raise seconds."
        )

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        measured = measure_load(
            artifact.model_path,
            context.requests,
            rate_rps=rate_rps,
            seconds=seconds,
            workers=int(params["serving_workers"]),
            threads=threads,
            limits=Limits(seconds=2 * seconds + _START_SECONDS),
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, measured.environment)
        return {name: loaded_percentile(measured, value) for name, value in names.items()}

    return Measure(
        name="load",
        metrics=tuple(names),
        run=run,
        reads=(_SERVING_WORKERS,),
        needs_training=False,
        device=_device,
        is_timed=True,
        settings={"rate_rps": rate_rps, "seconds": seconds, "threads": threads},
    )


def throughput(*, bound_ms: float, percentile: float = 95, budget_seconds: float = 10.0, threads: int = 1) -> Measure:
    """The measure of ``throughput_rps``: the greatest rate of random arrivals held within a latency bound.

    It is 0 where even a request that meets no other takes longer.

    Args:
        bound_ms: The latency bound, from the intended arrival to the answer.
        percentile: The percentile that has to stay within it.
        budget_seconds: Time to search.
        threads: Threads of each worker.
    """
    least_requests(percentile)

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        found = find_throughput(
            artifact.model_path,
            context.requests,
            bound_ms=bound_ms,
            percentile=percentile,
            workers=int(params["serving_workers"]),
            threads=threads,
            budget_seconds=budget_seconds,
            limits=Limits(seconds=10 * budget_seconds + _START_SECONDS),
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, found.environment)
        return {"throughput_rps": found.throughput_rps}

    return Measure(
        name="throughput",
        metrics=("throughput_rps",),
        run=run,
        reads=(_SERVING_WORKERS,),
        needs_training=False,
        device=_device,
        is_timed=True,
        settings={
            "bound_ms": bound_ms,
            "percentile": percentile,
            "budget_seconds": budget_seconds,
            "threads": threads,
        },
    )


def memory(*, threads: int = 1) -> Measure:
    """The measure of the deployment's memory, all in MiB.

    - ``memory_mib``: private memory that all serving workers together add to idle runtimes, after traffic;
    - ``memory_after_load_mib``: the same before the first request;
    - ``memory_total_mib``: all memory of the workers, runtimes included, shared pages counted once;
    - ``memory_peak_mib``: the most of it that they can have held together at any moment;
    - ``memory_baseline_mib``: private memory of the idle runtime that was measured in the same run;
    - ``artifact_mib``: the artifact on disk.
    """

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        serving = measure_serving(
            artifact.model_path,
            context.requests,
            workers=int(params["serving_workers"]),
            threads=threads,
            n_requests=_MEMORY_REQUESTS,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, serving.environment)
        return {name: Measurement(getattr(serving, name)) for name in _MEMORY_METRICS}

    return Measure(
        name="memory",
        metrics=_MEMORY_METRICS,
        run=run,
        reads=(_SERVING_WORKERS,),
        needs_training=False,
        device=_device,
        settings={"threads": threads},
    )


def _refuse_processes(value: Value) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return None
    return "it is a number of processes. Use a whole number from 1 on."


_SERVING_WORKERS = Parameter("serving_workers", default=1, refuse=_refuse_processes)


def _device() -> str:
    return current_environment(measured_cores(1, 1)).fingerprint
