"""Under open-loop load, what is measured is a queue that is served first come, first served, and nothing else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.candidate import Progress
from paretoopt.errors import MeasurementError
from paretoopt.measurement.deployment import open_deployment
from paretoopt.measurement.fixed_service import FixedService
from paretoopt.measurement.load import measure_load
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.load_percentiles import loaded_percentile
from paretoopt.measurement.program import Limits

MakeRecommender = Callable[..., Path]
MeasuredPids = Callable[[int], list[int]]
Histories = dict[str, np.ndarray]

_ONE = {"x": np.ones((1, 1), np.float32)}
_SERVICE = FixedService(0.002)


def _replayed_latencies(load: LoadMeasurement) -> np.ndarray:
    """What a queue served first come, first served gives for the recorded arrivals and work (Kiefer, Wolfowitz)."""
    free = np.zeros(load.workers)
    latencies = []
    for arrival, work in zip(load.arrivals_ms, load.dispatch_ms + load.service_ms, strict=True):
        worker = free.argmin()
        free[worker] = max(free[worker], arrival) + work
        latencies.append(free[worker] - arrival)
    return np.array(latencies)


def test_latencies_of_one_worker_are_those_of_a_queue() -> None:
    """Lindley's recursion over the recorded work gives each measured latency, to the microsecond."""
    load = measure_load(_SERVICE, _ONE, rate_rps=200, seconds=1)

    replayed = _replayed_latencies(load)

    assert load.latencies_ms.size == 200
    assert np.abs(replayed - load.latencies_ms)[1:].max() < 0.001


def test_two_workers_serve_one_queue() -> None:
    """A typical latency is that of two servers with one queue, and less than two queues would give."""
    load = measure_load(_SERVICE, _ONE, rate_rps=400, seconds=1, workers=2)

    errors = np.abs(_replayed_latencies(load) - load.latencies_ms)

    assert load.latencies_ms.size == 400
    assert np.median(errors) < 0.1 * load.service_ms.min()


def test_measurement_adds_little_to_the_work() -> None:
    """A request that nothing else disturbs starts within a twentieth of its service time after it could."""
    load = measure_load(_SERVICE, _ONE, rate_rps=100, seconds=1)

    assert (load.dispatch_ms >= 0).all()
    assert np.quantile(load.dispatch_ms, 0.1) < 0.05 * load.service_ms.min()


def test_latency_without_a_queue_is_the_service_time() -> None:
    """When a request comes every 20 service times, one that nothing else disturbs waits for nothing."""
    load = measure_load(_SERVICE, _ONE, rate_rps=25, seconds=2)

    assert np.quantile(load.latencies_ms, 0.1) == pytest.approx(np.quantile(load.service_ms, 0.1), rel=0.05)
    assert not load.is_saturated


def test_service_takes_at_least_its_fixed_time() -> None:
    """The stand-in is never faster than it says."""
    load = measure_load(_SERVICE, _ONE, rate_rps=100, seconds=1)

    assert load.service_ms.min() >= 2


def test_rate_beyond_the_capacity_is_reported_as_saturated() -> None:
    """At three times the capacity the run says so, in bounded time, and refuses percentiles."""
    load = measure_load(_SERVICE, _ONE, rate_rps=1500, seconds=1)

    assert load.is_saturated
    assert load.utilisation > 1
    assert load.achieved_rps < 1000
    assert load.n_unserved > 0
    with pytest.raises(MeasurementError, match=r"no p50 at 1500 requests per second: 1 worker\(s\) are saturated"):
        loaded_percentile(load, 50)


def test_artifact_is_served_under_load(make_recommender: MakeRecommender, histories: Histories) -> None:
    """A real artifact at a modest rate has a median latency no less than its median service time."""
    load = measure_load(make_recommender(), histories, rate_rps=200, seconds=1, workers=2)

    assert load.latencies_ms.size == 200
    assert (load.latencies_ms >= load.service_ms).all()
    assert set(load.environment.cores_used) <= os.sched_getaffinity(0)


