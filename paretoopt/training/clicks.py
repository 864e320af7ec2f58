"""Learning to predict clicks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from paretoopt.data.clicks import Clicks, Impressions
from paretoopt.errors import PipelineError
from paretoopt.training.distillation import bernoulli_divergence

_EVALUATION_ROWS = 8_192


@dataclass(frozen=True)
class ClickSettings:
    """How clicks are learnt.

    Attributes:
        batch_size: Impressions per batch.
        embedding_penalty: Weight of half the sum of the embeddings' squares in the loss.

    Raises:
        PipelineError: A setting is out of its range.
    """

    batch_size: int = 1_024
    embedding_penalty: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings that train nothing or diverge."""
        if type(self.batch_size) is not int or self.batch_size < 1:
            raise PipelineError(f"batch_size must be a whole number from 1 on, but is {self.batch_size!r}.")
        if not (math.isfinite(self.embedding_penalty) and self.embedding_penalty >= 0):
            raise PipelineError(f"embedding_penalty must be a number from 0 on, but is {self.embedding_penalty!r}.")


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

    def __init__(self, clicks: Clicks, settings: ClickSettings) -> None:
        """Prepare the task for ``clicks``."""
        self._settings = settings
        self._train = _rows(clicks.train)
        self._validation = _rows(clicks.validation)

    def batches(self, random: np.random.Generator) -> Iterator[Rows]:
        """One epoch of the training rows, shuffled anew."""
        order = torch.from_numpy(random.permutation(len(self._train.labels)))
        return (self._train[chosen] for chosen in torch.split(order, self._settings.batch_size))

    def loss(self, model: nn.Module, batch: Rows) -> Tensor:
        """Mean binary cross-entropy over the batch, and the penalty."""
        return self._penalised(_cross_entropy(_logits(model, batch), batch), model)

    def taught_losses(
        self, model: nn.Module, teacher: nn.Module, batch: Rows, temperature: float
    ) -> tuple[Tensor, Tensor]:
        """The loss, and the divergence from the teacher's probabilities of clicks on the same rows."""
        logits = _logits(model, batch)
        divergence = bernoulli_divergence(logits, _logits(teacher, batch), temperature=temperature)
        return self._penalised(_cross_entropy(logits, batch), model), divergence

    def quality(self, model: nn.Module) -> float:
        """The log-loss on validation, negated so that more is better."""
        parts = torch.split(torch.arange(len(self._validation.labels)), _EVALUATION_ROWS)
        batches = [self._validation[part] for part in parts]
        losses = [_cross_entropy(_logits(model, batch), batch) * len(batch.labels) for batch in batches]
        return -float(torch.stack(losses).sum()) / len(self._validation.labels)

    def measured(self, quality: float) -> dict[str, float]:
        """The log-loss, which the pipeline measures on the same rows."""
        return {"log_loss": -quality}

    def describe(self, quality: float) -> str:
        """The log-loss."""
        return f"log-loss {-quality:.4f}"

    def _penalised(self, loss: Tensor, model: nn.Module) -> Tensor:
        if not self._settings.embedding_penalty:
            return loss
        squares = [module.weight.square().sum() for module in model.modules() if isinstance(module, nn.Embedding)]
        return loss + self._settings.embedding_penalty / 2 * torch.stack(squares).sum()


def _logits(model: nn.Module, batch: Rows) -> Tensor:
    logits: Tensor = model(batch.categories, batch.numbers)
    return logits


def _cross_entropy(logits: Tensor, batch: Rows) -> Tensor:
    return functional.binary_cross_entropy_with_logits(logits, batch.labels)


def _rows(part: Impressions) -> Rows:
    labels = torch.from_numpy(part.labels.astype(np.float32))
    return Rows(labels, torch.from_numpy(part.categories.copy()), torch.from_numpy(part.numbers.copy()))
