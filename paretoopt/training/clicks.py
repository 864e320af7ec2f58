"""Learning to predict clicks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from paretoopt.data.clicks import Clicks, Impressions

_EVALUATION_ROWS = 8_192


@dataclass(frozen=True)
class Rows:
    """Rows of a batch, as tensors.

    Attributes:
        labels: 1 for a click, 0 for none; float32 of shape ``(n_rows,)``.
        categories: Ids of shape ``(n_rows, n_categorical)``.
        numbers: Shape ``(n_rows, n_numeric)``.
    """

    labels: Tensor
    categories: Tensor
    numbers: Tensor

    def __getitem__(self, chosen: Tensor) -> Rows:
        """Some of the rows."""
        return Rows(self.labels[chosen], self.categories[chosen], self.numbers[chosen])


class ClickTask:
    """Binary cross-entropy; quality is the log-loss on validation, negated."""

    def __init__(self, clicks: Clicks, *, batch_size: int, penalty: float = 0.0) -> None:
        """Prepare the task for ``clicks``.

        Args:
            clicks: The data.
            batch_size: Rows per batch.
            penalty: Weight of half the sum of the embeddings' squares in the loss.
        """
        self._batch_size = batch_size
        self._penalty = penalty
        self._train = _rows(clicks.train)
        self._validation = _rows(clicks.validation)

    def batches(self, random: np.random.Generator) -> Iterator[Rows]:
        """One epoch of the training rows, shuffled anew."""
        order = torch.from_numpy(random.permutation(len(self._train.labels)))
        return (self._train[chosen] for chosen in torch.split(order, self._batch_size))

    def loss(self, model: nn.Module, batch: Rows) -> Tensor:
        """Mean binary cross-entropy over the batch."""
        loss = functional.binary_cross_entropy_with_logits(model(batch.categories, batch.numbers), batch.labels)
        tables = [module.weight for module in model.modules() if isinstance(module, nn.Embedding)]
        if self._penalty and model.training:
            loss = loss + self._penalty / 2 * torch.stack([t.square().sum() for t in tables]).sum()
        return loss

    def quality(self, model: nn.Module) -> float:
        """The log-loss on validation, negated so that more is better."""
        parts = torch.split(torch.arange(len(self._validation.labels)), _EVALUATION_ROWS)
        losses = [self.loss(model, self._validation[part]) * len(part) for part in parts]
        return -float(torch.stack(losses).sum()) / len(self._validation.labels)

    def describe(self, quality: float) -> str:
        """The log-loss."""
        return f"log-loss {-quality:.4f}"


def _rows(part: Impressions) -> Rows:
    labels = torch.from_numpy(part.labels.astype(np.float32))
    return Rows(labels, torch.from_numpy(part.categories.copy()), torch.from_numpy(part.numbers.copy()))
