"""Open-loop arrivals are those of a Poisson process, drawn beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import MeasurementError
from paretoopt.measurement.arrivals import poisson_arrivals


@given(rate_rps=st.floats(0.1, 1e5), seconds=st.floats(1e-3, 0.1), seed=st.integers(0, 2**32))
def test_arrivals_ascend_and_are_as_many_as_the_rate_says(rate_rps: float, seconds: float, seed: int) -> None:
    """There are ``rate * seconds`` arrivals, rounded up, one after the other, and the seed decides which."""
    arrivals = poisson_arrivals(rate_rps, seconds, seed=seed)

    assert rate_rps * seconds <= len(arrivals) <= rate_rps * seconds + 1
    assert arrivals[0] >= 0
    assert (np.diff(arrivals) >= 0).all()
    np.testing.assert_array_equal(arrivals, poisson_arrivals(rate_rps, seconds, seed=seed))


def test_gaps_are_exponential() -> None:
    """The share of gaps beyond t is exp(-rate t), within the 99.9 % bound of Kolmogorov and Smirnov."""
    gaps = np.sort(np.diff(poisson_arrivals(2000, 10, seed=0))) / 1e9

    beyond = 1 - np.arange(1, gaps.size + 1) / gaps.size

    assert np.abs(beyond - np.exp(-2000 * gaps)).max() < 1.95 / np.sqrt(gaps.size)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_rate_and_time_must_be_positive_and_finite(value: float) -> None:
    """Nothing arrives at no rate, and no run lasts for ever."""
    with pytest.raises(MeasurementError, match="rate_rps must be above 0 and finite"):
        poisson_arrivals(value, 1, seed=0)
    with pytest.raises(MeasurementError, match="seconds must be above 0 and finite"):
        poisson_arrivals(1, value, seed=0)
