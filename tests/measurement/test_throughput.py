"""The greatest rate held within a latency bound lies between what was held and what was not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.candidate import Progress
from paretoopt.errors import MeasurementError
from paretoopt.measurement.fixed_service import FixedService
from paretoopt.measurement.throughput import find_throughput

MeasuredPids = Callable[[int], list[int]]

_ONE = {"x": np.ones((1, 1), np.float32)}
_SERVICE = FixedService(0.001)


def test_rate_found_was_held_within_the_bound() -> None:
    """The value is the rate of a probe whose p95 is surely within the bound, below what the worker can do at all."""
    found = find_throughput(_SERVICE, _ONE, bound_ms=100, budget_seconds=3)

    (held,) = (probe for probe in found.probes if probe.rate_rps == found.throughput_rps.value)
    assert held.verdict == "held"
    assert held.latency_ms is not None
    assert held.latency_ms.high is not None
    assert held.latency_ms.high <= 100
    assert 0 < found.throughput_rps.value < 1000
    assert found.reason == ""


def test_interval_ends_at_a_rate_that_was_not_held() -> None:
    """The upper end is beyond the value, and so is every rate that broke the bound."""
    found = find_throughput(_SERVICE, _ONE, bound_ms=20, budget_seconds=3)

    assert found.throughput_rps.high is not None
    assert found.throughput_rps.low == found.throughput_rps.value < found.throughput_rps.high


def test_bound_below_a_lone_request_gives_no_throughput() -> None:
    """Where even a request that meets no other takes longer, the throughput is 0 and the reason says so."""
    found = find_throughput(_SERVICE, _ONE, bound_ms=0.5, budget_seconds=1)

    assert found.throughput_rps.value == 0
    assert found.probes == ()
    assert "p95 of requests that meet no other is" in found.reason
    assert "beyond the bound of 0.5 ms" in found.reason


def test_workers_share_the_rate(make_recommender: Callable[..., Path]) -> None:
    """A real artifact in two workers is searched as one deployment; each probe has its arrivals."""
    requests = {"history": np.random.default_rng(1).integers(0, 1000, (500, 8))}

    found = find_throughput(make_recommender(), requests, bound_ms=200, workers=2, budget_seconds=1)

    assert 1 <= len(found.probes) <= 7
    assert found.probes[0].rate_rps == pytest.approx(0.625 * found.back_to_back_rps)
    assert found.environment.cores_used


def test_worker_that_dies_ends_the_search(measured_pids: MeasuredPids) -> None:
    """A crash between two rates is a failed measurement that leaves no process."""

    def kill(progress: Progress) -> None:
        if progress.fraction:
            os.kill(min(measured_pids(os.getpid())), signal.SIGKILL)

    with pytest.raises(MeasurementError, match="was ended by SIGKILL"):
        find_throughput(_SERVICE, _ONE, bound_ms=100, workers=2, budget_seconds=5, listener=kill)

    assert measured_pids(os.getpid()) == []


def test_bound_and_percentile_must_make_sense() -> None:
    """A bound of nothing and a percentile of everything are refused before any process starts."""
    with pytest.raises(MeasurementError, match="bound_ms must be above 0 and finite, but got 0"):
        find_throughput(_SERVICE, _ONE, bound_ms=0)
    with pytest.raises(MeasurementError, match="budget_seconds must be above 0"):
        find_throughput(_SERVICE, _ONE, bound_ms=1, budget_seconds=0)
    with pytest.raises(MeasurementError, match="from 50 to below 100"):
        find_throughput(_SERVICE, _ONE, bound_ms=1, percentile=100)
