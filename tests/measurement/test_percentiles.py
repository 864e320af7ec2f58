"""Percentiles come with bounds that hold for any distribution, or not at all."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paretoopt.errors import MeasurementError
from paretoopt.measurement.percentiles import latency_percentile, least_requests


@pytest.mark.parametrize(("percentile", "least"), [(50, 11), (90, 64), (95, 130), (99, 662), (99.9, 6636)])
def test_least_requests_are_those_of_mlperf(percentile: float, least: int) -> None:
    """The early-stopping rule of MLPerf Inference, with no tolerance and 99 % confidence, needs these."""
    assert least_requests(percentile) == least


def test_sample_that_is_too_small_is_refused_with_the_number_it_needs() -> None:
    """661 requests do not support a p99; the error says that 662 would."""
    with pytest.raises(MeasurementError, match=r"p99 needs at least 662 requests .* but 661 were measured"):
        latency_percentile(np.ones(661), 99)


@pytest.mark.parametrize("percentile", [49.9, 100, -1, float("nan")])
def test_percentile_outside_its_range_is_refused(percentile: float) -> None:
    """There is no p100 of a distribution, and nobody promises a latency below the median."""
    with pytest.raises(MeasurementError, match="from 50 to below 100"):
        latency_percentile(np.ones(1000), percentile)


def test_value_is_the_least_latency_that_covers_the_percentile() -> None:
    """Of the latencies 1..200, 190 or less is 95 %."""
    assert latency_percentile(np.arange(200, 0, -1), 95).value == 190


@settings(deadline=None)
@given(n_requests=st.integers(130, 400), percentile=st.sampled_from([50, 75, 90, 95]))
def test_bounds_are_the_closest_that_the_binomial_law_allows(n_requests: int, percentile: int) -> None:
    """Exact rational arithmetic gives the same ranks: each bound is missed with at most 2.5 %, the next with more."""
    measured = latency_percentile(np.arange(1, n_requests + 1), percentile)
    p = Fraction(percentile, 100)
    at_most = np.cumsum([comb(n_requests, k) * p**k * (1 - p) ** (n_requests - k) for k in range(n_requests + 1)])
    assert measured.low is not None
    assert measured.high is not None

    low, high = int(measured.low), int(measured.high)

    assert at_most[low - 1] <= Fraction(25, 1000) < at_most[low]
    assert at_most[high - 1] >= Fraction(975, 1000) > at_most[high - 2]


def test_intervals_cover_the_true_percentile_as_often_as_they_say() -> None:
    """In 2,000 skewed samples of known p95, at least 95 % of the intervals (less chance) hold it."""
    samples = np.random.default_rng(0).lognormal(sigma=1.0, size=(2000, 200))
    true = np.exp(1.6448536269514722)

    intervals = [latency_percentile(sample, 95) for sample in samples]

    covered = np.mean([m.low <= true <= m.high for m in intervals if m.low is not None and m.high is not None])
    assert covered >= 0.94
