"""Closed-loop traffic: different requests in shuffled order, counted while all workers serve."""

from __future__ import annotations

import gc
import threading
import time
from itertools import islice
from pathlib import Path

import numpy as np

from paretoopt.measurement.effort import Effort
from paretoopt.measurement.traffic import Feed, feeds, serve, warm_up

_REQUESTS: Feed = {"x": np.arange(5)}


def test_every_request_is_sent_before_any_is_sent_again() -> None:
    """Two rounds send each request twice; the second round has another order."""
    sent = [int(feed["x"][0]) for feed in islice(feeds({"x": np.arange(50)}, range(50), seed=0), 100)]

    assert sent[:50] == list(range(50))
    assert sorted(sent[50:]) == list(range(50))
    assert sent[50:] != sent[:50]


def test_requests_keep_their_batch_axis() -> None:
    """A request is a batch of one."""
    assert next(feeds({"x": np.zeros((3, 7))}, range(3), seed=0))["x"].shape == (1, 7)


def test_warm_up_is_bounded() -> None:
    """A server that never settles is warmed up with at most 500 requests."""
    served = []

    def unsteady(_: None, feed: Feed) -> None:
        served.append(feed)
        time.sleep(0.003 if len(served) // 10 % 2 else 0.001)

    warmed_up = warm_up(unsteady, feeds(_REQUESTS, range(5), seed=0))

    assert warmed_up.n_requests == len(served) <= 500
    assert not warmed_up.is_stable


def test_warm_up_ends_when_three_blocks_take_the_same_time() -> None:
    """A server that takes 2 ms for every request is warm after a few blocks, long before the most that are served."""
    warmed_up = warm_up(lambda *_: time.sleep(0.002), feeds(_REQUESTS, range(5), seed=0))

    assert warmed_up.is_stable
    assert 30 <= warmed_up.n_requests < 500


def test_garbage_collector_is_off_while_requests_are_timed(tmp_path: Path) -> None:
    """No collection falls into a request, and the collector is on again afterwards."""
    (tmp_path / "progress").write_bytes(bytes(1))
    states = []

    starts, ends = serve(
        lambda *_: states.append(gc.isenabled()),
        feeds(_REQUESTS, range(5), seed=0),
        effort=Effort(n_requests=20, least_requests=5, least_seconds=0, budget_seconds=60),
        progress_path=tmp_path / "progress",
        worker=0,
    )

    assert len(starts) == len(ends) == 22
    assert not any(states)
    assert gc.isenabled()


def test_workers_serve_their_parts_while_all_of_them_run(tmp_path: Path) -> None:
    """A worker that is a thousand times slower still finds the fast one serving during all of its part."""
    (tmp_path / "progress").write_bytes(bytes(2))
    times: dict[int, np.ndarray] = {}

    def work(worker: int, seconds: float) -> None:
        traffic = feeds(_REQUESTS, range(5), seed=worker)
        effort = Effort(n_requests=10, least_requests=10, least_seconds=0, budget_seconds=60)
        path = tmp_path / "progress"
        times[worker] = np.array(
            serve(lambda *_: time.sleep(seconds), traffic, effort=effort, progress_path=path, worker=worker)
        )

    threads = [threading.Thread(target=work, args=arguments) for arguments in ((0, 0.00001), (1, 0.01))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    begin = max(starts[0] for starts, _ in times.values())
    end = min(ends[-1] for _, ends in times.values())
    assert all(((starts >= begin) & (ends <= end)).sum() >= 10 for starts, ends in times.values())
