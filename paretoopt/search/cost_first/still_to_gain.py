"""How much hypervolume is expected still to gain, by all that was not evaluated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import Costs, hypervolume, is_nondominated
from paretoopt.search.cost_first.grid import Numbers
from paretoopt.search.cost_first.improvement import expected_joint_improvement, is_promising

Floats = NDArray[np.float64]

FEWEST_ARTIFACTS = 6
"""Measured artifacts from which on predictions are checked against values, each predicted from the others."""
_LEVELS = (np.arange(5) + 0.5) / 5
_FARTHEST = 3.0
"""Deviations beyond which nothing is expected; the quadrature's last node is within."""


@dataclass(frozen=True)
class Foreseen:
    """What is expected of all cells, and what is reached.

    Attributes:
        costs: Array of shape ``(n_cells, n_objectives)``; every column is minimised.
        deviations: Standard deviations, 0 where a value is known; of the same shape.
        promise: Probability that the candidate can be evaluated and is feasible; of shape ``(n_cells,)``.
        front: What is reached, candidates that are evaluated now included as they are expected to come out.
        reference: Where hypervolume is measured from.
    """

    costs: Costs
    deviations: Floats
    promise: Floats
    front: Costs
    reference: Floats


def share_to_gain(foreseen: Foreseen, cells: Numbers) -> float | None:
    """The share of hypervolume that ``cells`` are expected to add together, of what there would be with it.

    Errors are taken to be the same in standard deviations for all cells, and so is the luck of being feasible: a cell
    is counted where its promise is above a level, over five levels.

    Returns:
        A number from 0 to 1; None where nothing is reached, and nothing expected.

    >>> costs, reference = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([2.0, 2.0])
    >>> known = Foreseen(costs, np.zeros((2, 2)), np.ones(2), costs[:1], reference)
    >>> share_to_gain(known, np.array([1]))
    0.5
    """
    reached = hypervolume(foreseen.front, reference=foreseen.reference)
    best = foreseen.costs[cells] - _FARTHEST * foreseen.deviations[cells]
    front = foreseen.front[is_nondominated(foreseen.front)]
    cells = cells[is_promising(best, front, foreseen.reference)]
    counted = [cells[foreseen.promise[cells] > level] for level in _LEVELS]
    gains = {len(some): _gain(foreseen, some) for some in counted}  # the lower the level, the more of the same cells
    gain = sum(gains[len(some)] for some in counted) / len(_LEVELS)
    return gain / (reached + gain) if reached + gain > 0 else None


def _gain(foreseen: Foreseen, cells: Numbers) -> float:
    return expected_joint_improvement(
        foreseen.costs[cells], foreseen.deviations[cells], foreseen.front, foreseen.reference
    )
