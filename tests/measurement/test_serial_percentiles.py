"""Percentiles of one run have intervals that allow for requests that are late together, and are refused by number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Measurement
from paretoopt.errors import MeasurementError
from paretoopt.measurement.dependence import design_effect
from paretoopt.measurement.percentiles import latency_percentile
from paretoopt.measurement.serial_percentiles import serial_percentile


def _disturbed(n_requests: int, generator: np.random.Generator) -> np.ndarray:
    """Latencies of a machine that gets slower for about 30 requests now and then, for a tenth of the time."""
    changes = generator.random(n_requests) < 1 / 30
    states = generator.random(n_requests) < 0.1
    since = np.maximum.accumulate(np.where(changes, np.arange(n_requests), 0))
    return np.asarray(generator.lognormal(sigma=0.1, size=n_requests) * np.where(states[since], 2, 1))


def test_intervals_on_a_disturbed_machine_hold_the_true_percentile() -> None:
    """Of 200 runs at least 90 % hold the true p95; bounds for independent latencies hold it far less often."""
    generator = np.random.default_rng(0)
    true = np.percentile(_disturbed(3_000_000, generator), 95)

    def coverage(percentile: Callable[..., Measurement]) -> float:
        intervals = [percentile(_disturbed(10_000, generator), 95) for _ in range(200)]
        return float(np.mean([(one.low or 0) <= true <= (one.high or 0) for one in intervals]))

    assert coverage(serial_percentile) >= 0.9
    assert coverage(latency_percentile) < 0.7


@given(seed=st.integers(0, 2**32))
def test_independent_latencies_give_the_same_value_and_no_narrower_interval(seed: int) -> None:
    """Where nothing depends, the value is that of the independent sample and the interval holds its interval."""
    latencies = np.random.default_rng(seed).lognormal(size=2000)

    measured, independent = serial_percentile(latencies, 90), latency_percentile(latencies, 90)

    assert measured.value == independent.value
    assert (measured.low or 0) <= (independent.low or 0)
    assert (measured.high or 0) >= (independent.high or 0)


@given(n_requests=st.integers(130, 3000), n_late=st.integers(1, 3000), seed=st.integers(0, 2**32))
def test_interval_holds_its_value_however_much_latencies_hang_together(n_requests: int, n_late: int, seed: int) -> None:
    """One jam of any length makes the interval wide, never void, and no reason to refuse."""
    latencies = np.random.default_rng(seed).random(n_requests)
    latencies[:n_late] += 5

    measured = serial_percentile(latencies, 95)

    assert latencies.min() <= (measured.low or 0) <= measured.value <= (measured.high or 0) <= latencies.max()


def test_one_jam_reaches_to_the_ends_of_the_sample() -> None:
    """If all late requests were late together, they are the worth of so few that the p95 may be any of them."""
    latencies = np.concatenate([np.arange(1.0, 951.0), np.arange(2001.0, 2051.0)])

    assert serial_percentile(latencies, 95).high == 2050


def test_number_of_requests_decides_what_is_refused() -> None:
    """129 requests support no p95, however independent; 130 do, however dependent."""
    with pytest.raises(MeasurementError, match=r"the p95 needs at least 130 requests .* but 129 were measured"):
        serial_percentile(np.random.default_rng(0).random(129), 95)
    assert serial_percentile(np.sort(np.random.default_rng(0).random(130)), 95).value > 0


@given(values=st.lists(st.booleans(), min_size=1, max_size=400))
def test_design_effect_is_never_below_one(values: list[bool]) -> None:
    """Luck in the batches does not make a sample worth more than it is, nor does a sample smaller than the batches."""
    assert design_effect(np.array(values)) >= 1
