"""Quality of predicted clicks: AUC and log-loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paretoopt.errors import CandidateError, MeasurementError

# Artifacts answer in float32, whose sigmoid reaches 0 and 1; no nearer to them is told apart.
_NEAREST = float(np.finfo(np.float32).eps)


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """The area under the ROC curve: the chance that a click scores above a non-click, ties by half.

    By the Mann-Whitney statistic on midranks (Hanley and McNeil 1982).

    Args:
        labels: 1 for a click, 0 for none; shape ``(n_rows,)``.
        scores: Probabilities, logits or any other scores, higher for likelier clicks; same shape.

    Raises:
        MeasurementError: The shapes differ, a label is neither 0 nor 1, or one of the two does not occur.
        CandidateError: A score is NaN.

    >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    truth, values = checked_rows(labels, scores)
    return float(placements(truth, values)[0].mean())


def log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """The mean negative log-likelihood of the labels, in nats; less is better.

    Probabilities nearer to 0 or 1 than float32 tells apart (1.2e-7) count as that near.

    Args:
        labels: 1 for a click, 0 for none; shape ``(n_rows,)``.
        probabilities: Of a click, from 0 to 1; same shape.

    Raises:
        MeasurementError: The shapes differ, a label is neither 0 nor 1, or one of the two does not occur.
        CandidateError: A probability is NaN, below 0 or above 1.
    """
    return float(log_losses(labels, probabilities).mean())


def log_losses(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """The negative log-likelihood of each row, whose mean is :func:`log_loss`; shape ``(n_rows,)``."""
    truth, values = checked_rows(labels, probabilities)
    if values.min() < 0 or values.max() > 1:
        raise CandidateError(
            f"the probabilities go from {values.min():g} to {values.max():g}, but must be from 0 to 1. "
            "Let the model end in a sigmoid."
        )
    right = np.where(truth, values, 1 - values)
    losses: NDArray[np.float64] = -np.log(np.clip(right, _NEAREST, 1 - _NEAREST))
    return losses


def placements(
    truth: NDArray[np.bool_], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each click the share of others that score below it, for each other that of clicks above; ties by half.

    Args:
        truth: Whether each row is a click; shape ``(n_rows,)``.
        values: Scores; same shape.

    Returns:
        Shapes ``(n_clicks,)`` and ``(n_rows - n_clicks,)``; the mean of either is the AUC.
    """
    ranks = _midranks(values)
    clicks = (ranks[truth] - _midranks(values[truth])) / (~truth).sum()
    others = 1 - (ranks[~truth] - _midranks(values[~truth])) / truth.sum()
    return clicks, others


def checked_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether each row is a click, and its score.

    Raises:
        MeasurementError: The shapes differ, a label is neither 0 nor 1, or one of the two does not occur.
        CandidateError: A score is NaN.
    """
    truth, values = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != values.shape:
        raise MeasurementError(f"labels have shape {truth.shape} and scores {values.shape}. Give one of each per row.")
    if np.unique(truth).tolist() != [0, 1]:
        raise MeasurementError(
            f"labels must be 0 and 1, and both must occur, but they are {np.unique(truth)[:5].tolist()}. "
            "Measure on rows with clicks and without."
        )
    if np.isnan(values).any():
        raise CandidateError("the artifact gives scores that are NaN: its weights are broken. Train it anew.")
    return truth == 1, values


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 in ascending order; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks
