"""An interval is narrow enough when it reaches no further than the stated share to either side."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.precision import Precision
from paretoopt.measurement.serial_percentiles import serial_percentile

_LATENCIES = np.random.default_rng(0).lognormal(sigma=0.5, size=1000)


def test_precision_is_reached_at_the_width_of_the_interval() -> None:
    """Exactly the farther end of the p95's interval is precise enough, and a little less is not."""
    p95 = serial_percentile(_LATENCIES, 95)
    assert p95.low is not None
    assert p95.high is not None
    reach = max(p95.high - p95.value, p95.value - p95.low) / p95.value

    assert Precision(95, reach * 1.001).is_reached(_LATENCIES)
    assert not Precision(95, reach * 0.999).is_reached(_LATENCIES)


def test_sample_that_does_not_support_the_percentile_is_not_precise() -> None:
    """129 equal latencies do not bound a p95, 130 do."""
    assert not Precision(95, 0.05).is_reached(np.ones(129))
    assert Precision(95, 0.05).is_reached(np.ones(130))


def test_latencies_that_were_late_together_are_less_precise() -> None:
    """The same latencies in another order: independent they are precise enough, in one jam they are not."""
    latencies = np.random.default_rng(0).lognormal(sigma=0.1, size=5000)

    assert Precision(95, 0.05).is_reached(latencies)
    assert not Precision(95, 0.05).is_reached(np.sort(latencies))


@pytest.mark.parametrize("relative", [0, -0.1, float("nan")])
def test_precision_must_be_positive(relative: float) -> None:
    """No sample is exact."""
    with pytest.raises(MeasurementError, match="relative_precision must be above 0"):
        Precision(95, relative)
