"""Whether two artifacts recommend the same lists."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.measurement.bootstrap import bounded_mean_interval, mean_interval
from paretoopt.measurement.parity_rules import ParityRules, refuse_loss, refuse_other_lists
from paretoopt.training.ranking import discounted_gains

Lists = NDArray[np.int64]
"""Recommended item ids, best first; shape ``(n_requests, k)``."""


def compare_lists(
    earlier: Lists, now: Lists, rules: ParityRules, *, wanted: NDArray[np.int64] | None = None
) -> dict[str, Measurement]:
    """The overlap of two artifacts' lists and, where the ``wanted`` items are known, the change of NDCG.

    Raises:
        CandidateError: The lists are too different; the message holds the figures.
    """
    shared = overlaps(earlier, now)
    overlap = Measurement(float(shared.mean()), *bounded_mean_interval(shared))
    refuse_other_lists(overlap, rules, len(shared))
    if wanted is None:
        return {rules.overlap_metric: overlap}
    before, after = (discounted_gains(lists, wanted) for lists in (earlier, now))
    change = Measurement(float((after - before).mean()), *mean_interval(after - before))
    refuse_loss(change, float(before.mean()), rules, quality=f"NDCG@{rules.k}")
    return {rules.overlap_metric: overlap, rules.change_metric: change}


def overlaps(one: Lists, other: Lists) -> NDArray[np.float64]:
    """The share of items that two lists have in common, whatever their order, for each request.

    >>> overlaps(np.array([[1, 2], [3, 4]]), np.array([[2, 1], [3, 5]])).tolist()
    [1.0, 0.5]
    """
    shared: NDArray[np.float64] = (one[:, :, None] == other[:, None, :]).any(2).mean(1)
    return shared
