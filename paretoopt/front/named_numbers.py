"""Measurements from numbers by name, as tables and trials hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from paretoopt.candidate import Measurement
from paretoopt.errors import TableError

_LOW, _HIGH = "_low", "_high"


def interval_ends(names: Mapping[str, object]) -> set[str]:
    """The names that are the end of another one's interval: ``<metric>_low`` and ``<metric>_high``."""
    ends = {f"{name}{end}" for name in names for end in (_LOW, _HIGH)}
    return {name for name in names if name in ends}


def named_measurements(numbers: Mapping[str, float], where: str) -> dict[str, Measurement]:
    """One measurement for each name that is no end of an interval; NaN is none.

    Args:
        numbers: Values and the ends of intervals, as `interval_ends` names them.
        where: What the numbers are of, for errors: ``"row 3"``.

    Raises:
        TableError: A number is infinite, or an interval is upside down.

    >>> named_measurements({"auc": 0.8, "auc_low": 0.7, "mib": 3.0, "ms": float("nan")}, "row 0")
    {'auc': Measurement(value=0.8, low=0.7, high=None), 'mib': Measurement(value=3.0, low=None, high=None)}
    """
    ends = interval_ends(numbers)
    found = {}
    for name, value in numbers.items():
        if math.isinf(value):
            raise TableError(f"{where}: {name} is {value}, which is no measurement. Leave the cell empty.")
        if name not in ends and not math.isnan(value):
            low, high = (_end(numbers, f"{name}{end}") for end in (_LOW, _HIGH))
            if low is not None and high is not None and low > high:
                raise TableError(
                    f"{where}: {name} lies between {name}{_LOW}={low:g} and {name}{_HIGH}={high:g}, "
                    "which is upside down. Swap the two, or leave them out."
                )
            found[name] = Measurement(value, low, high)
    return found


def _end(numbers: Mapping[str, float], name: str) -> float | None:
    value = numbers.get(name, math.nan)
    return None if math.isnan(value) else value
