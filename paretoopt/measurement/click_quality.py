"""Quality of predicted clicks, AUC and log-loss, each with its confidence interval.

Impressions of one user (or session, or request) resemble each other, so intervals may be told the clusters: with them
they are those of drawing clusters anew, without them those of drawing rows anew.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paretoopt.errors import CandidateError, MeasurementError
from paretoopt.measurement.bootstrap import CONFIDENCE

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
    truth, values = _checked(labels, scores)
    return float(_placements(truth, values)[0].mean())


def auc_interval(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike | None = None) -> tuple[float, float]:
    """The 95 % confidence interval of :func:`auc`.

    The variance is that of DeLong, DeLong and Clarke-Pearson 1988, by midranks (Sun and Xu 2014), and with ``clusters``
    that of Obuchowski 1997 ("Nonparametric Analysis of Clustered ROC Curve Data"), which is DeLong's where every row is
    a cluster of its own. The interval is symmetric in the AUC's logit (Pepe 2003, 5.2), so it stays between 0 and 1.
    Where all scores separate or oppose the labels, it has the room of the exact "rule of three" for the rarer label.

    Args:
        labels: As for :func:`auc`.
        scores: As for :func:`auc`.
        clusters: A number for each row, equal for rows that belong together, such as the user's.

    Raises:
        MeasurementError: As :func:`auc`.
        CandidateError: As :func:`auc`.
    """
    truth, values = _checked(labels, scores)
    area = auc(truth, values)
    if area in (0.0, 1.0):
        reach = 1 - ((1 - CONFIDENCE) / 2) ** (1 / min(truth.sum(), (~truth).sum()))
        return (0.0, float(reach)) if area == 0.0 else (float(1 - reach), 1.0)
    error = np.sqrt(_auc_variance(truth, values, clusters))
    reach = _quantile() * error / (area * (1 - area))
    logit = np.log(area / (1 - area))
    return _sigmoid(logit - reach), _sigmoid(logit + reach)


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
    truth, values = _checked(labels, probabilities)
    if values.min() < 0 or values.max() > 1:
        raise CandidateError(
            f"the probabilities go from {values.min():g} to {values.max():g}, but must be from 0 to 1. "
            "Let the model end in a sigmoid."
        )
    right = np.where(truth, values, 1 - values)
    losses: NDArray[np.float64] = -np.log(np.clip(right, _NEAREST, 1 - _NEAREST))
    return losses


def log_loss_interval(
    labels: ArrayLike, probabilities: ArrayLike, clusters: ArrayLike | None = None
) -> tuple[float, float]:
    """The 95 % confidence interval of :func:`log_loss`.

    By the linearised variance of a mean over clusters (Taylor linearisation; Cochran 1977, chapter 6), symmetric in the
    logarithm of the loss, which is above 0 and skewed.

    Args:
        labels: As for :func:`log_loss`.
        probabilities: As for :func:`log_loss`.
        clusters: A number for each row, equal for rows that belong together, such as the user's.

    Raises:
        MeasurementError: As :func:`log_loss`.
        CandidateError: As :func:`log_loss`.
    """
    losses = log_losses(labels, probabilities)
    mean = losses.mean()
    deviations = _cluster_sums(losses - mean, _cluster_numbers(clusters, len(losses)))
    n = len(deviations)
    error = np.sqrt(n / max(n - 1, 1) * np.square(deviations).sum()) / len(losses)
    stretch = np.exp(_quantile() * error / mean)
    return float(mean / stretch), float(mean * stretch)


def _auc_variance(truth: NDArray[np.bool_], values: NDArray[np.float64], clusters: ArrayLike | None) -> float:
    numbers = _cluster_numbers(clusters, len(truth))
    clicks, others = _placements(truth, values)
    deviations = np.zeros((2, len(truth)))
    deviations[0, truth], deviations[1, ~truth] = clicks - clicks.mean(), others - others.mean()
    of_clicks, of_others = (_cluster_sums(column, numbers) for column in deviations)
    variance = 0.0
    for sums, rows in ((of_clicks, truth), (of_others, ~truth)):
        n_clusters = len(np.unique(numbers[rows]))
        variance += n_clusters / max(n_clusters - 1, 1) * float(np.square(sums).sum()) / int(rows.sum()) ** 2
    n = len(of_clicks)
    both = n / max(n - 1, 1) * float(of_clicks @ of_others) / (len(clicks) * len(others))
    return max(variance + 2 * both, 0.0)


def _placements(
    truth: NDArray[np.bool_], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each click the share of others that score below it, for each other that of clicks above; ties by half."""
    ranks = _midranks(values)
    clicks = (ranks[truth] - _midranks(values[truth])) / (~truth).sum()
    others = 1 - (ranks[~truth] - _midranks(values[~truth])) / truth.sum()
    return clicks, others


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1 in ascending order; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return ranks


def _cluster_numbers(clusters: ArrayLike | None, n_rows: int) -> NDArray[np.int64]:
    if clusters is None:
        return np.arange(n_rows)
    numbers = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if numbers.shape != (n_rows,):
        raise MeasurementError(f"clusters have shape {numbers.shape} for {n_rows} rows. Give a number for each row.")
    return numbers.astype(np.int64)


def _cluster_sums(values: NDArray[np.float64], numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    sums: NDArray[np.float64] = np.bincount(numbers, weights=values).astype(np.float64)
    return sums


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
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


def _quantile() -> float:
    return NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
