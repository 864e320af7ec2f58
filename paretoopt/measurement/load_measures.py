"""Pipeline measures of a deployment under load: requests that arrive at random."""

from __future__ import annotations

import math
from collections.abc import Sequence

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.errors import PipelineError
from paretoopt.measurement.deployment_measure import deployment_measure, percentile_metrics
from paretoopt.measurement.environment_record import write_environment
from paretoopt.measurement.load import measure_load
from paretoopt.measurement.load_percentiles import least_load_seconds, loaded_percentile
from paretoopt.measurement.measure_limits import measure_limits
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.throughput import find_throughput
from paretoopt.pipeline.stage import Context, Measure
from paretoopt.space import Params

# Even requests that are independent look like fewer by chance, nearly always by less than this.
_DEPENDENCE = 2
# The search for the throughput times lone requests twice and, at half of the greatest rate, takes four requests for
# each that would do if they were independent; then there is time for another rate.
_THROUGHPUT_REQUESTS = 12


def load(
    *,
    rate_rps: float,
    percentiles: Sequence[float] = (50, 95),
    seconds: float = 10.0,
    threads: int = 1,
    limit_seconds: float | None = None,
    memory_limit_mib: float | None = None,
) -> Measure:
    """The measure of ``loaded_latency_p*_ms``, under requests that arrive at random at a stated rate.

    Latency counts from the moment when the request was to arrive. A candidate whose workers cannot keep up fails, as
    infeasible.

    Args:
        rate_rps: Requests per second that arrive on average.
        percentiles: In percent, for example ``(50, 95, 99)``; the higher, the more seconds they need.
        seconds: How long requests arrive. Their first tenth does not count.
        threads: Threads of each worker.
        limit_seconds: Time after which the processes are killed; None for ten times ``seconds``, and two minutes.
        memory_limit_mib: Private memory that each process may take; None for a share of what is free.

    Raises:
        MeasurementError: A percentile or a limit is out of its range.
        PipelineError: ``rate_rps`` or ``seconds`` is out of its range, or they give too few requests to support a
            percentile at 99 % confidence, with some room for requests that wait for each other.
    """
    names = percentile_metrics("loaded_latency", percentiles)
    _refuse_short(rate_rps, seconds, max(percentiles))
    limits = measure_limits(seconds, 0, limit_seconds, memory_limit_mib)

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        measured = measure_load(
            artifact.model_path,
            context.requests,
            rate_rps=rate_rps,
            seconds=seconds,
            workers=int(params["serving_workers"]),
            threads=threads,
            limits=limits,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, measured.environment)
        return {name: loaded_percentile(measured, value) for name, value in names.items()}

    settings = {"rate_rps": rate_rps, "seconds": seconds, "threads": threads}
    return deployment_measure("load", tuple(names), run, settings=settings)


def throughput(
    *,
    bound_ms: float,
    percentile: float = 95,
    budget_seconds: float = 10.0,
    threads: int = 1,
    limit_seconds: float | None = None,
    memory_limit_mib: float | None = None,
) -> Measure:
    """The measure of ``throughput_rps``: the greatest rate of random arrivals held within a latency bound.

    The interval reaches from that rate, which was held, to the least greater one that was seen to break the bound. It
    is 0 where even a request that meets no other takes longer. Where the machine is too busy to tell, or the budget too
    small, the candidate fails instead.

    Args:
        bound_ms: The latency bound, from the intended arrival to the answer.
        percentile: The percentile that has to stay within it.
        budget_seconds: Time to search; slow artifacts take longer, until a rate was held or four were not.
        threads: Threads of each worker.
        limit_seconds: Time after which the processes are killed; None for enough at 2 s per request.
        memory_limit_mib: Private memory that each process may take; None for a share of what is free.

    Raises:
        MeasurementError: The percentile or a limit is out of its range.
    """
    limits = measure_limits(
        budget_seconds, _THROUGHPUT_REQUESTS * least_requests(percentile), limit_seconds, memory_limit_mib
    )

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        found = find_throughput(
            artifact.model_path,
            context.requests,
            bound_ms=bound_ms,
            percentile=percentile,
            workers=int(params["serving_workers"]),
            threads=threads,
            budget_seconds=budget_seconds,
            limits=limits,
            seed=context.seed,
            listener=context.listener,
        )
        write_environment(context.folder, found.environment)
        return {"throughput_rps": found.throughput_rps}

    settings = {"bound_ms": bound_ms, "percentile": percentile, "budget_seconds": budget_seconds, "threads": threads}
    return deployment_measure("throughput", ("throughput_rps",), run, settings=settings, version="2")


def _refuse_short(rate_rps: float, seconds: float, percentile: float) -> None:
    for name, value in (("rate_rps", rate_rps), ("seconds", seconds)):
        if not 0 < value < math.inf:
            raise PipelineError(f"load needs {name} above 0 and finite, but got {value:g}. Give a positive number.")
    needed = least_load_seconds(rate_rps, percentile, dependence=_DEPENDENCE)
    if seconds < needed:
        raise PipelineError(
            f"load(rate_rps={rate_rps:g}, seconds={seconds:g}) gives {rate_rps * seconds:,.0f} requests, of which the "
            f"first tenth is left out; for 99 % confidence p{percentile:g} needs {least_requests(percentile):,} that "
            "are independent, and requests that wait for each other are worth fewer. "
            f"Set seconds={_rounded_up(needed)} or more, or ask for a lower percentile."
        )


def _rounded_up(seconds: float) -> str:
    return f"{math.ceil(seconds * 10) / 10:g}"
