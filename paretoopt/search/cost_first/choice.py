"""Which cell to evaluate next: expected hypervolume improvement, weighed against the cost that remains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import Costs
from paretoopt.search.cost_first.grid import Numbers
from paretoopt.search.cost_first.improvement import (
    Boxes,
    expected_improvement,
    expected_joint_improvement,
    is_promising,
    nondominated_boxes,
)

Floats = NDArray[np.float64]

COST_EXPONENT = 0.75
"""Dividing by the cost itself keeps to bases that are trained already, even when they have little left to give."""
_MOST_SHAPES = 400
_MOST_TOGETHER = 48
_MOST_BUNDLES = 60
_TIE = 1e-9

Bundle = frozenset[str]
"""Keys of the training stages that a candidate still needs."""


@dataclass(frozen=True)
class Outlook:
    """What is expected of the cells that may be proposed.

    Attributes:
        cells: Their numbers, ascending; an array of shape ``(n,)``.
        mean: Array of shape ``(n, n_objectives)``; every column is minimised.
        deviation: Standard deviations, 0 where a value is known; of the same shape.
        promise: Probability that the candidate can be evaluated and is feasible; of shape ``(n,)``.
        bundles: The training stages that each still needs.
        seconds: Expected cost of each stage, by key.
        measuring_seconds: Cost of measuring a candidate.
    """

    cells: Numbers
    mean: Floats
    deviation: Floats
    promise: Floats
    bundles: Sequence[Bundle]
    seconds: Mapping[str, float]
    measuring_seconds: float

    def cost(self, bundle: Bundle) -> float:
        """Expected seconds until a candidate with this bundle is measured."""
        return self.measuring_seconds + sum(self.seconds[key] for key in bundle)

    def of(self, rows: Numbers) -> Outlook:
        """The outlook on some of the cells."""
        return Outlook(
            self.cells[rows],
            self.mean[rows],
            self.deviation[rows],
            self.promise[rows],
            [self.bundles[row] for row in rows],
            self.seconds,
            self.measuring_seconds,
        )


def choose(outlook: Outlook, front: Costs, reference: Floats) -> int:
    """The cell with the greatest expected improvement per root of its remaining cost.

    Training a model makes all its variants nearly free. So a bundle of training stages is worth the hypervolume that
    all cells which need nothing beside it are expected to add together, and the cell proposed is the best of them.
    Above 400 cells, only the most promising ones, each one deviation better than expected, are looked at in full.

    Args:
        outlook: What is expected of the cells; there is at least one.
        front: What is reached, evaluations that other processes run now included as they are expected to come out.
        reference: Where hypervolume is measured from.
    """
    boxes = nondominated_boxes(front, reference)
    weights = np.array([outlook.cost(bundle) for bundle in outlook.bundles]) ** -COST_EXPONENT
    if len(outlook.cells) > _MOST_SHAPES:
        screened = _screened(outlook, weights, boxes, front, reference)
        outlook, weights = outlook.of(screened), weights[screened]
    gains = expected_improvement(outlook.mean, outlook.deviation, boxes) * outlook.promise
    if gains.max() <= 0:
        return _most_uncertain(outlook, weights)
    scores = gains * weights
    for bundle, value in _joint_gains(outlook, gains, scores, front, reference).items():
        members = np.array([own == bundle for own in outlook.bundles])
        # Among the cells of one bundle the best comes first; that cell has the bundle's score.
        scores[members] = value * outlook.cost(bundle) ** -COST_EXPONENT * gains[members] / gains[members].max()
    return int(outlook.cells[first_best(scores)])


def first_best(scores: Floats) -> int:
    """Position of the greatest score; of the first of those that rounding errors alone tell apart.

    >>> first_best(np.array([1.0, 2.0, 2.0 + 1e-12]))
    1
    """
    best = scores.max()
    return int(np.flatnonzero(scores >= best - _TIE * abs(best))[0])


def _screened(outlook: Outlook, weights: Floats, boxes: Boxes, front: Costs, reference: Floats) -> Numbers:
    """The rows whose improvement is greatest where all comes out one deviation better than expected, ascending."""
    hoped = outlook.mean - outlook.deviation
    improved = np.zeros(len(hoped))
    rows = np.flatnonzero(is_promising(hoped, front, reference) & (outlook.promise > 0))
    improved[rows] = expected_improvement(hoped[rows], np.zeros_like(hoped[rows]), boxes)
    scores = improved * outlook.promise * weights
    return np.sort(np.argsort(-scores, kind="stable")[:_MOST_SHAPES])


def _most_uncertain(outlook: Outlook, weights: Floats) -> int:
    """Where nothing is expected to improve the front: the most doubtful of the candidates, by cost."""
    doubt = (outlook.deviation.sum(axis=1) + _TIE) * (outlook.promise + _TIE) * weights
    return int(outlook.cells[first_best(doubt)])


def _joint_gains(
    outlook: Outlook, gains: Floats, scores: Floats, front: Costs, reference: Floats
) -> dict[Bundle, float]:
    """What each of the best bundles of stages is worth: all cells that need no other stage, taken together."""
    best: dict[Bundle, float] = {}
    for bundle, score in zip(outlook.bundles, scores, strict=True):
        if bundle and score > 0:
            best[bundle] = max(score, best.get(bundle, 0.0))
    ranked = sorted(best, key=lambda bundle: -best[bundle])[:_MOST_BUNDLES]
    joint = {}
    for bundle in ranked:
        inside = np.array([own <= bundle and bool(own) for own in outlook.bundles]) & (gains > 0)
        rows = np.flatnonzero(inside)
        rows = rows[np.argsort(-gains[rows], kind="stable")[:_MOST_TOGETHER]]
        chance = float(np.average(outlook.promise[rows], weights=gains[rows]))
        together = expected_joint_improvement(outlook.mean[rows], outlook.deviation[rows], front, reference)
        joint[bundle] = max(chance * together, float(gains[rows].max()))
    return joint
