"""When an interval is narrow enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from paretoopt.errors import MeasurementError
from paretoopt.measurement.percentiles import least_requests
from paretoopt.measurement.serial_percentiles import serial_percentile


@dataclass(frozen=True)
class Precision:
    """How narrow the 95 % interval of a latency percentile is to be.

    Attributes:
        percentile: In percent.
        relative: How far the interval may reach to either side, as a share of the percentile's value.
    """

    percentile: float
    relative: float

    def __post_init__(self) -> None:
        """Refuse a precision that no sample reaches."""
        if not self.relative > 0:
            raise MeasurementError(
                f"relative_precision must be above 0, but got {self.relative:g}. Give a share, for example 0.05."
            )

    def is_reached(self, latencies: ArrayLike) -> bool:
        """Whether the interval is narrow enough; never where the sample does not support the percentile.

        Args:
            latencies: In the order in which they came.
        """
        if np.size(latencies) < least_requests(self.percentile):
            return False
        measured = serial_percentile(latencies, self.percentile)
        assert measured.low is not None  # A percentile has an interval.
        assert measured.high is not None
        return max(measured.high - measured.value, measured.value - measured.low) <= self.relative * measured.value
