"""How much of what could be had a set of candidates has, as one number that does not depend on units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from paretoopt.front.dominance import Costs, hypervolume, is_nondominated, reference_point


def hypervolume_share(costs: Costs) -> float:
    """Hypervolume of all points as a share of their box; in [0, 1], and 0 where there is no point.

    The box lies between the best value in each objective and :func:`paretoopt.front.dominance.reference_point`, each
    over all the points. So the share can fall when a point is added: where it widens the box.

    Args:
        costs: Array of shape ``(n_points, n_objectives)``; every column is minimised, and nothing is NaN.

    >>> hypervolume_share(np.array([[0.0, 10.0], [10.0, 0.0]])).__round__(4)
    0.1736
    """
    if len(costs) == 0:
        return 0.0
    return hypervolume(_in_box(costs), reference=np.ones(costs.shape[1]))


def hypervolume_shares(costs: Costs) -> Iterator[float]:
    """The share after each point, all in the box of all points, so that it never falls."""
    scaled = _in_box(costs)
    front = scaled[:0]
    for point in scaled:
        front = np.vstack([front, point])
        front = front[is_nondominated(front)]
        yield hypervolume(front, reference=np.ones(scaled.shape[1]))


def _in_box(costs: Costs) -> Costs:
    """The points, scaled so that the best value of each objective is 0 and the reference point's is 1."""
    best = costs.min(axis=0)
    scaled: Costs = (costs - best) / (reference_point(costs) - best)
    return scaled
