"""Whether two artifacts' scores rank the same candidates, or rows, first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slates import Slates
from paretoopt.measurement.bootstrap import bounded_mean_interval, mean_interval
from paretoopt.measurement.click_intervals import auc_change_interval
from paretoopt.measurement.click_quality import auc
from paretoopt.measurement.parity_rules import AUC_CHANGE, ParityRules, refuse_loss, refuse_other_lists
from paretoopt.pipeline.stage import Requests

Scores = NDArray[np.float64]
"""Higher for what is better."""

ROWS_OF_A_SLATE = 100
"""Rows that are ranked against each other, where no request says which ones are."""

_AUC_OF_CHANCE = 0.5


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Requests of one row each, and what became of it.

    Attributes:
        requests: What the artifact is asked, stacked along axis 0.
        labels: 1 for a click, 0 for none; shape ``(n_rows,)``.
        clusters: A number for each row, equal for rows that belong together, such as the user's; None where none do.
    """

    requests: Requests
    labels: NDArray[np.integer]
    clusters: NDArray[np.integer] | None = None


def compare_slates(earlier: Scores, now: Scores, slates: Slates, rules: ParityRules) -> dict[str, Measurement]:
    """The overlap of the best k candidates by two artifacts' scores, and the change of NDCG.

    Args:
        earlier: The scores before; shape of ``slates.candidates``.
        now: The scores to be judged.
        slates: The candidates, and the wanted one of each slate.
        rules: What must be kept.

    Raises:
        CandidateError: The rankings are too different; the message holds the figures.
    """
    overlap = _overlap(earlier, now, slates.is_real, rules)
    before, after, chance = (slate_quality(each, slates, rules.k).gains for each in (earlier, now, np.zeros_like(now)))
    change = Measurement(float((after - before).mean()), *mean_interval(after - before))
    refuse_loss(change, float(before.mean()), rules, quality=f"NDCG@{rules.k}", chance=float(chance.mean()))
    return {rules.overlap_metric: overlap, rules.change_metric: change}


def compare_rows(
    earlier: Scores, now: Scores, rows: LabelledRows, rules: ParityRules, *, seed: int = 0
) -> dict[str, Measurement]:
    """The overlap of the best k of each 100 rows by two artifacts' scores, and the change of the AUC over all rows.

    Args:
        earlier: The scores before; shape ``(n_rows,)``.
        now: The scores to be judged.
        rows: What became of the rows.
        rules: What must be kept.
        seed: Of the order in which rows are put together.

    Raises:
        CandidateError: The rankings are too different; the message holds the figures.
        MeasurementError: The labels are not 0 and 1, or one of the two does not occur.
    """
    places = _shuffled(len(now), seed)
    overlap = _overlap(earlier[places], now[places], places >= 0, rules)
    before, after = (auc(rows.labels, scores) for scores in (earlier, now))
    change = Measurement(after - before, *auc_change_interval(rows.labels, earlier, now, rows.clusters))
    refuse_loss(change, before, rules, quality="the AUC", chance=_AUC_OF_CHANCE)
    return {rules.overlap_metric: overlap, AUC_CHANGE: change}


def listed_shares(scores: Scores, is_real: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """The chance of each candidate to be among the best ``k`` of its slate: 1 or 0 but for ties at the end of the list.

    >>> listed_shares(np.array([[0.9, 0.5, 0.5, 0.1]]), np.ones((1, 4), bool), 2).tolist()
    [[1.0, 0.5, 0.5, 0.0]]
    """
    hidden = np.where(is_real, scores, -np.inf)
    n_listed = np.minimum(k, is_real.sum(1))[:, None]
    last = -np.take_along_axis(np.sort(-hidden, axis=1), n_listed - 1, axis=1)
    tied = is_real & (hidden == last)
    n_left = n_listed - (hidden > last).sum(1, keepdims=True)
    shares: NDArray[np.float64] = (hidden > last) + tied * (n_left / tied.sum(1, keepdims=True))
    return shares


def _overlap(earlier: Scores, now: Scores, is_real: NDArray[np.bool_], rules: ParityRules) -> Measurement:
    # The lesser of two shares: equal rankings share all, however many scores are tied, and a model that scores all
    # alike shares with any other what chance gives.
    both = np.minimum(*(listed_shares(scores, is_real, rules.k) for scores in (earlier, now))).sum(1)
    n_real = is_real.sum(1)
    n_listed = np.minimum(rules.k, n_real)
    shared = both / n_listed
    overlap = Measurement(float(shared.mean()), *bounded_mean_interval(shared))
    refuse_other_lists(overlap, rules, len(shared), chance=float((n_listed / n_real).mean()))
    return overlap


def _shuffled(n_rows: int, seed: int) -> NDArray[np.int64]:
    """Row numbers in random order, a slate per line of 100 or a little more, with -1 on the right of shorter ones."""
    slates = np.array_split(np.random.default_rng(seed).permutation(n_rows), max(1, n_rows // ROWS_OF_A_SLATE))
    longest = max(map(len, slates))
    return np.stack([np.pad(slate, (0, longest - len(slate)), constant_values=-1) for slate in slates])
