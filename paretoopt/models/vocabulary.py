"""Item tables without the rows that nobody needs, behind item ids that mean the same as before."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


class Vocabulary(nn.Module):
    """Translates between item ids, as requests and answers have them, and rows of a shorter table.

    Row 0 is padding, and stands for every item that has no row.
    """

    def __init__(self, kept: NDArray[np.int64], n_items: int) -> None:
        """Keep a row for each id in ``kept``.

        Args:
            kept: Ids from 1 to ``n_items``, ascending.
            n_items: The greatest id.
        """
        super().__init__()
        self.rows_by_id: Tensor
        self.ids_by_row: Tensor
        ids = np.concatenate([[0], kept])
        rows = np.zeros(n_items + 1, dtype=np.int32)
        rows[ids] = np.arange(len(ids), dtype=np.int32)
        # 4 bytes per item, against 4 * width that its row takes.
        self.register_buffer("rows_by_id", torch.from_numpy(rows))
        self.register_buffer("ids_by_row", torch.from_numpy(ids.astype(np.int32)))

    def rows(self, ids: Tensor) -> Tensor:
        """The row of each id, 0 for items without one; same shape, int64."""
        return self.rows_by_id[ids].long()

    def ids(self, rows: Tensor) -> Tensor:
        """The id of each row; same shape, int64."""
        return self.ids_by_row[rows].long()

    def history(self, ids: Tensor) -> Tensor:
        """The rows of a history as if items without a row had never been in it: the others move up to the right.

        Args:
            ids: Shape ``(batch, length)``, oldest first, padded with 0 on the left.
        """
        rows = self.rows(ids)
        length = rows.shape[1]
        positions = torch.arange(length, device=rows.device)
        # Distinct keys keep the order among equals, which no runtime promises for ties.
        order = torch.topk((rows != 0) * length + positions, length, dim=1, largest=False).indices
        return rows.gather(1, order)


class TrimmedModel(nn.Module):
    """A scorer over the rows of a vocabulary, with that vocabulary."""

    def __init__(self, scorer: nn.Module, vocabulary: Vocabulary) -> None:
        """Put the two together; the scorer's item table has the vocabulary's rows."""
        super().__init__()
        self.scorer = scorer
        self.vocabulary = vocabulary


class TrimmedRecommender(nn.Module):
    """A recommender over rows that takes and gives item ids."""

    def __init__(self, recommender: nn.Module, vocabulary: Vocabulary) -> None:
        """Wrap ``recommender``, which takes and gives rows of ``vocabulary``."""
        super().__init__()
        self.recommender = recommender
        self.vocabulary = vocabulary

    def forward(self, history: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Recommend; items without a row are passed over in ``history`` and never recommended.

        Args:
            history: Most recent item ids, padded with 0 on the left; shape ``(batch, length)``.
            seen: Item ids never to recommend, padded with 0; shape ``(batch, n_seen)``.

        Returns:
            Item ids and their scores, best first, both of shape ``(batch, k)``.
        """
        rows, scores = self.recommender(self.vocabulary.history(history), self.vocabulary.rows(seen))
        return self.vocabulary.ids(rows), scores
