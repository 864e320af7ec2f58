"""How well scores rank the one relevant item of each slate; candidates of equal score have no order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.slates import Slates
from paretoopt.errors import DataError


@dataclass(frozen=True, eq=False)
class SlateQuality:
    """Ranking quality on slates, one value per user.

    Attributes:
        hits: The chance that the held-out item is among the first k: 1 or 0 but for ties.
        gains: Its expected NDCG@k.
        areas: Its area under the ROC curve: the share of the others that score below it, ties by half.
    """

    hits: NDArray[np.float64]
    gains: NDArray[np.float64]
    areas: NDArray[np.float64]

    @property
    def hr(self) -> float:
        """HR@k, mean over users."""
        return float(self.hits.mean())

    @property
    def ndcg(self) -> float:
        """NDCG@k, mean over users."""
        return float(self.gains.mean())

    @property
    def auc(self) -> float:
        """The AUC of a slate, mean over users."""
        return float(self.areas.mean())


def slate_quality(scores: NDArray[np.floating], slates: Slates, k: int = 10) -> SlateQuality:
    """The quality of ``scores`` on ``slates``.

    Values are expectations over the orders of candidates with equal scores (McSherry and Najork 2008, "Computing
    Information Retrieval Performance Measures Efficiently in the Presence of Tied Scores"). So a model that scores all
    alike gets what chance gives, wherever the target stands.

    Args:
        scores: Finite, higher for better candidates; shape of ``slates.candidates``.
        slates: The slates; what is scored where there is no candidate does not count.
        k: Length of the list that counts.

    Raises:
        DataError: ``k`` is below 1, or the scores have another shape.
    """
    if k < 1:
        raise DataError(f"k must be at least 1, but is {k}.")
    if scores.shape != slates.candidates.shape:
        raise DataError(f"scores have shape {scores.shape}, but candidates {slates.candidates.shape}.")
    own = np.take_along_axis(scores, slates.positions[:, None], axis=1)
    above = (slates.is_real & (scores > own)).sum(1)
    tied = (slates.is_real & (scores == own)).sum(1)  # the target among them
    below = slates.is_real.sum(1) - above - tied
    ranks = np.arange(1, scores.shape[1] + 1)
    discounts = np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0)
    return SlateQuality(
        hits=_mean_over_places(np.where(ranks <= k, 1.0, 0.0), above, tied),
        gains=_mean_over_places(discounts, above, tied),
        areas=(below + (tied - 1) / 2) / (slates.is_real.sum(1) - 1),
    )


def _mean_over_places(
    values: NDArray[np.float64], above: NDArray[np.int64], tied: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The mean of ``values`` by rank over the places ``above + 1`` to ``above + tied``."""
    summed = np.concatenate([[0.0], np.cumsum(values)])
    # A single place is read off rather than taken from a difference, which rounding would blur.
    means: NDArray[np.float64] = np.where(tied == 1, values[above], (summed[above + tied] - summed[above]) / tied)
    return means
