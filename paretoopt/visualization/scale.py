"""The scale of an axis, and the values that candidates have on it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.feasibility import metrics_of, value_of

_DECADE = 10.0


def is_log(values: Sequence[float]) -> bool:
    """Whether the values are positive and span a decade or more, so that a log axis shows them best.

    >>> is_log([1.0, 9.0]), is_log([1.0, 10.0]), is_log([0.0, 10.0]), is_log([])
    (False, True, False, False)
    """
    known = [value for value in values if math.isfinite(value)]
    return bool(known) and min(known) > 0 and max(known) >= _DECADE * min(known)


def axis_value(candidate: Candidate, name: str) -> float:
    """The candidate's value of a metric, or of a parameter that is a number; NaN where it has none."""
    parameter = candidate.params.get(name)
    if name not in candidate.measurements and isinstance(parameter, int | float):
        return float(parameter)
    return value_of(candidate, name)


def check_known(candidates: Sequence[Candidate], name: str) -> None:
    """Raise ObjectiveError where no candidate has a number of this name."""
    if candidates and all(math.isnan(axis_value(candidate, name)) for candidate in candidates):
        metrics = ", ".join(metrics_of(candidates))
        raise ObjectiveError(f"{name!r} cannot be drawn: no candidate has it as a number. Use one of: {metrics}.")


def log_ticks(low: float, high: float) -> list[float]:
    """Round values for a log axis that has no ticks of its own: 1, 2 and 5 times powers of ten.

    >>> log_ticks(0.4, 12.0)
    [0.5, 1.0, 2.0, 5.0, 10.0]
    """
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 2, 5)]
    return [tick for tick in ticks if low <= tick <= high]
