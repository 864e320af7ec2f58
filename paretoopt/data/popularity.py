"""What recommending the most popular items achieves: the least that a model has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.requests import distinct_items, targets_of
from paretoopt.data.split import Split
from paretoopt.errors import DataError


@dataclass(frozen=True, eq=False)
class PopularityBaseline:
    """Ranking quality of popularity against one held-out item per user.

    Attributes:
        ranks: Place of each user's held-out item in the full ranking, from 1; 0 where it can never
            be recommended because the user has it already. Shape ``(n_users,)``.
        k: Length of the list that counts.
    """

    ranks: NDArray[np.int64]
    k: int

    @property
    def hits(self) -> NDArray[np.float64]:
        """1 for each user whose held-out item is in the list, else 0."""
        return ((self.ranks > 0) & (self.ranks <= self.k)).astype(np.float64)

    @property
    def gains(self) -> NDArray[np.float64]:
        """NDCG@k of each user."""
        gains: NDArray[np.float64] = self.hits / np.log2(np.maximum(self.ranks, 1) + 1)
        return gains

    @property
    def hr(self) -> float:
        """HR@k: the share of users whose held-out item is in the list."""
        return float(self.hits.mean())

    @property
    def ndcg(self) -> float:
        """NDCG@k, mean over users."""
        return float(self.gains.mean())


def popularity_baseline(
    split: Split, k: int = 10, *, phase: str = "test", exclude_seen: bool = True
) -> PopularityBaseline:
    """Rank the whole catalogue by its number of training events, for every user.

    Equally popular items are ranked by their id.

    Args:
        split: The data.
        k: Length of the list that counts.
        phase: Whether ``"validation"`` or ``"test"`` items are to be found.
        exclude_seen: Leave out of each user's list what the user has already.

    Raises:
        DataError: ``k`` is below 1, or ``phase`` is unknown.
    """
    if k < 1:
        raise DataError(f"k must be at least 1, but is {k}.")
    targets = targets_of(split, phase)
    counts = np.bincount(split.train_items, minlength=split.n_items)
    place = np.empty(split.n_items, dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.arange(split.n_items)
    ranks = place[targets] + 1
    if exclude_seen:
        users, items = distinct_items(split, phase)
        ranks -= np.bincount(users[place[items] < place[targets][users]], minlength=split.n_users)
        ranks[users[items == targets[users]]] = 0
    return PopularityBaseline(ranks, k)
