"""Two different ways to choose one balanced point of a front: the knee, and the nearest to the ideal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import Costs


def normalized(costs: Costs) -> Costs:
    """The costs with each objective's best at 0 and worst at 1; a column of equal costs becomes 0.

    >>> normalized(np.array([[2.0, 5.0], [4.0, 5.0]])).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    best = costs.min(axis=0)
    span = costs.max(axis=0) - best
    result: Costs = (costs - best) / np.where(span > 0, span, 1.0)
    return result


def knee_distances(costs: Costs) -> NDArray[np.float64]:
    """How far each point of a front bulges from the plane between its extremes, towards better.

    The knee is the point where this is greatest (Das 1999, "On characterizing the knee of the
    Pareto curve based on normal-boundary intersection"): beyond it, a little more of one
    objective costs much of another. The plane is the one that meets each axis of the normalised
    front at its worst value. With two objectives that is the line through the two extreme points.
    With more, the plane through the extreme points themselves is often undefined, since one point
    is the extreme of several objectives, or tilted so that a worse point seems farther out.

    Args:
        costs: The front, of shape ``(n_points, n_objectives)``; every column is minimised.

    Returns:
        Array of shape ``(n_points,)``, in units of the normalised front; negative behind the plane.
    """
    n_objectives = costs.shape[1]
    result: NDArray[np.float64] = (1.0 - normalized(costs).sum(axis=1)) / np.sqrt(n_objectives)
    return result


def ideal_distances(costs: Costs) -> NDArray[np.float64]:
    """How far each point is from the ideal, the point that is best in every objective at once.

    The nearest is the compromise solution of Yu (1973) and Zeleny (1973) with the Euclidean norm
    on the normalised front. It is not the knee: it prefers points that are fair to every
    objective, whether or not the front bends there.

    Returns:
        Array of shape ``(n_points,)``, in units of the normalised front.
    """
    result: NDArray[np.float64] = np.linalg.norm(normalized(costs), axis=1)
    return result
