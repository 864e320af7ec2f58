"""Expected hypervolume improvement in closed form, for points whose objectives are known or normally distributed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from paretoopt.front.dominance import Costs, hypervolume, is_nondominated

Floats = NDArray[np.float64]

_MOST_AT_ONCE = 200_000
"""Numbers held at once: point times box."""
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class Boxes:
    """Disjoint boxes that make up all that no point of a front dominates, up to the reference point.

    Attributes:
        lower: Array of shape ``(n_boxes, n_objectives)``; minus infinity where a box has no end.
        upper: Array of the same shape.
    """

    lower: Floats
    upper: Floats


def nondominated_boxes(front: Costs, reference: Floats) -> Boxes:
    """Cut what ``front`` leaves undominated into boxes, by sweeping the last objective.

    A box of the objectives before it stays open until a point changes it, so that three objectives take about three
    boxes per point.

    Args:
        front: Array of shape ``(n_points, n_objectives)``; every column is minimised.
        reference: Array of shape ``(n_objectives,)``; points beyond it count for nothing.

    >>> boxes = nondominated_boxes(np.array([[1.0, 1.0]]), np.array([2.0, 3.0]))
    >>> boxes.upper.tolist()
    [[1.0, 3.0], [2.0, 1.0]]
    """
    inside = front[(front < reference).all(axis=1)]
    bounds = _boxes(inside[is_nondominated(inside)], reference)
    both = np.array(bounds, dtype=np.float64).reshape(len(bounds), len(reference), 2)
    return Boxes(both[:, :, 0], both[:, :, 1])


def expected_improvement(mean: Floats, deviation: Floats, boxes: Boxes) -> Floats:
    """How much hypervolume each point is expected to add to the front.

    Exact for independent normal objectives, and for known ones, whose deviation is 0: within a box the volume is a
    product of lengths, and the expected length between ``lower`` and ``upper`` is ``E[(upper - a)+] -
    E[(lower - a)+]``. With a single uncertain objective this is the sum over the kinks of a piecewise linear function.

    Args:
        mean: Array of shape ``(n_points, n_objectives)``; every column is minimised.
        deviation: Standard deviations, of the same shape.
        boxes: What the front leaves undominated.

    Returns:
        Array of shape ``(n_points,)``.
    """
    chunk = max(1, _MOST_AT_ONCE // max(1, len(boxes.lower)))
    parts = [
        _volumes(mean[start : start + chunk], deviation[start : start + chunk], boxes).sum(axis=0)
        for start in range(0, len(mean), chunk)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def expected_joint_improvement(mean: Floats, deviation: Floats, front: Costs, reference: Floats) -> float:
    """How much hypervolume several points are expected to add together.

    Their errors are taken to be the same in standard deviations, as those of variants of one model nearly are; the
    expectation is taken by Gauss-Hermite quadrature of five nodes.
    """
    before = hypervolume(front, reference=reference)
    total = 0.0
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        points = np.concatenate([front, mean + node * deviation])
        total += weight * (hypervolume(points, reference=reference) - before)
    return float(total)


def is_promising(points: Floats, front: Costs, reference: Floats) -> NDArray[np.bool_]:
    """Which points no point of the front equals or beats in every objective, and lie within the reference point."""
    result: NDArray[np.bool_] = np.asarray((points < reference).all(axis=1))
    for member in front:
        result &= (points < member).any(axis=1)
    return result


def positive_part(threshold: Floats, mean: Floats, deviation: Floats) -> Floats:
    """``E[(threshold - a)+]`` for a normal ``a``, or a known one where ``deviation`` is 0.

    >>> positive_part(np.array(1.0), np.array(0.0), np.array(0.0)).item()
    1.0
    """
    gap = threshold - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = gap / deviation
        smooth = gap * ndtr(scaled) + deviation * np.exp(-0.5 * scaled**2) / np.sqrt(2 * np.pi)
    result: Floats = np.where(deviation > 0, smooth, np.maximum(gap, 0.0))
    return result


def _volumes(mean: Floats, deviation: Floats, boxes: Boxes) -> Floats:
    """Expected volume that each point dominates of each box; an array of shape ``(n_boxes, n_points)``."""
    volumes = _lengths(mean[:, 0], deviation[:, 0], boxes, 0)
    for objective in range(1, mean.shape[1]):
        volumes *= _lengths(mean[:, objective], deviation[:, objective], boxes, objective)
    return volumes


def _lengths(mean: Floats, deviation: Floats, boxes: Boxes, objective: int) -> Floats:
    # Boxes share their ends, so the expectation is computed once for each distinct end; a row is one end, so that
    # picking those of a box copies whole rows.
    ends, where = np.unique(np.concatenate([boxes.lower[:, objective], boxes.upper[:, objective]]), return_inverse=True)
    expected = np.maximum(ends[:, np.newaxis] - mean, 0.0)
    uncertain = np.flatnonzero(deviation > 0)
    if len(uncertain):
        finite = np.flatnonzero(np.isfinite(ends))
        expected[np.ix_(finite, uncertain)] = positive_part(
            ends[finite, np.newaxis], mean[uncertain], deviation[uncertain]
        )
    n_boxes = len(boxes.lower)
    lengths = expected[where[n_boxes:]]
    lengths -= expected[where[:n_boxes]]
    return lengths


_Bounds = tuple[tuple[float, float], ...]


def _boxes(front: Costs, reference: Floats) -> list[_Bounds]:
    """The boxes as a pair of ends per objective."""
    if front.shape[1] == 1:
        return [((-np.inf, float(min(front[:, 0], default=reference[0]))),)]
    if front.shape[1] == 2:
        return _stairs(front, reference)
    order = np.argsort(front[:, -1], kind="stable")
    opened: dict[_Bounds, float] = dict.fromkeys(_boxes(front[:0, :-1], reference[:-1]), -np.inf)
    closed: list[_Bounds] = []
    below = front[:0, :-1]
    for row in order:
        height = float(front[row, -1])
        below = _with_point(below, front[row, :-1])
        now = set(_boxes(below, reference[:-1]))
        closed += [(*box, (start, height)) for box, start in opened.items() if box not in now and start < height]
        opened = {box: start for box, start in opened.items() if box in now} | dict.fromkeys(
            sorted(now - opened.keys()), height
        )
    return closed + [(*box, (start, float(reference[-1]))) for box, start in opened.items()]


def _stairs(front: Costs, reference: Floats) -> list[_Bounds]:
    """The boxes under a front of two objectives: one to the left of it, and one below each point."""
    steps = front[np.argsort(front[:, 0], kind="stable")].tolist()
    starts = [-np.inf, *(first for first, _ in steps)]
    ends = [*(first for first, _ in steps), float(reference[0])]
    heights = [float(reference[1]), *(second for _, second in steps)]
    return [
        ((start, end), (-np.inf, height))
        for start, end, height in zip(starts, ends, heights, strict=True)
        if start < end
    ]


def _with_point(front: Costs, point: Floats) -> Costs:
    """``front`` and a point, less what either dominates."""
    if (front <= point).all(axis=1).any():
        return front
    return np.vstack([front[(front < point).any(axis=1)], point])
