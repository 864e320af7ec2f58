"""Dominance and hypervolume on arrays of costs, computed by ``moocore``."""

from __future__ import annotations

from collections.abc import Sequence

import moocore
import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.objectives import Objective

Costs = NDArray[np.float64]
"""Array of shape ``(n_points, n_objectives)``; every column is minimised."""

_MARGIN = 0.1


def costs_of(candidates: Sequence[Candidate], objectives: Sequence[Objective]) -> Costs:
    """The candidates' objective values with every sign turned so that less is better.

    Returns:
        Array of shape ``(n_candidates, n_objectives)``; NaN where a candidate has no such measurement.
    """
    rows = [[_cost(candidate, objective) for objective in objectives] for candidate in candidates]
    return np.array(rows, dtype=np.float64).reshape(len(candidates), len(objectives))


def is_nondominated(costs: Costs) -> NDArray[np.bool_]:
    """Which points no other point dominates; equal points are all kept.

    A point with a NaN is not known to be on any front: it is False, and dominates nothing.

    >>> is_nondominated(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 3.0]])).tolist()
    [True, True, False]
    """
    known = ~np.isnan(costs).any(axis=1)
    result = np.zeros(len(costs), dtype=np.bool_)
    if known.any():
        result[known] = moocore.is_nondominated(costs[known], keep_weakly=True)
    return result


def dominates(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Whether ``first`` is no worse in any cost and better in one.

    >>> dominates(np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    True
    """
    return bool((first <= second).all() and (first < second).any())


def reference_point(costs: Costs) -> NDArray[np.float64]:
    """A point that every given point dominates, from which hypervolume is measured.

    The rule: in each objective the worst cost, and a tenth of the span of costs beyond it, so
    that the extreme points count too (Ishibuchi et al. 2018). Where all costs are equal, the
    margin is a tenth of the cost's size, or 0.1 where the cost is 0.

    Raises:
        ValueError: There is no point, or one has a NaN.

    >>> reference_point(np.array([[0.0, 20.0], [10.0, 20.0]])).tolist()
    [11.0, 22.0]
    """
    if len(costs) == 0 or np.isnan(costs).any():
        raise ValueError("reference_point needs at least one point, and no NaN. Leave unmeasured points out.")
    worst = costs.max(axis=0)
    span = worst - costs.min(axis=0)
    scale = np.where(span > 0, span, np.where(worst == 0, 1.0, np.abs(worst)))
    result: NDArray[np.float64] = worst + _MARGIN * scale
    return result


def hypervolume(costs: Costs, *, reference: NDArray[np.float64]) -> float:
    """Volume that ``costs`` dominate, bounded by ``reference``; more is better.

    Exact. A point that is worse than the reference in some objective, or that has a NaN, adds nothing.

    >>> hypervolume(np.array([[1.0, 2.0], [2.0, 1.0]]), reference=np.array([3.0, 3.0]))
    3.0
    """
    inside = (costs <= reference).all(axis=1)
    if not inside.any():
        return 0.0
    return float(moocore.hypervolume(costs[inside], ref=reference))


def _cost(candidate: Candidate, objective: Objective) -> float:
    measurement = candidate.measurements.get(objective.metric)
    return float("nan") if measurement is None else objective.sign * measurement.value
