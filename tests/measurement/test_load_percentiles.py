"""Percentiles under load have intervals that allow for requests that wait for each other, or are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import MeasurementError
from paretoopt.measurement.arrivals import poisson_arrivals
from paretoopt.measurement.dependence import bounds_percentile
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.load_measurement import LoadMeasurement
from paretoopt.measurement.load_percentiles import (
    dependent_percentile,
    least_load_seconds,
    loaded_bounds,
    loaded_percentile,
)
from paretoopt.measurement.percentiles import latency_percentile, least_requests


def _queue_latencies(utilisation: float, n_requests: int, generator: np.random.Generator) -> np.ndarray:
    """Latencies of a queue with Poisson arrivals and service time 1, by Lindley's recursion."""
    gains = 1 - generator.exponential(1 / utilisation, n_requests)
    walk = np.cumsum(gains)
    return np.asarray(walk - np.minimum.accumulate(np.minimum(walk, 0)) + 1)


def _load(latencies: np.ndarray) -> LoadMeasurement:
    nothing = np.zeros(latencies.size)
    return LoadMeasurement(
        rate_rps=100,
        achieved_rps=100,
        utilisation=0.5,
        is_saturated=False,
        arrivals_ms=nothing,
        latencies_ms=latencies,
        service_ms=nothing,
        dispatch_ms=nothing,
        n_unserved=0,
        workers=1,
        threads=1,
        environment=current_environment([0]),
    )


@pytest.mark.parametrize("utilisation", [0.3, 0.7])
def test_intervals_of_a_queue_hold_its_true_percentile(utilisation: float) -> None:
    """Of 200 runs at least 90 % hold the true p95; bounds for independent values hold it far less often."""
    generator = np.random.default_rng(0)
    true = np.percentile(_queue_latencies(utilisation, 3_000_000, generator), 95)

    def coverage(percentile: Callable[..., object]) -> float:
        runs = (_queue_latencies(utilisation, 20_000, generator)[2000:] for _ in range(200))
        intervals = [percentile(run, 95) for run in runs]
        return float(np.mean([interval.low <= true <= interval.high for interval in intervals]))  # type: ignore[attr-defined]

    assert coverage(dependent_percentile) >= 0.9
    assert coverage(latency_percentile) < 0.9


@given(seed=st.integers(0, 2**32))
def test_independent_latencies_give_the_same_value_and_no_narrower_interval(seed: int) -> None:
    """Where nothing depends, the value is that of the independent sample and the interval is at least as wide."""
    latencies = np.random.default_rng(seed).lognormal(size=2000)

    measured, independent = dependent_percentile(latencies, 90), latency_percentile(latencies, 90)

    assert measured.value == independent.value
    assert measured.low is not None
    assert measured.high is not None
    assert independent.low is not None
    assert independent.high is not None
    assert measured.low <= np.nextafter(independent.low, np.inf)
    assert measured.high >= np.nextafter(independent.high, 0)


def test_latencies_that_hang_together_are_worth_fewer() -> None:
    """A run in which one long jam holds all late requests does not support a p95."""
    jam = np.concatenate([np.ones(4000), np.full(400, 50.0), np.ones(600)])

    with pytest.raises(MeasurementError, match=r"worth of 130 independent .* 5,000 were measured, which are worth \d+"):
        dependent_percentile(jam, 95)


def test_decision_takes_fewer_independent_requests_than_a_value() -> None:
    """A p95 is bounded at 95 % confidence from 72 on, since 0.95 ** 72 < 0.025, and a value is given from 130 on."""
    latencies = np.random.default_rng(0).random(5000)
    few, enough = (_load(np.repeat(latencies[: 80 * n], 50 // n)) for n in (1, 2))

    assert not bounds_percentile(71, 95)
    assert bounds_percentile(72, 95)
    assert loaded_bounds(few, 95) is None
    with pytest.raises(MeasurementError, match="worth of 130 independent"):
        loaded_percentile(enough, 95)
    assert loaded_bounds(enough, 95) is not None


def test_sample_that_is_too_small_is_refused() -> None:
    """Without enough requests there is no percentile, independent or not."""
    with pytest.raises(MeasurementError, match=r"worth of 662 independent requests .* but 500 were measured"):
        dependent_percentile(np.ones(500), 99)


def test_saturated_run_has_no_percentiles() -> None:
    """Latency that grows as long as the run lasts is not printed; the error says what to change."""
    saturated = replace(_load(np.arange(5000.0)), is_saturated=True, utilisation=1.2)

    with pytest.raises(MeasurementError, match=r"no p95 at 100 requests per second: .*saturated.* Lower the rate"):
        loaded_percentile(saturated, 95)


def test_begin_of_the_run_is_left_out() -> None:
    """The first tenth, in which the queue fills, does not count."""
    latencies = np.concatenate([np.zeros(500), np.arange(1.0, 4501.0)])
    np.random.default_rng(0).shuffle(latencies[500:])

    assert loaded_percentile(_load(latencies), 50).value == 2250


@given(rate_rps=st.floats(1, 1e4), percentile=st.sampled_from([50, 90, 95, 99]), dependence=st.sampled_from([1, 2, 4]))
def test_time_for_a_percentile_leaves_enough_after_the_begin(
    rate_rps: float, percentile: float, dependence: float
) -> None:
    """Of the requests that arrive in that time, those that count are as many as are needed, and hardly more."""
    seconds = least_load_seconds(rate_rps, percentile, dependence=dependence)
    n_requests = poisson_arrivals(rate_rps, seconds, seed=0).size

    n_settled = n_requests - int(0.1 * n_requests)
    assert dependence * least_requests(percentile) <= n_settled <= dependence * least_requests(percentile) + 3
