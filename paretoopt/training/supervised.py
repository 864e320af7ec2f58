"""Learning from examples with targets, for a model of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from paretoopt.data.examples import Examples, SplitExamples
from paretoopt.errors import PipelineError
from paretoopt.pipeline.source import source_version
from paretoopt.space import Value

Loss = Callable[[Any, Tensor], Tensor]
"""``(what the model gives, targets) -> mean loss`` of a batch, such as those of ``torch.nn.functional``."""

_EVALUATION_ROWS = 8_192


@dataclass(frozen=True)
class Supervised:
    """From split examples to the task of answering with their targets; give it to ``fit`` and ``fine_tune``.

    The model is called with a batch's inputs by name. Its quality while it trains is the loss on the validation
    examples, negated.

    Attributes:
        loss: A plain function; its source is part of the store's key.
        batch_size: Examples per batch.

    Raises:
        PipelineError: The batch size is none, or ``loss`` is no plain function.
    """

    loss: Loss
    batch_size: int = 256

    def __post_init__(self) -> None:
        """Refuse what cannot be learnt or named."""
        if type(self.batch_size) is not int or self.batch_size < 1:
            raise PipelineError(f"batch_size must be a whole number from 1 on, but is {self.batch_size!r}.")
        try:
            source_version(self.loss)
        except PipelineError as error:
            raise PipelineError(
                f"the loss {self.loss!r} is no plain function, so that the store could not tell it from another. "
                "Write `def loss(answers, targets): ...` at the top of a module, or use torch.nn.functional."
            ) from error

    def __call__(self, data: SplitExamples) -> SupervisedTask:
        """The task on ``data``."""
        return SupervisedTask(data, self.loss, self.batch_size)

    @property
    def settings(self) -> dict[str, Value]:
        """What the task depends on beside the data."""
        return {"loss": source_version(self.loss), "batch_size": self.batch_size}


class SupervisedTask:
    """A loss on examples; quality is the same loss on validation, negated."""

    def __init__(self, data: SplitExamples, loss: Loss, batch_size: int) -> None:
        """Prepare the task for ``data``."""
        self._data = data
        self._loss = loss
        self._batch_size = batch_size

    def batches(self, random: np.random.Generator) -> Iterator[Examples]:
        """One epoch of the training examples, shuffled anew."""
        order = random.permutation(len(self._data.train))
        return (self._data.train[rows] for rows in _pieces(order, self._batch_size))

    def loss(self, model: nn.Module, batch: Examples) -> Tensor:
        """The mean loss over the batch."""
        inputs = {name: torch.from_numpy(array.copy()) for name, array in batch.inputs.items()}
        return self._loss(model(**inputs), torch.from_numpy(batch.targets.copy()))

    def quality(self, model: nn.Module) -> float:
        """The mean loss on validation, negated so that more is better."""
        validation = self._data.validation
        parts = [validation[rows] for rows in _pieces(np.arange(len(validation)), _EVALUATION_ROWS)]
        return -sum(self.loss(model, part).item() * len(part) for part in parts) / len(validation)

    def describe(self, quality: float) -> str:
        """The loss."""
        return f"validation loss {-quality:.4f}"


def settings_of(task: object) -> dict[str, Value]:
    """What a task says of itself for the store's key; nothing for those whose settings the caller gives."""
    return task.settings if isinstance(task, Supervised) else {}


def _pieces(rows: np.ndarray[Any, np.dtype[np.int64]], size: int) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
