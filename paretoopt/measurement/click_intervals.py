"""Confidence intervals of the quality of predicted clicks.

Impressions of one user (or session, or request) resemble each other, so intervals may be told the clusters: with them
they are those of drawing clusters anew, without them those of drawing rows anew.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paretoopt.errors import MeasurementError
from paretoopt.measurement.bootstrap import CONFIDENCE
from paretoopt.measurement.click_quality import auc, checked_rows, log_losses, placements


def auc_interval(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike | None = None) -> tuple[float, float]:
    """The 95 % confidence interval of :func:`~paretoopt.measurement.click_quality.auc`.

    The variance is that of DeLong, DeLong and Clarke-Pearson 1988, by midranks (Sun and Xu 2014), and with ``clusters``
    that of Obuchowski 1997 ("Nonparametric Analysis of Clustered ROC Curve Data"), which is DeLong's where every row is
    a cluster of its own. The interval is symmetric in the AUC's logit (Pepe 2003, 5.2), so it stays between 0 and 1.
    Where all scores separate or oppose the labels, it has the room of the exact "rule of three" for the rarer label.

    Args:
        labels: As for :func:`~paretoopt.measurement.click_quality.auc`.
        scores: As for :func:`~paretoopt.measurement.click_quality.auc`.
        clusters: A number for each row, equal for rows that belong together, such as the user's.

    Raises:
        MeasurementError: As :func:`~paretoopt.measurement.click_quality.auc`.
        CandidateError: As :func:`~paretoopt.measurement.click_quality.auc`.
    """
    truth, values = checked_rows(labels, scores)
    area = auc(truth, values)
    if area in (0.0, 1.0):
        reach = 1 - ((1 - CONFIDENCE) / 2) ** (1 / min(truth.sum(), (~truth).sum()))
        return (0.0, float(reach)) if area == 0.0 else (float(1 - reach), 1.0)
    error = np.sqrt(_auc_variance(truth, values, clusters))
    reach = _quantile() * error / (area * (1 - area))
    logit = np.log(area / (1 - area))
    return _sigmoid(logit - reach), _sigmoid(logit + reach)


def auc_change_interval(
    labels: ArrayLike, before: ArrayLike, after: ArrayLike, clusters: ArrayLike | None = None
) -> tuple[float, float]:
    """The 95 % confidence interval of the AUC of ``after`` less that of ``before``, on the same rows.

    By the comparison of correlated AUCs of DeLong, DeLong and Clarke-Pearson 1988, with ``clusters`` in the form of
    Obuchowski 1997: the variance is that of the differences of each cluster's influences.

    Args:
        labels: As for :func:`~paretoopt.measurement.click_quality.auc`.
        before: Scores, as for :func:`~paretoopt.measurement.click_quality.auc`.
        after: The scores that they are compared with.
        clusters: A number for each row, equal for rows that belong together, such as the user's.

    Raises:
        MeasurementError: As :func:`~paretoopt.measurement.click_quality.auc`.
        CandidateError: As :func:`~paretoopt.measurement.click_quality.auc`.
    """
    (truth, earlier), (_, now) = (checked_rows(labels, scores) for scores in (before, after))
    numbers = _cluster_numbers(clusters, len(truth))
    clicks, others = np.subtract(_influences(truth, now, numbers), _influences(truth, earlier, numbers))
    reach = _quantile() * float(np.sqrt(_variance(truth, numbers, clicks, others)))
    change = auc(truth, now) - auc(truth, earlier)
    return change - reach, change + reach


def log_loss_interval(
    labels: ArrayLike, probabilities: ArrayLike, clusters: ArrayLike | None = None
) -> tuple[float, float]:
    """The 95 % confidence interval of :func:`~paretoopt.measurement.click_quality.log_loss`.

    By the linearised variance of a mean over clusters (Taylor linearisation; Cochran 1977, chapter 6), symmetric in the
    logarithm of the loss, which is above 0 and skewed.

    Args:
        labels: As for :func:`~paretoopt.measurement.click_quality.log_loss`.
        probabilities: As for :func:`~paretoopt.measurement.click_quality.log_loss`.
        clusters: A number for each row, equal for rows that belong together, such as the user's.

    Raises:
        MeasurementError: As :func:`~paretoopt.measurement.click_quality.log_loss`.
        CandidateError: As :func:`~paretoopt.measurement.click_quality.log_loss`.
    """
    losses = log_losses(labels, probabilities)
    mean = losses.mean()
    deviations = _cluster_sums(losses - mean, _cluster_numbers(clusters, len(losses)))
    error = np.sqrt(_freedom(len(deviations)) * np.square(deviations).sum()) / len(losses)
    stretch = np.exp(_quantile() * error / mean)
    return float(mean / stretch), float(mean * stretch)


def auc_per_cluster(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike | None = None) -> NDArray[np.float64]:
    """The AUC as a mean over clusters, so that it is compared like other means: pseudo-values.

    The AUC and the cluster's influence on it (the infinitesimal jackknife, Efron and Tibshirani 1993, chapter 21), by
    the placements of DeLong et al. 1988. A single value may lie outside 0 to 1.

    Args:
        labels: 1 for a click, 0 for none; shape ``(n_rows,)``.
        scores: Higher for likelier clicks; same shape.
        clusters: A number for each row, equal for rows that belong together; None for rows alone.

    Returns:
        A value for each cluster, ascending by its number; their mean is the AUC.
    """
    truth, values = checked_rows(labels, scores)
    of_clicks, of_others = _influences(truth, values, _cluster_numbers(clusters, len(truth)))
    pseudo: NDArray[np.float64] = auc(truth, values) + len(of_clicks) * (of_clicks + of_others)
    return pseudo


def _auc_variance(truth: NDArray[np.bool_], values: NDArray[np.float64], clusters: ArrayLike | None) -> float:
    numbers = _cluster_numbers(clusters, len(truth))
    return _variance(truth, numbers, *_influences(truth, values, numbers))


def _variance(
    truth: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    of_clicks: NDArray[np.float64],
    of_others: NDArray[np.float64],
) -> float:
    """The variance of what moves as far as the clusters' influences say."""
    variance = sum(
        _freedom(len(np.unique(numbers[rows]))) * float(influences @ influences)
        for influences, rows in ((of_clicks, truth), (of_others, ~truth))
    )
    return max(variance + 2 * _freedom(len(of_clicks)) * float(of_clicks @ of_others), 0.0)


def _influences(
    truth: NDArray[np.bool_], values: NDArray[np.float64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far each cluster moves the AUC from where it is, by its clicks and by its others."""
    clicks, others = placements(truth, values)
    deviations = np.zeros((2, len(truth)))
    deviations[0, truth] = (clicks - clicks.mean()) / len(clicks)
    deviations[1, ~truth] = (others - others.mean()) / len(others)
    of_clicks, of_others = (_cluster_sums(column, numbers) for column in deviations)
    return of_clicks, of_others


def _freedom(n: int) -> float:
    """The factor that makes a variance of ``n`` values unbiased."""
    return n / max(n - 1, 1)


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


def _quantile() -> float:
    return NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
