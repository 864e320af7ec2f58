"""A deployment is measured as it would be served: in processes of its own, on real requests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paretoopt.candidate import Progress
from paretoopt.errors import MeasurementError
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.program import Limits
from paretoopt.measurement.serving import measure_serving

MakeRecommender = Callable[..., Path]
MeasuredPids = Callable[[int], list[int]]
Histories = dict[str, np.ndarray]

_ONE = {"x": np.ones((1, 1), np.float32)}


def test_as_many_requests_are_timed_as_are_asked_for(make_recommender: MakeRecommender, histories: Histories) -> None:
    """As many latencies come back as were asked for, or more, and they are read-only."""
    measured = measure_serving(make_recommender(), histories, n_requests=700, budget_seconds=60)

    assert measured.latencies_ms.size >= 700
    assert (measured.latencies_ms > 0).all()
    assert not measured.latencies_ms.flags.writeable


def test_budget_leaves_enough_for_the_95th_percentile(make_recommender: MakeRecommender, histories: Histories) -> None:
    """With no time at all, the p95 is supported."""
    measured = measure_serving(make_recommender(), histories, budget_seconds=0, workers=2)

    assert latency_percentile(measured.latencies_ms, 95).value > 0


def test_budget_leaves_enough_for_a_higher_percentile_where_it_is_wanted(
    make_recommender: MakeRecommender, histories: Histories
) -> None:
    """With no time at all and the p99 wanted, the p99 is supported."""
    measured = measure_serving(make_recommender(), histories, budget_seconds=0, least_percentile=99)

    assert latency_percentile(measured.latencies_ms, 99).value > 0


def test_fewer_requests_are_enough_once_the_percentile_is_precise(
    make_recommender: MakeRecommender, histories: Histories
) -> None:
    """With a precision that any sample reaches, a run that would take half a minute ends at its first look."""
    measured = measure_serving(
        make_recommender(), histories, n_requests=10**9, budget_seconds=30, relative_precision=1e9
    )

    assert latency_percentile(measured.latencies_ms, 95).value > 0
    assert measured.latencies_ms.sum() < 10_000


def test_budget_ends_a_run_that_does_not_get_precise(make_recommender: MakeRecommender, histories: Histories) -> None:
    """A precision that no sample reaches costs the budget and no more."""
    measured = measure_serving(
        make_recommender(), histories, n_requests=10**9, budget_seconds=0.5, relative_precision=1e-9, workers=2
    )

    assert 130 <= measured.latencies_ms.size < 10**9


def test_throughput_of_one_worker_agrees_with_its_latencies(
    make_recommender: MakeRecommender, histories: Histories
) -> None:
    """A single closed loop cannot serve faster than one request per mean latency."""
    measured = measure_serving(make_recommender(), histories)

    assert 0 < measured.throughput_rps <= 1000 / measured.latencies_ms.mean() * 1.01


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_is_the_artifact_in_every_worker(
    make_recommender: MakeRecommender, histories: Histories, workers: int
) -> None:
    """A table of 39 MiB adds 39 MiB and little more to each runtime."""
    measured = measure_serving(make_recommender(n_items=160_000), histories, workers=workers, n_requests=200)

    assert measured.artifact_mib == pytest.approx(39.1, abs=0.1)
    assert workers * 38 < measured.memory_after_load_mib < workers * 48
    assert workers * 38 < measured.memory_mib < workers * 48


def test_memory_does_not_count_the_requests(make_recommender: MakeRecommender) -> None:
    """The requests are the client's memory: 61 MiB of them add nothing to the deployment."""
    many = {"history": np.random.default_rng(0).integers(0, 1000, (1_000_000, 8))}

    measured = measure_serving(make_recommender(), many, n_requests=1_000_000, budget_seconds=0.1)

    assert measured.memory_mib < 30


def test_peak_does_not_count_the_requests(make_recommender: MakeRecommender, histories: Histories) -> None:
    """100 MiB of requests in each of two workers move the peak no more than the few that are timed do."""
    many = {"history": np.tile(histories["history"], (3300, 1))}
    model = make_recommender()

    few, large = (
        measure_serving(model, requests, n_requests=len(requests["history"]), workers=2, budget_seconds=0.1)
        for requests in (histories, many)
    )

    assert large.memory_peak_mib == pytest.approx(few.memory_peak_mib, abs=20)


def test_peak_counts_what_loading_takes_for_a_moment(make_recommender: MakeRecommender, histories: Histories) -> None:
    """While a table of 39 MiB is loaded, the file's copy stands beside it; after that it is gone."""
    measured = measure_serving(make_recommender(n_items=160_000), histories, n_requests=200)

    assert measured.memory_peak_mib > measured.memory_total_mib + 30


def test_total_memory_counts_shared_pages_once(make_recommender: MakeRecommender, histories: Histories) -> None:
    """Two workers take less than twice one worker, and at least the private memory of both."""
    one, two = (measure_serving(make_recommender(), histories, n_requests=200, workers=n) for n in (1, 2))

    assert one.memory_total_mib < two.memory_total_mib < 2 * one.memory_total_mib
    assert two.memory_total_mib > two.memory_mib + 2 * two.memory_baseline_mib
    assert two.memory_peak_mib >= two.memory_total_mib


