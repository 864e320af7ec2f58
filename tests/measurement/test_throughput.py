"""The greatest rate held within a latency bound lies between what was held and what was not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paretoopt.candidate import Measurement, Progress
from paretoopt.errors import MeasurementError
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.fixed_service import FixedService
from paretoopt.measurement.rate_search import Probe, Verdict
from paretoopt.measurement.throughput import find_throughput
from paretoopt.measurement.throughput_measurement import LatencyBound, LoneRequests, throughput_measurement

MeasuredPids = Callable[[int], list[int]]

_ONE = {"x": np.ones((1, 1), np.float32)}
_SERVICE = FixedService(0.001)


def test_rate_found_was_held_within_the_bound() -> None:
    """The value is the rate of a probe whose p95 is surely within the bound, below what the worker can do at all."""
    found = find_throughput(_SERVICE, _ONE, bound_ms=100, budget_seconds=3)

    held = [probe for probe in found.probes if probe.rate_rps == found.throughput_rps.value][-1]
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


def _outcome(probes: Sequence[Probe], p95_ms: float, *, fastest_ms: float = 1.0, others: float = 0.0) -> float:
    """The throughput for a p95 of 9 ms at most, with lone requests of this p95, and others on the cores meanwhile."""
    found = throughput_measurement(
        probes,
        LoneRequests(Measurement(p95_ms, p95_ms, p95_ms), fastest_ms),
        bound=LatencyBound(9, 95),
        ceiling_rps=100,
        environment=replace(current_environment([0]), share_of_others=others),
    )
    return found.throughput_rps.value


@pytest.mark.parametrize("verdict", ["broken", "undecided"])
def test_nothing_held_although_lone_requests_are_fast_is_no_throughput_of_zero(verdict: Verdict) -> None:
    """A busy machine, or too small a budget, is a failed measurement that says so, and no property of the artifact."""
    probes = [Probe(rate, verdict, None, 0.5) for rate in (50, 50, 25, 25)]

    with pytest.raises(MeasurementError, match=r"no rate from 25 .* within 9 ms, although the p95 .* is 2 ms"):
        _outcome(probes, 2)


def test_lone_requests_that_others_made_late_are_no_throughput_of_zero() -> None:
    """Beside other programs only an artifact that hardly ever keeps the bound is known to hold no rate."""
    with pytest.raises(
        MeasurementError, match=r"while other programs took 40% of the measured cores.*too busy to tell"
    ):
        _outcome([], 12, fastest_ms=2, others=0.4)

    assert _outcome([], 12, fastest_ms=2, others=0.01) == 0
    assert _outcome([], 12, fastest_ms=10, others=0.4) == 0


def test_rate_that_was_held_counts_whatever_else_ran() -> None:
    """What was held in spite of others is held."""
    assert _outcome([Probe(50, "held", None, 0.5)], 8, others=0.9) == 50


def test_workers_share_the_rate(make_recommender: Callable[..., Path]) -> None:
    """A real artifact in two workers is searched as one deployment; each probe has its arrivals."""
    requests = {"history": np.random.default_rng(1).integers(0, 1000, (500, 8))}

    found = find_throughput(make_recommender(), requests, bound_ms=200, workers=2, budget_seconds=1)

    assert 1 <= len(found.probes) <= 11
    assert found.probes[0].rate_rps == pytest.approx(found.ceiling_rps / 2)
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