def test_arrivals_depend_on_the_seed_only(make_recommender: MakeRecommender, histories: Histories) -> None:
    """Two runs with the same seed get the same arrivals, whatever they serve."""
    one = measure_load(make_recommender(), histories, rate_rps=100, seconds=0.5, seed=7)
    other = measure_load(_SERVICE, _ONE, rate_rps=100, seconds=0.5, seed=7)

    np.testing.assert_array_equal(one.arrivals_ms, other.arrivals_ms)


def test_more_workers_than_cores_share_them() -> None:
    """Workers that outnumber the cores serve the queue together, without looking at the clock in between."""
    workers = len(os.sched_getaffinity(0)) + 1

    load = measure_load(_SERVICE, _ONE, rate_rps=100, seconds=0.5, workers=workers)

    assert load.workers == workers
    assert load.latencies_ms.size == 50


def test_workers_stay_alive_from_one_load_to_the_next(measured_pids: MeasuredPids) -> None:
    """A deployment that is up serves several loads with the same processes, and ends with its block."""
    with open_deployment(_SERVICE, _ONE, workers=2, threads=1, limits=Limits(seconds=60)) as deployment:
        before = measured_pids(os.getpid())
        alone = deployment.back_to_back(0.1, least_requests=30, active_workers=1)
        sizes = [deployment.load(np.arange(1, n + 1) * 5_000_000, rate_rps=200).latencies_ms.size for n in (40, 20, 30)]
        after = measured_pids(os.getpid())

    assert len(before) == 2
    assert before == after
    assert sizes == [40, 20, 30]
    assert alone.service_ms.size >= 30
    assert 0 < alone.rate_rps <= 500
    assert measured_pids(os.getpid()) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_worker_that_dies_under_load_ends_the_measurement(measured_pids: MeasuredPids, how: signal.Signals) -> None:
    """The error names the signal, the other worker dies too, and the next can measure."""

    def kill(progress: Progress) -> None:
        if "requests per second" in progress.message:
            os.kill(min(measured_pids(os.getpid())), how)

    began = time.monotonic()
    with pytest.raises(MeasurementError, match=f"was ended by {how.name}"):
        measure_load(_SERVICE, _ONE, rate_rps=100, seconds=50, workers=2, listener=kill)

    assert time.monotonic() - began < 50
    assert measured_pids(os.getpid()) == []
    assert measure_load(_SERVICE, _ONE, rate_rps=100, seconds=0.1).n_unserved == 0


def test_load_that_outlasts_its_limit_is_given_up(measured_pids: MeasuredPids) -> None:
    """The limit holds while requests arrive, too."""
    with pytest.raises(MeasurementError, match="did not reach the end of traffic within the limit of 4 s"):
        measure_load(_SERVICE, _ONE, rate_rps=10, seconds=100, limits=Limits(seconds=4))

    assert measured_pids(os.getpid()) == []


def test_artifact_that_takes_too_much_memory_is_given_up(greedy_model: Path) -> None:
    """The memory limit holds under load as well."""
    with pytest.raises(MeasurementError, match="worker 0 exceeded its limit of 500 MiB"):
        measure_load(greedy_model, _ONE, rate_rps=10, seconds=1, limits=Limits(seconds=60, memory_mib=500))


def test_bad_arguments_are_refused(make_recommender: MakeRecommender, histories: Histories, tmp_path: Path) -> None:
    """Counts below one, a missing file, bad requests and bad rates are refused before any process starts."""
    model = make_recommender()
    with pytest.raises(MeasurementError, match="no artifact at"):
        measure_load(tmp_path / "absent.onnx", histories, rate_rps=1)
    with pytest.raises(MeasurementError, match="workers must be at least 1, but got 0"):
        measure_load(model, histories, rate_rps=1, workers=0)
    with pytest.raises(MeasurementError, match="no requests to serve"):
        measure_load(model, {}, rate_rps=1)
    with pytest.raises(MeasurementError, match="rate_rps must be above 0"):
        measure_load(model, histories, rate_rps=0)
    with pytest.raises(MeasurementError, match="FixedService needs seconds above 0"):
        FixedService(0)