def test_more_workers_than_cores_share_them(make_recommender: MakeRecommender, histories: Histories) -> None:
    """Workers that outnumber the cores still all serve."""
    workers = len(os.sched_getaffinity(0)) + 1

    measured = measure_serving(make_recommender(), histories, n_requests=300, workers=workers)

    assert measured.workers == workers
    assert measured.latencies_ms.size >= 130


def test_fewer_requests_than_workers_are_served_again(make_recommender: MakeRecommender, histories: Histories) -> None:
    """One request is enough for two workers: each repeats it."""
    one = {"history": histories["history"][:1]}

    assert measure_serving(make_recommender(), one, n_requests=200, workers=2).latencies_ms.size > 130


def test_measurement_tells_where_it_was_taken(make_recommender: MakeRecommender, histories: Histories) -> None:
    """The environment names the cores that the workers ran on."""
    measured = measure_serving(make_recommender(), histories, n_requests=200)

    assert set(measured.environment.cores_used) <= os.sched_getaffinity(0)


def test_measured_processes_hold_no_torch(
    make_recommender: MakeRecommender, histories: Histories, measured_pids: MeasuredPids
) -> None:
    """While traffic runs, no measured process has a torch library mapped."""
    mapped: list[str] = []

    def look(progress: Progress) -> None:
        if "end of traffic" in progress.message:
            mapped.extend(Path(f"/proc/{pid}/maps").read_text() for pid in measured_pids(os.getpid()))

    measure_serving(make_recommender(), histories, n_requests=200, listener=look)

    assert len(mapped) == 2
    assert "onnxruntime" in "".join(mapped)
    assert "torch" not in "".join(mapped)


def test_artifact_that_never_answers_is_given_up(endless_model: Path, measured_pids: MeasuredPids) -> None:
    """A hanging artifact is killed at the limit, and the error says in which phase."""
    with pytest.raises(MeasurementError, match="worker 0 did not reach the end of warm-up within the limit of 3 s"):
        measure_serving(endless_model, _ONE, limits=Limits(seconds=3))

    assert measured_pids(os.getpid()) == []


def test_artifact_that_takes_too_much_memory_is_given_up(greedy_model: Path, measured_pids: MeasuredPids) -> None:
    """An artifact that needs 2 GiB does not get them under a limit of 500 MiB."""
    with pytest.raises(MeasurementError, match="worker 0 exceeded its limit of 500 MiB"):
        measure_serving(greedy_model, _ONE, limits=Limits(seconds=60, memory_mib=500))

    assert measured_pids(os.getpid()) == []


def test_killed_worker_ends_the_measurement(
    make_recommender: MakeRecommender, histories: Histories, measured_pids: MeasuredPids
) -> None:
    """When one of two workers is killed, the measurement says so and the other dies as well."""

    def kill(progress: Progress) -> None:
        if "end of traffic" in progress.message:
            os.kill(min(measured_pids(os.getpid())), signal.SIGKILL)

    with pytest.raises(MeasurementError, match="was ended by SIGKILL"):
        measure_serving(make_recommender(), histories, workers=2, n_requests=10**9, budget_seconds=50, listener=kill)

    assert measured_pids(os.getpid()) == []


def test_corrupt_artifact_is_reported(tmp_path: Path, histories: Histories) -> None:
    """A file that is no ONNX model is a failed measurement with ONNX Runtime's reason."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")

    with pytest.raises(MeasurementError, match="worker 0 failed: InvalidProtobuf"):
        measure_serving(path, histories)


def test_requests_that_the_artifact_does_not_take_are_reported(make_recommender: MakeRecommender) -> None:
    """An unknown input is named."""
    with pytest.raises(MeasurementError, match=r"Required inputs .*history"):
        measure_serving(make_recommender(), _ONE)


def test_bad_arguments_are_refused(make_recommender: MakeRecommender, histories: Histories, tmp_path: Path) -> None:
    """Counts below one, a missing file and bad requests are refused before any process starts."""
    model = make_recommender()
    with pytest.raises(MeasurementError, match="no artifact at"):
        measure_serving(tmp_path / "absent.onnx", histories)
    with pytest.raises(MeasurementError, match="workers must be at least 1, but got 0"):
        measure_serving(model, histories, workers=0)
    with pytest.raises(MeasurementError, match="threads must be at least 1, but got 0"):
        measure_serving(model, histories, threads=0)
    with pytest.raises(MeasurementError, match="n_requests must be at least 1, but got 0"):
        measure_serving(model, histories, n_requests=0)
    with pytest.raises(MeasurementError, match="no requests to serve"):
        measure_serving(model, {})


def test_fingerprints_do_not_depend_on_load(make_recommender: MakeRecommender, histories: Histories) -> None:
    """A busy moment on the same machine is the same environment; other cores are another one."""
    environment = measure_serving(make_recommender(), histories, n_requests=200).environment

    assert replace(environment, load_average=9.0, share_of_others=0.5).fingerprint == environment.fingerprint
    assert replace(environment, cores_used=(0, 1, 2)).fingerprint != environment.fingerprint
