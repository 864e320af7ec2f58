"""The module that is exported: from a request to the top-k items, scoring and top-k included."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from paretoopt.errors import CandidateError
from paretoopt.models.vocabulary import TrimmedModel, TrimmedRecommender


def recommender(model: nn.Module, k: int) -> nn.Module:
    """The module that answers requests with ``model``'s ``k`` best items, whether its vocabulary is trimmed or not."""
    if isinstance(model, TrimmedModel):
        return TrimmedRecommender(Recommender(model.scorer, k), model.vocabulary)
    return Recommender(model, k)


class Recommender(nn.Module):
    """Answers one request with the ``k`` best items that the user does not have yet."""

    def __init__(self, scorer: nn.Module, k: int) -> None:
        """Wrap ``scorer``, which gives a score for every item id, padding's 0 included."""
        super().__init__()
        self.scorer = scorer
        self.k = k

    def forward(self, history: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Recommend.

        Args:
            history: Most recent item ids, padded with 0 on the left; shape ``(batch, length)``.
            seen: Item ids never to recommend, padded with 0; shape ``(batch, n_seen)``.

        Returns:
            Item ids and their scores, best first, both of shape ``(batch, k)``.

        Raises:
            CandidateError: The catalogue has fewer than ``k`` items.
        """
        scores = self.scorer(history)
        if scores.shape[1] - 1 < self.k:
            raise CandidateError(
                f"the catalogue has {scores.shape[1] - 1} items, so that no list of k={self.k} can be recommended. "
                "Lower k, or bring more items."
            )
        padding = torch.zeros_like(seen[:, :1])
        excluded = torch.cat([padding, seen], dim=1)
        scores = scores.scatter(1, excluded, float("-inf"))
        best = torch.topk(scores, self.k, dim=1)
        return best.indices, best.values
