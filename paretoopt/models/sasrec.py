"""SASRec: a self-attentive encoder of a user's history, scoring the whole catalogue.

After Kang and McAuley, "Self-Attentive Sequential Recommendation" (ICDM 2018), with pre-norm blocks
and one item table for looking up and for scoring. Every shape is read from the weights, so that a
pruned copy is the same code with narrower layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_MASKED = -1e9


class Attention(nn.Module):
    """Multi-head self-attention with separate query, key and value projections."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Make projections of ``width`` channels, shared out among ``heads``."""
        super().__init__()
        self.head_numbers: Tensor
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        # The numbers of the original heads that are left: a buffer, so that the weights tell how many there are.
        self.register_buffer("head_numbers", torch.arange(heads))
        # Fixed at construction: pruning narrows the heads, but the logits were trained at this scale.
        self.scale = (width // heads) ** -0.5
        self.dropout = dropout

    @property
    def heads(self) -> int:
        """The number of heads."""
        return len(self.head_numbers)

    def keep_heads(self, kept: Sequence[int]) -> None:
        """Go on with the heads at the positions ``kept``, to which pruning has narrowed the projections."""
        self.head_numbers = self.head_numbers[list(kept)]

    def forward(self, queries: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """Attend from ``queries`` to ``context``.

        Args:
            queries: Shape ``(batch, n_queries, width)``.
            context: Shape ``(batch, length, width)``.
            mask: Added to the logits; broadcast to ``(batch, heads, n_queries, length)``.
        """
        query, key, value = self._split(self.query(queries)), self._split(self.key(context)), self.value(context)
        weights = torch.softmax(query @ key.transpose(-2, -1) * self.scale + mask, dim=-1)
        weights = nn.functional.dropout(weights, self.dropout, self.training)
        mixed = (weights @ self._split(value)).transpose(1, 2)
        output: Tensor = self.output(mixed.flatten(2))
        return output

    def _split(self, projected: Tensor) -> Tensor:
        batch, length, _ = projected.shape
        return projected.view(batch, length, self.heads, -1).transpose(1, 2)


class Block(nn.Module):
    """A pre-norm transformer block: attention, then a feed-forward layer of ``4 * width`` channels."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        """Make the block's layers."""
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor, *, n_last: int | None = None) -> Tensor:
        """The block's output of shape ``(batch, length, width)``, or for the ``n_last`` positions only."""
        context = self.attention_norm(hidden)
        if n_last is not None:
            hidden, queries, mask = hidden[:, -n_last:], context[:, -n_last:], mask[:, :, -n_last:]
        else:
            queries = context
        hidden = hidden + self.dropout(self.attention(queries, context, mask))
        inner = nn.functional.gelu(self.expand(self.feed_forward_norm(hidden)))
        output: Tensor = hidden + self.dropout(self.contract(inner))
        return output


class SASRec(nn.Module):
    """Encodes item histories; item id 0 is padding, on the left of shorter histories."""

    def __init__(
        self, *, n_items: int, embedding_dim: int, length: int, blocks: int, heads: int, dropout: float
    ) -> None:
        """Make an untrained encoder.

        Args:
            n_items: Size of the catalogue; item ids run from 1 to ``n_items``.
            embedding_dim: Width of the item vectors and of the encoder.
            length: Number of most recent items that the encoder reads.
            blocks: Number of transformer blocks.
            heads: Attention heads; they divide ``embedding_dim``.
            dropout: Share of activations dropped in training.
        """
        super().__init__()
        self.items = nn.Embedding(n_items + 1, embedding_dim, padding_idx=0)
        self.positions = nn.Parameter(torch.zeros(length, embedding_dim))
        self.blocks = nn.ModuleList(Block(embedding_dim, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(embedding_dim)
        self.dropout = nn.Dropout(dropout)
        # The table both feeds the encoder and scores its output. Scaled up on the way in, its entries
        # start at unit variance; unscaled on the way out, the logits do: learning starts at once.
        self.input_scale = math.sqrt(embedding_dim)
        nn.init.normal_(self.items.weight, std=embedding_dim**-0.5)
        nn.init.normal_(self.positions, std=0.02)
        with torch.no_grad():
            self.items.weight[0].zero_()

    def encode(self, history: Tensor, *, n_last: int | None = None) -> Tensor:
        """Hidden states after each position of ``history``.

        Args:
            history: Item ids of shape ``(batch, length)`` or shorter, padded with 0 on the left.
            n_last: Give only the states of the last ``n_last`` positions.

        Returns:
            Shape ``(batch, length or n_last, embedding_dim)``.
        """
        positions = self.positions[-history.shape[1] :]
        hidden = self.dropout(self.items(history) * self.input_scale + positions)
        mask = self._mask(history)
        last = len(self.blocks) - 1
        for index, block in enumerate(self.blocks):
            hidden = block(hidden, mask, n_last=n_last if index == last else None)
        states: Tensor = self.norm(hidden)
        return states

    def forward(self, history: Tensor) -> Tensor:
        """Scores of every item id, padding's 0 included, as the next item; shape ``(batch, n_items + 1)``."""
        return self.encode(history, n_last=1)[:, -1] @ self.items.weight.T

    def _mask(self, history: Tensor) -> Tensor:
        length = history.shape[1]
        future = torch.full((length, length), _MASKED, device=history.device).triu(1)
        padding = (history == 0).to(future.dtype) * _MASKED
        return future + padding[:, None, None, :]
