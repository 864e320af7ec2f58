"""Check the load generator against queueing theory, on a server whose service time is known.

The server keeps its core busy for exactly 1 ms per request. With one worker the queue is an M/D/1 queue, whose mean
wait is known (Pollaczek and Khinchine); with two it is an M/D/2 queue, whose waits are simulated (the reference). A run
of some seconds differs from both by chance, because it has few arrivals, and a busy machine makes services longer.
So each run is also compared with an ideal queue that gets the very same arrivals, once with services of 1 ms and
once with the services as they were measured: what is left there is the error of the load generator.

    python studies/benchmarks/load_generator.py
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError
from paretoopt.measurement.arrivals import poisson_arrivals
from paretoopt.measurement.deployment import open_deployment
from paretoopt.measurement.environment import Environment, pooled_record
from paretoopt.measurement.fixed_service import FixedService
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.load_percentiles import loaded_percentile
from paretoopt.measurement.program import Limits
from studies.benchmarks.page import publish, results_page

_RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results" / "load_generator.md"
_SERVICE_MS = 1.0
_UTILISATIONS = (0.3, 0.5, 0.7, 0.8, 0.9)
_WORKERS = (1, 2)
_REFERENCE_ARRIVALS = 4_000_000


_ABOUT = """Requests arrive at random
(Poisson) at a server that keeps its core busy for 1 ms per request; one queue, first come, first served. All
times are in milliseconds; a wait is the time from the intended arrival to the start of the work.

