"""All points in one order, the best first: by non-dominated fronts, and spread out within each front."""

from __future__ import annotations

import moocore
import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import Costs


def rank_spread(costs: Costs) -> NDArray[np.int64]:
    """The place of each point, from 0, by non-dominated sorting with an epsilon-net within each front.

    A front starts with its best point in the first objective and goes on with the point that is farthest from those
    taken before, each objective scaled to its span over all points (Schmucker et al. 2021, "EpsNet"), so that the first
    points of a front stand for the whole of it.

    Args:
        costs: Array of shape ``(n_points, n_objectives)`` without NaN; every column is minimised.

    >>> rank_spread(np.array([[0.0, 4.0], [1.0, 3.0], [4.0, 0.0], [5.0, 5.0]])).tolist()
    [0, 2, 1, 3]
    """
    span = np.ptp(costs, axis=0)
    scaled = (costs - costs.min(axis=0)) / np.where(span > 0, span, 1.0)
    fronts = moocore.pareto_rank(costs)
    order = [
        point for front in range(int(fronts.max()) + 1) for point in _spread(scaled, np.flatnonzero(fronts == front))
    ]
    places = np.empty(len(costs), dtype=np.int64)
    places[order] = np.arange(len(costs))
    return places


def _spread(scaled: Costs, members: NDArray[np.int64]) -> list[int]:
    """The members of one front, each the farthest from those before it."""
    first = int(np.lexsort(scaled[members].T[::-1])[0])
    taken, distances = [first], np.full(len(members), np.inf)
    while len(taken) < len(members):
        distances = np.minimum(distances, np.linalg.norm(scaled[members] - scaled[members[taken[-1]]], axis=1))
        distances[taken] = -1.0
        taken.append(int(distances.argmax()))
    return [int(members[index]) for index in taken]
