"""A worker has served enough when the requests, the time, or the budget say so."""

from __future__ import annotations

import pytest

from paretoopt.measurement.effort import Effort

_EFFORT = Effort(n_requests=1000, least_requests=130, least_seconds=0.25, budget_seconds=1.0)


@pytest.mark.parametrize(
    ("n_served", "seconds", "is_made"),
    [
        (999, 0.9, False),
        (1000, 0.25, True),
        (1000, 0.2, False),
        (130, 1.0, True),
        (129, 60.0, False),
    ],
)
def test_effort_needs_requests_and_time_unless_the_budget_is_spent(
    n_served: int, seconds: float, is_made: bool
) -> None:
    """All requests and the least time, or the least requests once the budget is spent."""
    assert _EFFORT.is_made(n_served, seconds) is is_made
