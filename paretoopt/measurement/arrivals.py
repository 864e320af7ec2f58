"""When requests arrive that do not wait for each other's answers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError


def poisson_arrivals(rate_rps: float, seconds: float, *, seed: int) -> NDArray[np.int64]:
    """Arrivals of a Poisson process, in nanoseconds after its begin, ascending.

    The gaps are independent and exponential; as many are drawn as arrive in ``seconds`` on average, one at least.

    Args:
        rate_rps: Arrivals per second.
        seconds: How long requests arrive, on average.
        seed: Of the gaps.

    Raises:
        MeasurementError: The rate or the time is not positive and finite.
    """
    for name, value in (("rate_rps", rate_rps), ("seconds", seconds)):
        if not 0 < value < math.inf:
            raise MeasurementError(f"{name} must be above 0 and finite, but got {value:g}. Give a positive number.")
    n_requests = max(1, math.ceil(rate_rps * seconds))
    gaps = np.random.default_rng(seed).exponential(1e9 / rate_rps, n_requests)
    return np.cumsum(gaps).astype(np.int64)
