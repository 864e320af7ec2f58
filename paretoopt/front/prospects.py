"""Whether a candidate of which only the best case is known can still join a front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dominator:
    """The point that dominates a candidate even in its best case.

    Attributes:
        index: Which of the points.
        shortfall: By how much the best case would have to be better to escape it, in the objective where that takes
            least; as a share of the point's own value, and 0 where they are equal in that objective.
    """

    index: int
    shortfall: float


def dominator(
    best_case: NDArray[np.float64], costs: NDArray[np.float64], margins: NDArray[np.float64]
) -> Dominator | None:
    """The point that the best case falls short of most; None where no point dominates it.

    Args:
        best_case: The lowest conceivable costs; shape ``(n_objectives,)``. Minus infinity where nothing is known.
        costs: The points; shape ``(n_points, n_objectives)``, every column is minimised.
        margins: How much worse each cost may be in truth than it was measured; same shape, and not negative.

    >>> points = np.array([[1.0, 2.0], [2.0, 1.0]])
    >>> dominator(np.array([2.0, 3.0]), points, np.zeros((2, 2)))
    Dominator(index=0, shortfall=0.5)
    >>> dominator(np.array([2.0, 3.0]), points, np.full((2, 2), 1.5)) is None
    True
    """
    gaps = best_case - (costs + margins)
    dominates = (gaps >= 0).all(axis=1) & (gaps > 0).any(axis=1)
    if not dominates.any():
        return None
    shortfalls = (gaps / np.where(costs == 0, 1.0, np.abs(costs))).min(axis=1)
    index = int(np.argmax(np.where(dominates, shortfalls, -np.inf)))
    return Dominator(index, float(shortfalls[index]))
