"""A server whose service time is known, to check the load generator against queueing theory."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from paretoopt.errors import MeasurementError
from paretoopt.measurement.traffic import Answer, Feed


@dataclass(frozen=True)
class FixedService:
    """Stands in for an artifact; every request keeps its worker busy for exactly this long.

    Attributes:
        seconds: Service time of a request.
    """

    seconds: float

    def __post_init__(self) -> None:
        """Refuse a time that no server takes."""
        if not 0 < self.seconds < math.inf:
            raise MeasurementError(f"FixedService needs seconds above 0 and finite, but got {self.seconds:g}.")


def busy_answer(service: FixedService) -> Answer:
    """The function that serves a request by looking at the clock until its time is over."""
    clock = time.perf_counter_ns
    nanoseconds = round(service.seconds * 1e9)

    def answer(_: None, feed: Feed) -> None:
        end = clock() + nanoseconds
        while clock() < end:
            pass

    return answer
