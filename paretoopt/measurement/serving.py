"""Measure a deployment: how fast its workers answer together, and what memory they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.artifact_size import artifact_bytes
from paretoopt.measurement.channel import Json
from paretoopt.measurement.core_load import core_times, share_of_others
from paretoopt.measurement.cores import cores_of_process, measured_cores
from paretoopt.measurement.effort import Effort
from paretoopt.measurement.environment import Environment, current_environment
from paretoopt.measurement.isolation import isolated
from paretoopt.measurement.lock import lock_cores, scratch_folder
from paretoopt.measurement.memory import MemoryUse, check_memory_accounting, peak_bytes, total_bytes
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.precision import Precision
from paretoopt.measurement.program import Limits, Program
from paretoopt.measurement.requests import Requests, count_requests, write_requests
from paretoopt.measurement.serving_measurement import ServingMeasurement
from paretoopt.measurement.window import common_window

ARTIFACT_WORKER = "paretoopt.measurement.serving_worker"
"""The module of workers that serve an artifact with ONNX Runtime."""

_LIMITS = Limits(seconds=120.0)
_PHASES = ("the import of its runtime", "the load of the artifact", "the end of warm-up", "the end of traffic")
_MIB = 1024 * 1024
# In less time one pause of the machine, or one turn of workers that share a core, is much of the measurement.
_LEAST_SECONDS = 0.25


def measure_serving(
    model_path: Path,
    requests: Requests,
    *,
    workers: int = 1,
    threads: int = 1,
    n_requests: int = 10_000,
    budget_seconds: float = 1.0,
    least_percentile: float = 95,
    relative_precision: float | None = None,
    limits: Limits = _LIMITS,
    seed: int = 0,
    worker_module: str = ARTIFACT_WORKER,
    listener: ProgressListener | None = None,
) -> ServingMeasurement:
    """Serve real requests from the artifact in processes of their own, and measure them.

    Every worker loads the artifact and warms up; then all start together, and each serves its share of the requests
    one by one, in shuffled order. Waits while another measurement uses the same cores.

    Args:
        model_path: The ONNX file.
        requests: Inputs to choose from, stacked along axis 0.
        workers: Processes, each with a copy of the artifact.
        threads: Threads of each worker.
        n_requests: Requests to time, of all workers together; more where they take less than a quarter of a second.
        budget_seconds: Time after which fewer are enough, if they support ``least_percentile``.
        least_percentile: What the requests support, however long that takes.
        relative_precision: Fewer are enough once, in each worker, the 95 % interval of ``least_percentile`` reaches
            no further than this share of its value to either side; None to time all of ``n_requests``.
        limits: What the processes may take; beyond, they are killed.
        seed: Order of the requests.
        worker_module: What a worker runs; one of another runtime calls ``serve_or_idle``.
        listener: Told what goes on.

    Raises:
        MeasurementError: Requests cannot be served, a process died or exceeded its limits, or memory is not accounted.
    """
    check_memory_accounting()
    artifact_mib, cores = artifact_bytes(model_path) / _MIB, measured_cores(workers, threads)
    effort = _effort_of_worker(n_requests, least_requests(least_percentile), budget_seconds, workers)
    precision = None if relative_precision is None else asdict(Precision(least_percentile, relative_precision))
    order = np.random.default_rng(seed).permutation(count_requests(requests))[:n_requests]
    with lock_cores(cores, listener=listener), scratch_folder(cores) as folder:
        environment = current_environment(cores)
        write_requests(folder, requests, selection=order)
        (folder / "progress").write_bytes(bytes(workers))
        job = {
            "model_path": str(model_path.resolve()),
            "requests_folder": str(folder),
            "workers": workers,
            "threads": threads,
            "seed": seed,
            "effort": asdict(effort),
            "precision": precision,
        }
        before = core_times(cores)
        results, times = _run(_programs(worker_module, job, cores), limits, folder, listener)
        environment = replace(environment, share_of_others=share_of_others(before, core_times(cores)))
    return _measurement(results, times, artifact_mib, threads, environment)


def _effort_of_worker(n_requests: int, least: int, budget_seconds: float, workers: int) -> Effort:
    if n_requests < 1:
        raise MeasurementError(f"n_requests must be at least 1, but got {n_requests}. Give a positive count.")
    least = min(n_requests, least)
    return Effort(ceil(n_requests / workers), ceil(least / workers), _LEAST_SECONDS, budget_seconds)


def _programs(module: str, job: Json, cores: Sequence[int]) -> list[Program]:
    """The workers, and last the idle runtime."""
    workers, threads = job["workers"], job["threads"]
    serving = [
        Program(
            f"worker {worker}",
            module,
            {**job, "worker": worker, "is_idle": False},
            cores_of_process(cores, worker, threads),
            threads,
        )
        for worker in range(workers)
    ]
    return [*serving, Program("the idle runtime", module, {"is_idle": True}, frozenset(cores), threads)]


def _run(
    programs: Sequence[Program], limits: Limits, folder: Path, listener: ProgressListener | None
) -> tuple[list[Json], list[NDArray[np.int64]]]:
    with isolated(programs, limits, folder=folder) as processes:
        for number, phase in enumerate(_PHASES):
            if listener is not None:
                listener(Progress("measure", f"waiting for {phase}", number / len(_PHASES)))
            processes.pass_checkpoint(phase)
        results = processes.results()
    times = [np.load(folder / str(worker) / "times.npy") for worker in range(len(programs) - 1)]
    return results, times


def _measurement(
    results: Sequence[Json],
    times: Sequence[NDArray[np.int64]],
    artifact_mib: float,
    threads: int,
    environment: Environment,
) -> ServingMeasurement:
    *workers, idle = results
    loaded, served = (
        [MemoryUse(**worker[moment]) for worker in workers] for moment in ("memory_after_load", "memory_after_traffic")
    )
    baseline = MemoryUse(**idle["memory_after_traffic"]).private
    latencies, throughput = common_window(times)
    latencies.setflags(write=False)
    return ServingMeasurement(
        latencies_ms=latencies,
        throughput_rps=throughput,
        load_seconds=max(worker["load_seconds"] for worker in workers),
        memory_mib=_added(served, baseline) / _MIB,
        memory_after_load_mib=_added(loaded, baseline) / _MIB,
        memory_total_mib=total_bytes(served) / _MIB,
        memory_peak_mib=peak_bytes(served) / _MIB,
        memory_baseline_mib=baseline / _MIB,
        artifact_mib=artifact_mib,
        workers=len(workers),
        threads=threads,
        n_warmup_requests=sum(worker["warm_up"]["n_requests"] for worker in workers),
        environment=replace(
            environment,
            cores_used=_cores_of(workers),
            is_warmed_up=all(worker["warm_up"]["is_stable"] for worker in workers),
        ),
    )


def _cores_of(workers: Sequence[Json]) -> tuple[int, ...]:
    """The cores that the workers really ran on, which may be more where pinning is not permitted."""
    return tuple(sorted({core for worker in workers for core in worker["cores"]}))


def _added(uses: Sequence[MemoryUse], baseline: int) -> int:
    return sum(use.private - baseline for use in uses)
