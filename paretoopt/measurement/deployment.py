"""A deployment that stays up while it is put under one load after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.measurement.artifact_size import artifact_bytes
from paretoopt.measurement.channel import Json
from paretoopt.measurement.core_load import core_times, share_of_others
from paretoopt.measurement.cores import cores_of_process, measured_cores
from paretoopt.measurement.environment import Environment, current_environment
from paretoopt.measurement.fixed_service import FixedService
from paretoopt.measurement.isolation import isolated
from paretoopt.measurement.load_measurement import LoadMeasurement, load_measurement
from paretoopt.measurement.lock import lock_cores, scratch_folder
from paretoopt.measurement.processes import Processes
from paretoopt.measurement.program import Limits, Program
from paretoopt.measurement.readiness import Readiness, read_readiness
from paretoopt.measurement.requests import Requests, count_requests, write_requests
from paretoopt.measurement.rounds import Round, write_round
from paretoopt.measurement.tickets import issue_tickets, ticket_queue

Served = Path | FixedService
"""What workers serve: an artifact, or a stand-in of known service time."""

_MODULE = "paretoopt.measurement.load_worker"
_MOST_REQUESTS = 10_000
_BACK_TO_BACK_TICKETS = 100_000
# From the moment that the workers are sent on to the first arrival they all are at the queue.
_LEAD_SECONDS = 0.05
# A sleep of 2 ms ends 0.13 ms late on an idle virtual machine (p99 0.22 ms), so the last part is not slept.
_SPIN_NS = 300_000
# After the last arrival, a deployment that keeps up needs a moment to finish; one that does not is stopped.
_GRACE_SHARE = 0.2
_LEAST_GRACE_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class BackToBack:
    """What workers do when the queue is never empty.

    Attributes:
        rate_rps: Requests per second that they serve together.
        service_ms: Service time of each request.
    """

    rate_rps: float
    service_ms: NDArray[np.float64]


class Deployment:
    """Workers that have loaded the artifact and wait for traffic; ``open_deployment`` starts them."""

    def __init__(
        self, processes: Processes, folder: Path, queue: int, *, workers: int, threads: int, environment: Environment
    ) -> None:
        """Take over workers that have warmed up.

        Args:
            processes: The workers, in their order.
            folder: Their scratch folder.
            queue: Their queue of tickets.
            workers: How many they are.
            threads: Threads of each.
            environment: Where they run.
        """
        self._processes = processes
        self._folder = folder
        self._queue = queue
        self._workers = workers
        self._threads = threads
        self.environment = environment
        self._n_rounds = 0
        # Where workers share cores, one that looks at the clock would take the core from one that serves.
        self._spin_ns = _SPIN_NS if len(environment.cores_used) >= workers * threads else 0

    def load(self, arrivals: NDArray[np.int64], *, rate_rps: float) -> LoadMeasurement:
        """Serve requests as they arrive.

        Args:
            arrivals: When they arrive, in nanoseconds from the begin of the traffic, ascending.
            rate_rps: The rate that the arrivals were drawn for.

        Raises:
            MeasurementError: A worker died, or the time for the whole measurement is over.
        """
        span = int(arrivals[-1])
        grace = max(int(_GRACE_SHARE * span), int(_LEAST_GRACE_SECONDS * 1e9))
        served = self._serve(arrivals, stop_after=span + grace, least_requests=1, active_workers=self._workers)
        return load_measurement(
            arrivals,
            np.concatenate(served),
            rate_rps=rate_rps,
            workers=self._workers,
            threads=self._threads,
            environment=self.environment,
        )

    def back_to_back(self, seconds: float, *, least_requests: int, active_workers: int) -> BackToBack:
        """Serve requests one after the other in each worker, closed loop, for ``seconds`` and ``least_requests``.

        Raises:
            MeasurementError: A worker died, or the time for the whole measurement is over.
        """
        all_at_once = np.zeros(max(_BACK_TO_BACK_TICKETS, least_requests), np.int64)
        served = self._serve(
            all_at_once,
            stop_after=int(seconds * 1e9),
            least_requests=-(-least_requests // active_workers),
            active_workers=active_workers,
        )
        pooled = np.concatenate(served)
        rate = sum(len(worker) / (worker[-1, 3] - worker[0, 2]) * 1e9 for worker in served if len(worker))
        return BackToBack(float(rate), (pooled[:, 3] - pooled[:, 2]) / 1e6)

    def _serve(
        self, arrivals: NDArray[np.int64], *, stop_after: int, least_requests: int, active_workers: int
    ) -> list[NDArray[np.int64]]:
        """Send requests through the workers; gives what each recorded, with times counted from the begin."""
        begin = time.perf_counter_ns() + int(_LEAD_SECONDS * 1e9)
        number = self._n_rounds
        self._n_rounds += 1
        issue_tickets(self._queue, begin + arrivals)
        write_round(self._folder, Round(number, active_workers, begin + stop_after, least_requests, self._spin_ns))
        self._processes.pass_checkpoint("the begin of traffic")
        self._processes.pass_checkpoint("the end of traffic")
        recorded = [np.load(self._folder / str(worker) / f"round-{number}.npy") for worker in range(self._workers)]
        return [times - np.array([0, begin, begin, begin]) for times in recorded]


@contextmanager
def open_deployment(
    served: Served,
    requests: Requests,
    *,
    workers: int,
    threads: int,
    limits: Limits,
    seed: int = 0,
    listener: ProgressListener | None = None,
) -> Iterator[Deployment]:
    """Start workers in processes of their own, load the artifact in each, and warm up.

    Waits while another measurement uses the same cores. At the end, however it comes, no worker is alive, and the
    deployment's environment then says what else ran on its cores.

    Raises:
        MeasurementError: The artifact cannot serve the requests, or a process died or took more than its limits.
    """
    if isinstance(served, Path):
        artifact_bytes(served)
    cores = measured_cores(workers, threads)
    order = np.random.default_rng(seed).permutation(count_requests(requests))[:_MOST_REQUESTS]
    with lock_cores(cores, listener=listener), scratch_folder(cores) as folder, ticket_queue(folder) as queue:
        if listener is not None:
            listener(Progress("measure", f"starting {workers} worker(s)"))
        environment = current_environment(cores)
        write_requests(folder, requests, selection=order)
        programs = _programs(_job(served, folder, queue, threads), cores, workers)
        before = core_times(cores)
        with isolated(programs, limits, folder=folder) as processes:
            processes.pass_checkpoint("the end of warm-up")
            environment = _with_workers(environment, [read_readiness(folder / str(each)) for each in range(workers)])
            deployment = Deployment(processes, folder, queue, workers=workers, threads=threads, environment=environment)
            yield deployment
            write_round(folder, None)
            processes.pass_checkpoint("its end")
            processes.results()
        others = share_of_others(before, core_times(cores))
        deployment.environment = replace(environment, share_of_others=others)


def _job(served: Served, folder: Path, queue: int, threads: int) -> Json:
    return {
        "model_path": str(served.resolve()) if isinstance(served, Path) else None,
        "service_seconds": served.seconds if isinstance(served, FixedService) else None,
        "folder": str(folder),
        "queue": queue,
        "threads": threads,
    }


def _with_workers(environment: Environment, ready: Sequence[Readiness]) -> Environment:
    cores = tuple(sorted({core for worker in ready for core in worker.cores}))
    return replace(environment, cores_used=cores, is_warmed_up=all(worker.is_warmed_up for worker in ready))


def _programs(job: Json, cores: Sequence[int], workers: int) -> list[Program]:
    threads = job["threads"]
    return [
        Program(
            f"worker {worker}",
            _MODULE,
            {**job, "worker": worker},
            cores_of_process(cores, worker, threads),
            threads,
            shared_fds=(job["queue"],),
        )
        for worker in range(workers)
    ]
