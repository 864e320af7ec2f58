"""Closed-loop traffic: one request at a time, the next when the last is answered."""

from __future__ import annotations

import gc
import mmap
import random
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.measurement.effort import Effort
from paretoopt.measurement.precision import Precision

Feed = dict[str, NDArray[np.generic]]
"""The inputs of one request."""

Answer = Callable[[None, Feed], Any]  # ONNX Runtime's ``session.run``; what it returns is not looked at.

_BLOCK = 10
_STABLE_WITHIN = 0.05
_MOST_WARMUP_REQUESTS = 500
_MOST_WARMUP_SECONDS = 0.3
_LEAD_IN_REQUESTS = 5
# Each look costs a sort, and each is one more chance to stop too early by luck: so there are few.
_LOOK_GROWTH = 1.25

_RUNNING, _DONE = 1, 2


def feeds(requests: Feed, order: Sequence[int], *, seed: int) -> Iterator[Feed]:
    """The requests in the given order, then again in other orders, without end."""
    # numpy.random would add 2 MiB to the worker's private memory, and so to the deployment's; a list of a million
    # positions would add 35 MiB to its peak.
    shuffle = random.Random(seed).shuffle
    yield from _singles(requests, order)
    positions = array("q", order)
    while True:
        shuffle(positions)
        yield from _singles(requests, positions)


def _singles(requests: Feed, positions: Sequence[int]) -> Iterator[Feed]:
    for position in positions:
        yield {name: stacked[position : position + 1] for name, stacked in requests.items()}


@dataclass(frozen=True)
class WarmUp:
    """What was served before anything counts.

    Attributes:
        n_requests: Requests served.
        is_stable: Whether the last three blocks of them had medians within 5 %.
    """

    n_requests: int
    is_stable: bool


def warm_up(answer: Answer, traffic: Iterator[Feed]) -> WarmUp:
    """Serve until three blocks of requests in a row have medians within 5 %, or a bound is reached."""
    medians: list[float] = []
    is_stable = False
    began = time.perf_counter()
    while not is_stable and len(medians) * _BLOCK < _MOST_WARMUP_REQUESTS:
        medians.append(median(_timed(answer, next(traffic)) for _ in range(_BLOCK)))
        last = medians[-3:]
        is_stable = len(last) == 3 and max(last) <= min(last) * (1 + _STABLE_WITHIN)
        if time.perf_counter() - began > _MOST_WARMUP_SECONDS:
            break
    return WarmUp(len(medians) * _BLOCK, is_stable)


def serve(
    answer: Answer,
    traffic: Iterator[Feed],
    *,
    effort: Effort,
    progress_path: Path,
    worker: int,
    precision: Precision | None = None,
) -> tuple[array[int], array[int]]:
    """Serve requests and time each, while all other workers do the same.

    The effort is made after every worker has served its first request, and the last request is served after every
    worker has made its effort. So in the time that all workers have in common, each serves its part.

    Args:
        answer: Serves one request.
        traffic: The requests.
        effort: How long to serve.
        progress_path: File with one byte per worker, which the workers map to see each other's progress.
        worker: This worker's number.
        precision: The precision at which less effort is enough; None to make all of it.

    Returns:
        Start and end of each request, in nanoseconds of the machine's monotonic clock.
    """
    with progress_path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as progress:
        gc.collect()
        gc.disable()
        try:
            for _ in range(_LEAD_IN_REQUESTS):
                answer(None, next(traffic))
            return _timed_requests(answer, traffic, effort, precision, progress, worker)
        finally:
            gc.enable()


def _timed_requests(
    answer: Answer,
    traffic: Iterator[Feed],
    effort: Effort,
    precision: Precision | None,
    progress: mmap.mmap,
    worker: int,
) -> tuple[array[int], array[int]]:
    starts, ends = array("q"), array("q")
    clock = time.perf_counter_ns

    def serve_one() -> None:
        feed = next(traffic)
        start = clock()
        answer(None, feed)
        ends.append(clock())
        starts.append(start)

    serve_one()
    progress[worker] = _RUNNING
    while min(progress[:]) < _RUNNING:
        serve_one()
    n_before, began = len(ends), clock()
    least_at_look = effort.least_requests
    while not effort.is_made(n_served := len(ends) - n_before, seconds := (clock() - began) / 1e9):
        if precision is not None and n_served >= least_at_look and seconds >= effort.least_seconds:
            if precision.is_reached(np.subtract(ends, starts)):
                break
            least_at_look = ceil(n_served * _LOOK_GROWTH)
        serve_one()
    progress[worker] = _DONE
    while min(progress[:]) < _DONE:
        serve_one()
    serve_one()
    return starts, ends


def _timed(answer: Answer, feed: Feed) -> float:
    start = time.perf_counter_ns()
    answer(None, feed)
    return float(time.perf_counter_ns() - start)
