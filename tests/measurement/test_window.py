"""Only what happened while all workers ran counts."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.window import common_window

_MS = 1_000_000


def _worker(first: int, latency_ms: int, n_requests: int) -> np.ndarray:
    starts = first * _MS + np.arange(n_requests) * latency_ms * _MS
    return np.array([starts, starts + latency_ms * _MS])


def test_rates_of_the_workers_add_up() -> None:
    """A worker of 2 ms and one of 5 ms serve 500 + 200 requests per second."""
    latencies, throughput = common_window([_worker(0, 2, 1000), _worker(3, 5, 400)])

    assert throughput == pytest.approx(700, rel=0.01)
    assert set(latencies) == {2.0, 5.0}


def test_workers_that_take_turns_do_not_add_up() -> None:
    """Two workers of one core that serve 100 requests of 1 ms in turns serve 1,000 per second, not 2,000."""
    turns = np.concatenate([_worker(200 * turn, 1, 100) for turn in range(10)], axis=1)
    between = np.concatenate([_worker(200 * turn + 100, 1, 100) for turn in range(10)], axis=1)

    assert common_window([turns, between])[1] == pytest.approx(1000, rel=0.01)


def test_requests_outside_the_common_time_are_left_out() -> None:
    """Of a worker that runs from 0 to 200 ms, only what lies within the other's 50 to 100 ms counts."""
    latencies, _ = common_window([_worker(0, 10, 20), _worker(50, 10, 5)])

    assert latencies.size == 10


def test_workers_that_never_met_are_refused() -> None:
    """Without a common time there is no joint rate."""
    with pytest.raises(MeasurementError, match="never served at the same time"):
        common_window([_worker(0, 10, 5), _worker(100, 10, 5)])
