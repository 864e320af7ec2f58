"""Ranking quality of top-k lists against one held-out item per user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hits(recommended: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 for each user whose held-out item is in the list, else 0.

    Args:
        recommended: Items, best first; shape ``(n_users, k)``.
        targets: The held-out item of each user; shape ``(n_users,)``.
    """
    found: NDArray[np.float64] = (recommended == targets[:, None]).any(1).astype(np.float64)
    return found


def discounted_gains(recommended: NDArray[np.int64], targets: NDArray[np.int64]) -> NDArray[np.float64]:
    """NDCG of each user: ``1 / log2(rank + 1)`` for the held-out item's rank, 0 where it is not listed.

    With one relevant item the ideal gain is 1, so that the discounted gain is normalised already.

    Args:
        recommended: Items, best first; shape ``(n_users, k)``.
        targets: The held-out item of each user; shape ``(n_users,)``.
    """
    discounts = 1 / np.log2(np.arange(2, recommended.shape[1] + 2))
    gains: NDArray[np.float64] = ((recommended == targets[:, None]) * discounts).sum(1)
    return gains