*Theory* is the mean wait in the long run: Pollaczek and Khinchine's formula for one worker, and for two a
simulation of 4 million arrivals. A run of some seconds differs from it by chance, the more the higher the
utilisation. *Same arrivals* is an ideal queue with the run's own arrivals and services of exactly 1 ms: what
*measured* differs from it is due to the load generator and to the machine. *Same arrivals and services* is
an ideal queue that also takes the services as long as they were: what *measured* differs from it is due to
the load generator. *Added per request* is how long after it could have been a request was begun.
"""


@dataclass(frozen=True)
class Comparison:
    """One run beside what it should have been.

    Attributes:
        utilisation: The utilisation that was aimed at.
        theory_ms: Mean wait of the queue in the long run.
        ideal_ms: Waits of an ideal queue with the run's arrivals.
        replayed_ms: Waits of an ideal queue with the run's arrivals and the run's service times.
        load: The run.
    """

    utilisation: float
    theory_ms: float
    ideal_ms: NDArray[np.float64]
    replayed_ms: NDArray[np.float64]
    load: LoadMeasurement


def fixed_service_waits(arrivals_ms: NDArray[np.float64], workers: int) -> NDArray[np.float64]:
    """Waits in a queue of ``workers`` servers that each take exactly the service time.

    When all services take the same time, requests start in the order of arrival and each server gets every
    ``workers``-th request. So Lindley's recursion holds for each server alone.
    """
    waits = np.empty(arrivals_ms.size)
    for server in range(workers):
        gaps = np.diff(arrivals_ms[server::workers])
        walk = np.concatenate([[0.0], np.cumsum(_SERVICE_MS - gaps)])
        waits[server::workers] = walk - np.minimum.accumulate(walk)
    return waits


def replayed_waits(load: LoadMeasurement) -> NDArray[np.float64]:
    """Waits in an ideal queue with the run's arrivals and service times, by Kiefer and Wolfowitz's recursion."""
    free = [0.0] * load.workers
    waits = []
    for arrival, service in zip(load.arrivals_ms.tolist(), load.service_ms.tolist(), strict=True):
        start = max(arrival, heapq.heappop(free))
        heapq.heappush(free, start + service)
        waits.append(start - arrival)
    return np.array(waits)


def mean_wait(utilisation: float, workers: int) -> float:
    """Mean wait in the long run: by formula for one worker, from a simulation of 4 million arrivals for more."""
    if workers == 1:
        return _SERVICE_MS * utilisation / (2 * (1 - utilisation))
    rate = utilisation * workers / _SERVICE_MS
    arrivals = np.cumsum(np.random.default_rng(0).exponential(1 / rate, _REFERENCE_ARRIVALS))
    return float(fixed_service_waits(arrivals, workers).mean())


def compare(workers: int, seconds: float) -> tuple[list[Comparison], Environment]:
    """One run of the load generator for each utilisation, all with the same worker processes; and where that was."""
    requests = {"request": np.zeros((1, 1), np.float32)}
    limits = Limits(seconds=60 + 2 * seconds * len(_UTILISATIONS))
    comparisons = []
    with open_deployment(
        FixedService(_SERVICE_MS / 1000), requests, workers=workers, threads=1, limits=limits
    ) as deployment:
        for number, utilisation in enumerate(_UTILISATIONS):
            rate = 1000 * utilisation * workers / _SERVICE_MS
            arrivals = poisson_arrivals(rate, seconds, seed=number)
            load = deployment.load(arrivals, rate_rps=rate)
            ideal = fixed_service_waits(load.arrivals_ms, workers)
            theory = mean_wait(utilisation, workers)
            comparisons.append(Comparison(utilisation, theory, ideal, replayed_waits(load), load))
    return comparisons, deployment.environment


def table(comparisons: list[Comparison]) -> list[str]:
    """The comparisons as lines of Markdown; times in milliseconds."""
    header = (
        "utilisation", "measured utilisation", "requests", "mean wait: theory", "same arrivals",
        "same arrivals and services", "measured", "p95 latency: same arrivals", "measured (95 % interval)",
        "added per request: p50", "p99",
    )  # fmt: skip
    return [_row(header), _row(["---:"] * len(header)), *(_row(_cells(comparison)) for comparison in comparisons)]


def _cells(comparison: Comparison) -> list[str]:
    load = comparison.load
    waits = load.latencies_ms - load.service_ms
    added = np.percentile(load.dispatch_ms, [50, 99])
    settled = comparison.ideal_ms[waits.size // 10 :]
    return [
        f"{comparison.utilisation:.1f}",
        f"{load.utilisation:.3f}",
        f"{waits.size:,}",
        f"{comparison.theory_ms:.3f}",
        f"{comparison.ideal_ms.mean():.3f}",
        f"{comparison.replayed_ms.mean():.3f}",
        f"{waits.mean():.3f}" + (" (saturated)" if load.is_saturated else ""),
        f"{np.percentile(settled, 95) + _SERVICE_MS:.3f}",
        _percentile(load),
        f"{added[0]:.4f}",
        f"{added[1]:.4f}",
    ]


def _percentile(load: LoadMeasurement) -> str:
    try:
        p95 = loaded_percentile(load, 95)
    except MeasurementError:
        return "saturated" if load.is_saturated else "refused: too few independent requests"
    return f"{p95.value:.3f} ({p95.low:.3f} to {p95.high:.3f})"


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _page(sections: list[str], environments: list[Environment], seconds: float) -> str:
    command = f"python studies/benchmarks/load_generator.py --seconds {seconds:g}"
    title = "The load generator against queueing theory"
    return results_page(title, command, _ABOUT, sections, pooled_record(environments))


def main() -> None:
    """Print the tables and write them to the page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=9.0, help="of traffic at each utilisation")
    parser.add_argument("--output", type=Path, default=_RESULTS, help="the page to write")
    arguments = parser.parse_args()
    sections: list[str] = []
    environments: list[Environment] = []
    for workers in _WORKERS:
        comparisons, environment = compare(workers, arguments.seconds)
        sections += [f"## M/D/{workers}", "", *table(comparisons), ""]
        environments.append(environment)
    page = _page(sections, environments, arguments.seconds)
    publish(page, arguments.output)


if __name__ == "__main__":
    main()
