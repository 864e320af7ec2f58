"""What workers recorded under load becomes latencies from the intended arrival, or a saturated run."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.load_measurement import LoadMeasurement, load_measurement

_MS = 1_000_000


def _measure(arrivals_ms: list[float], service_ms: float, *, workers: int = 1, n_served: int = -1) -> LoadMeasurement:
    """A run of workers that take exactly ``service_ms`` and add nothing; the first ``n_served`` are served."""
    free = np.zeros(workers)
    rows = []
    for number, arrival in enumerate(arrivals_ms[: n_served if n_served >= 0 else None]):
        worker = int(free.argmin())
        start = max(free[worker], arrival)
        rows.append((number, free[worker] * _MS, start * _MS, (start + service_ms) * _MS))
        free[worker] = start + service_ms
    return load_measurement(
        (np.array(arrivals_ms) * _MS).astype(np.int64),
        np.array(rows[::-1]).astype(np.int64),
        rate_rps=1000.0,
        workers=workers,
        threads=1,
        environment=current_environment([0]),
    )


def test_latency_counts_from_the_intended_arrival() -> None:
    """A request that waits for 3 ms behind two others and is served in 2 ms took 5 ms."""
    load = _measure([10, 10, 11, 30], service_ms=2)

    assert load.latencies_ms.tolist() == [2, 4, 5, 2]
    assert load.service_ms.tolist() == [2, 2, 2, 2]
    assert load.dispatch_ms.tolist() == [0, 0, 0, 0]
    assert not load.latencies_ms.flags.writeable


def test_utilisation_is_the_work_that_arrives_per_worker() -> None:
    """Ten requests of 4 ms in 100 ms keep one worker busy for 40 % and two for 20 %."""
    arrivals = [10.0 * number for number in range(1, 11)]

    assert _measure(arrivals, 4).utilisation == pytest.approx(0.4)
    assert _measure(arrivals, 4, workers=2).utilisation == pytest.approx(0.2)


def test_rate_is_what_was_answered_by_the_last_arrival() -> None:
    """One worker of 10 ms answers 10 of 20 requests that arrive in 100 ms."""
    load = _measure([5.0 * number for number in range(1, 21)], service_ms=10)

    assert load.achieved_rps == pytest.approx(90)


@pytest.mark.parametrize(
    ("service_ms", "n_served", "is_saturated"),
    [
        (1.0, -1, False),  # There is time between the requests.
        (5.1, -1, True),  # More work arrives than can be done.
        (4.99, -1, False),  # Just so.
        (1.0, 15, True),  # Some were left unserved.
    ],
)
def test_run_is_saturated_when_the_queue_grew_to_its_end(service_ms: float, n_served: int, is_saturated: bool) -> None:
    """Utilisation of 1 or above and unserved requests are saturation; being almost always busy is not."""
    arrivals = [5.0 * number for number in range(1, 21)]

    assert _measure(arrivals, service_ms, n_served=n_served).is_saturated is is_saturated


def test_run_whose_queue_never_empties_is_saturated() -> None:
    """A backlog from the begin that lasts to the end leaves no request that found a worker free."""
    arrivals = [100.0] * 30 + [100 + 2.0 * number for number in range(1, 40)]

    load = _measure(arrivals, service_ms=1.5)

    assert load.utilisation < 1
    assert load.is_saturated


@pytest.mark.parametrize("numbers", [[0, 0, 1], [0, 2], []])
def test_requests_served_twice_or_never_are_refused(numbers: list[int]) -> None:
    """A queue that loses or repeats requests measures nothing."""
    served = np.array([(number, 0, 0, 1) for number in numbers], np.int64).reshape(-1, 4)

    with pytest.raises(MeasurementError, match="did not serve each request of their queue exactly once"):
        load_measurement(np.arange(3), served, rate_rps=1, workers=1, threads=1, environment=current_environment([0]))
