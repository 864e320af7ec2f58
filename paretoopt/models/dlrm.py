"""DLRM: the deep learning recommendation model, pairwise products of all fields' vectors under a tower.

Naumov et al., "Deep Learning Recommendation Model for Personalization and Recommendation Systems", 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from paretoopt.models.categorical_fields import CategoricalFields
from paretoopt.models.tower import Tower


class DLRM(nn.Module):
    """Logits of clicks.

    A bottom tower turns the numeric fields into a vector as wide as the embeddings; it and the fields' vectors are
    multiplied with each other, pair by pair, and the top tower reads the products beside the bottom tower's vector.
    Without numeric fields there is no bottom tower, and the top tower reads the fields' vectors in its place: the
    products alone would not tell it which values they are of.
    """

    pairs: Tensor

    def __init__(
        self,
        *,
        sizes: Sequence[int],
        n_numeric: int,
        embedding_dim: int,
        bottom: Sequence[int],
        top: Sequence[int],
        dropout: float,
    ) -> None:
        """Make an untrained model.

        Args:
            sizes: Number of ids of each categorical field.
            n_numeric: Number of numeric fields.
            embedding_dim: Width of the embeddings, and of the bottom tower's output.
            bottom: Widths of the bottom tower's hidden layers.
            top: Widths of the top tower's hidden layers.
            dropout: Share of hidden activations dropped in training.
        """
        super().__init__()
        self.fields = CategoricalFields(sizes, embedding_dim)
        self.bottom = Tower(n_numeric, bottom, embedding_dim, dropout=dropout) if n_numeric else None
        n_vectors = len(sizes) + (1 if n_numeric else 0)
        n_direct = embedding_dim * (1 if n_numeric else n_vectors)
        self.top = Tower(n_direct + n_vectors * (n_vectors - 1) // 2, top, 1, dropout=dropout)
        rows, columns = torch.tril_indices(n_vectors, n_vectors, offset=-1)
        self.register_buffer("pairs", rows * n_vectors + columns)

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        """Logits of shape ``(n_rows,)``.

        Args:
            categories: Ids of shape ``(n_rows, n_categorical)``.
            numbers: Shape ``(n_rows, n_numeric)``.
        """
        vectors = self.fields(categories)
        if self.bottom is None:
            direct = vectors.flatten(1)
        else:
            direct = self.bottom(numbers).relu()
            vectors = torch.cat([direct[:, None], vectors], dim=1)
        products = (vectors @ vectors.transpose(1, 2)).flatten(1).index_select(1, self.pairs)
        logits: Tensor = self.top(torch.cat([direct, products], dim=1)).squeeze(1)
        return logits
