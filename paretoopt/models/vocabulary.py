"""Item tables without the rows that nobody needs, behind item ids that mean the same as before."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

_BLOCK = 128
_TRIMMED = 255


class Vocabulary(nn.Module):
    """Translates between item ids, as requests and answers have them, and rows of a shorter table.

    Row 0 is padding, and stands for every item that has no row. Kept are, for each block of 128 ids, the first row,
    and for each id one byte: its place among the rows of the block. A whole map each way would take 8 bytes an id,
    which is more than quantised rows are worth where few of them go.
    """

    def __init__(self, kept: NDArray[np.int64], n_items: int) -> None:
        """Keep a row for each id in ``kept``.

        Args:
            kept: Ids from 1 to ``n_items``, ascending.
            n_items: The greatest id.
        """
        super().__init__()
        self.first_rows: Tensor
        self.places: Tensor
        has_row = np.zeros((n_items // _BLOCK + 1, _BLOCK), dtype=bool)
        has_row.flat[np.concatenate([[0], kept])] = True
        per_block = has_row.sum(1)
        places = np.where(has_row, has_row.cumsum(1) - 1, _TRIMMED).astype(np.uint8)
        self.register_buffer("first_rows", torch.from_numpy((per_block.cumsum() - per_block).astype(np.int32)))
        self.register_buffer("places", torch.from_numpy(places.ravel()))

    def rows(self, ids: Tensor) -> Tensor:
        """The row of each id, 0 for items without one; same shape, int64."""
        places = _looked_up(self.places, ids)
        rows = _looked_up(self.first_rows, ids // _BLOCK) + places
        return torch.where(places == _TRIMMED, torch.zeros_like(rows), rows)

    def ids(self, rows: Tensor) -> Tensor:
        """The id of each row; same shape, int64."""
        # The last block that starts no later than the row; one without rows starts where the next one does.
        blocks = (self.first_rows <= rows[..., None]).sum(-1) - 1
        places = rows - _looked_up(self.first_rows, blocks)
        ids = blocks[..., None] * _BLOCK + torch.arange(_BLOCK, device=rows.device)
        found = _looked_up(self.places, ids) == places[..., None]
        return blocks * _BLOCK + found.int().argmax(-1)

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


def _looked_up(values: Tensor, positions: Tensor) -> Tensor:
    # Indexing with brackets would be exported as GatherND, with a copy of the values for each use.
    return values.index_select(0, positions.flatten()).view(positions.shape).long()


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
