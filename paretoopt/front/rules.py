"""Rules that put the points of a front in one order, the one to choose first.

All work on costs, are blind to their units, and never put a point before one that dominates it. They are a few lines of
numpy each: pymcdm, which has TOPSIS and weighted sums too, brings matplotlib along.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import Costs
from paretoopt.front.knee import ideal_distances, knee_distances, normalized

Rule = Literal["best", "one_standard_error", "knee", "ideal", "topsis", "weighted_sum"]
"""How one of a front is chosen; ``docs/picking.md`` tells when to use which."""

Floats = NDArray[np.float64]

HALF_WIDTH = NormalDist().inv_cdf(0.975)
"""Half of a 95 % interval in standard errors."""


def scores(rule: Rule, costs: Costs, weights: Floats, standard_errors: Floats) -> Floats:
    """The score of each point by ``rule``; less is better, and points that a rule leaves out have infinity.

    Args:
        rule: The rule.
        costs: The front, of shape ``(n_points, n_criteria)``; every column is minimised.
        weights: How much each criterion counts, of shape ``(n_criteria,)``.
        standard_errors: Of each point's first cost, of shape ``(n_points,)``; 0 where it is not known.

    Returns:
        Array of shape ``(n_points,)``.
    """
    if rule == "best":
        return costs[:, 0]
    if rule == "one_standard_error":
        return _cheapness(costs, weights, standard_errors)
    if rule == "knee":
        return -knee_distances(costs)
    if rule == "ideal":
        return ideal_distances(costs)
    return -topsis_closeness(costs, weights) if rule == "topsis" else weighted_sums(costs, weights)


def ranked(scores: Floats, costs: Costs) -> NDArray[np.intp]:
    """The points, the best score first; ties go by the criteria in order. Those left out are last.

    >>> ranked(np.array([1.0, 0.0, 0.0]), np.array([[1.0], [3.0], [2.0]])).tolist()
    [2, 1, 0]
    """
    # np.lexsort sorts by its last key first.
    order: NDArray[np.intp] = np.lexsort([*costs.T[::-1], scores])
    return order


def weighted_sums(costs: Costs, weights: Floats) -> Floats:
    """The weighted mean of the costs, each from 0 at the front's best to 1 at its worst (Fishburn 1967).

    >>> weighted_sums(np.array([[0.0, 40.0], [10.0, 20.0]]), np.array([3.0, 1.0])).tolist()
    [0.25, 0.75]
    """
    result: Floats = normalized(costs) @ weights / weights.sum()
    return result


def topsis_closeness(costs: Costs, weights: Floats) -> Floats:
    """How near each point is to the ideal as against the worst of everything; in [0, 1], more is better.

    TOPSIS (Hwang and Yoon 1981, "Multiple Attribute Decision Making"): with each cost divided by its column's norm and
    weighted, the distance to the worst as a share of the distances to the best and to the worst.

    >>> topsis_closeness(np.array([[3.0, 4.0], [4.0, 3.0]]), np.array([1.0, 0.0])).tolist()
    [1.0, 0.0]
    """
    norm = np.linalg.norm(costs, axis=0)
    scaled = costs / np.where(norm > 0, norm, 1.0) * weights / weights.sum()
    to_best = np.linalg.norm(scaled - scaled.min(axis=0), axis=1)
    to_worst = np.linalg.norm(scaled - scaled.max(axis=0), axis=1)
    total = to_best + to_worst
    result: Floats = np.divide(to_worst, total, out=np.ones_like(total), where=total > 0)
    return result


def _cheapness(costs: Costs, weights: Floats, standard_errors: Floats) -> Floats:
    """The weighted sum of the other criteria, of those within one standard error of the best in the first.

    The one-standard-error rule of Breiman et al. (1984), who take the simplest tree that is not told apart from the
    best: here, the cheapest.
    """
    best = int(ranked(costs[:, 0], costs)[0])
    others = costs[:, 1:]
    cheapness = weighted_sums(others, weights[1:]) if weights[1:].any() else costs[:, 0]
    within = costs[:, 0] <= costs[best, 0] + standard_errors[best]
    result: Floats = np.where(within, cheapness, np.inf)
    return result
