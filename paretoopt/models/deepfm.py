"""DeepFM: a factorisation machine beside a tower, over the same vectors.

Guo et al., "DeepFM: A Factorization-Machine based Neural Network for CTR Prediction", IJCAI 2017; the factorisation
machine is Rendle's (ICDM 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paretoopt.models.categorical_fields import CategoricalFields
from paretoopt.models.tower import Tower


class FactorizationMachine(nn.Module):
    """Logits by a weight for each field's value, and a product of factors for each pair of values.

    A value's vector of ``embedding_dim`` numbers holds its weight in column 0 and its factors in the others. A table of
    its own for the weights would cost another lookup, and stay at 16 bits whatever is asked for, since the scale of a
    row of one number outweighs it. With ``embedding_dim=1`` there are no factors, and this is logistic regression.
    """

    def __init__(self, *, sizes: Sequence[int], n_numeric: int, embedding_dim: int) -> None:
        """Make an untrained model.

        Args:
            sizes: Number of ids of each categorical field.
            n_numeric: Number of numeric fields.
            embedding_dim: Width of each field's vector, its weight included.
        """
        super().__init__()
        self.fields = CategoricalFields(sizes, embedding_dim)
        self.numeric = nn.Parameter(0.01 * torch.randn(n_numeric, embedding_dim))
        self.bias = nn.Parameter(torch.zeros(()))

    def vectors(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """The vector of each field, a numeric one's times its number; shape ``(n_rows, n_fields, embedding_dim)``."""
        return torch.cat([self.fields(categories), numbers[..., None] * self.numeric], dim=1)

    def logits(self, vectors: Tensor) -> Tensor:
        """Logits of shape ``(n_rows,)`` for vectors of shape ``(n_rows, n_fields, embedding_dim)``."""
        totals = vectors.sum(1)
        # All pairs in linear time: half of the square of the sum less the sum of the squares (Rendle 2010, lemma 3.1).
        pairs = totals * totals - (vectors * vectors).sum(1)
        return self.bias + totals[:, 0] + 0.5 * pairs[:, 1:].sum(1)

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Logits of shape ``(n_rows,)``.

        Args:
            categories: Ids of shape ``(n_rows, n_categorical)``.
            numbers: Shape ``(n_rows, n_numeric)``.
        """
        return self.logits(self.vectors(categories, numbers))


class DeepFM(nn.Module):
    """Logits of clicks: those of a factorisation machine, and those of a tower that reads the same vectors."""

    def __init__(
        self, *, sizes: Sequence[int], n_numeric: int, embedding_dim: int, top: Sequence[int], dropout: float
    ) -> None:
        """Make an untrained model.

        Args:
            sizes: Number of ids of each categorical field.
            n_numeric: Number of numeric fields.
            embedding_dim: Width of each field's vector, its first-order weight included.
            top: Widths of the tower's hidden layers.
            dropout: Share of hidden activations dropped in training.
        """
        super().__init__()
        self.machine = FactorizationMachine(sizes=sizes, n_numeric=n_numeric, embedding_dim=embedding_dim)
        self.top = Tower((len(sizes) + n_numeric) * embedding_dim, top, 1, dropout=dropout)

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Logits of shape ``(n_rows,)``.

        Args:
            categories: Ids of shape ``(n_rows, n_categorical)``.
            numbers: Shape ``(n_rows, n_numeric)``.
        """
        vectors = self.machine.vectors(categories, numbers)
        logits: Tensor = self.machine.logits(vectors) + self.top(vectors.flatten(1)).squeeze(1)
        return logits
