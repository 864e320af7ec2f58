"""The limits of a measure: those that the user states, or such that a slow artifact is still measured."""

from __future__ import annotations

from paretoopt.measurement.program import Limits

# To start workers, load a large artifact in each, and warm up.
_START_SECONDS = 120.0
# On a busy machine the rest takes longer than its budget.
_BUDGETS = 10
# An artifact that takes longer for a request hangs, as far as a search is concerned.
_SECONDS_PER_REQUEST = 2.0


def measure_limits(
    budget_seconds: float, least_requests: int, limit_seconds: float | None, memory_limit_mib: float | None
) -> Limits:
    """What the processes of a measure may take.

    Args:
        budget_seconds: What the measure takes where the artifact is fast.
        least_requests: Requests that it serves however long they take.
        limit_seconds: Stated by the user; None for two minutes, ten times the budget, and 2 s for each of
            ``least_requests``.
        memory_limit_mib: Stated by the user; None for an equal share of nine tenths of what is free.

    Raises:
        MeasurementError: A stated limit is not above 0.
    """
    seconds = _START_SECONDS + _BUDGETS * budget_seconds + _SECONDS_PER_REQUEST * least_requests
    return Limits(seconds if limit_seconds is None else limit_seconds, memory_limit_mib)
