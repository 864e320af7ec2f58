"""The training loop: epochs, early stopping on validation quality, the best weights kept."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import CandidateError, PipelineError


@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Attributes:
        epochs: At most this many.
        patience: Stop after this many epochs without a better validation quality.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        largest_gradient: Gradients of greater norm are scaled down to it.
        threads: Cores that torch computes with; None for all that this process may use.

    Raises:
        PipelineError: A setting is out of its range.
    """

    epochs: int = 100
    patience: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    largest_gradient: float = 1.0
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse settings that train nothing or diverge."""
        for name, count in (("epochs", self.epochs), ("patience", self.patience), ("threads", self.threads)):
            if count is not None and (type(count) is not int or count < 1):
                raise PipelineError(f"{name} must be a whole number from 1 on, but is {count!r}.")
        for name, size in (("learning_rate", self.learning_rate), ("largest_gradient", self.largest_gradient)):
            if not (math.isfinite(size) and size > 0):
                raise PipelineError(f"{name} must be a positive number, but is {size!r}.")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise PipelineError(f"weight_decay must be 0 or more, but is {self.weight_decay!r}.")


class Task(Protocol):
    """What a model learns, and how well it does."""

    def batches(self, random: np.random.Generator) -> Iterator[Any]:
        """The batches of one epoch, in an order drawn from ``random``."""

    def loss(self, model: Any, batch: Any) -> Tensor:  # noqa: ANN401
        """The mean loss over a batch, to be minimised."""

    def quality(self, model: Any) -> float:  # noqa: ANN401
        """Quality on validation data, to be maximised."""

    def describe(self, quality: float) -> str:
        """``quality`` in a few words, for the progress display."""


@runtime_checkable
class MeasuredTask(Task, Protocol):
    """A task whose quality is one of the pipeline's metrics, so that training can be stopped early by it."""

    def measured(self, quality: float) -> Mapping[str, float]:
        """``quality`` by the metric's name, in its unit and direction, such as ``{"log_loss": -quality}``."""


@dataclass(frozen=True)
class Trained:
    """The outcome of a training run.

    Attributes:
        quality: Best validation quality.
        epochs: Epochs run, those after the best one included.
    """

    quality: float
    epochs: int


def train(
    model: nn.Module, task: Task, settings: TrainingSettings, *, seed: int, stage: str, listener: ProgressListener
) -> Trained:
    """Train ``model`` in place and leave it with the weights of its best epoch.

    The same seed, data and thread count give the same weights; the caller's random state is kept.

    Raises:
        CandidateError: The loss is not a finite number, or the listener ends the training (``StoppedEarlyError``).
    """
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]), _Threads(settings.threads):
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98)
        )
        # Epoch 0 is the model as it came: fine-tuning must never end below where it started.
        best, best_epoch = _quality(model, task), 0
        best_weights = copy.deepcopy(model.state_dict())
        epoch = 0
        for epoch in range(1, settings.epochs + 1):
            _run_epoch(model, task, optimizer, random, settings.largest_gradient)
            quality = _quality(model, task)
            message, values = f"epoch {epoch}, {task.describe(quality)}", measured_by(task, quality)
            listener(Progress(stage, message, epoch / settings.epochs, epoch, values))
            if quality > best:
                best, best_epoch = quality, epoch
                best_weights = copy.deepcopy(model.state_dict())
            elif epoch - best_epoch >= settings.patience:
                break
        model.load_state_dict(best_weights)
    model.eval()
    return Trained(best, epoch)


def measured_by(task: Task, quality: float) -> Mapping[str, float]:
    """``quality`` by the name of the pipeline's metric that it is; nothing where the task does not say."""
    return task.measured(quality) if isinstance(task, MeasuredTask) else {}


def _run_epoch(
    model: nn.Module, task: Task, optimizer: torch.optim.Optimizer, random: np.random.Generator, largest: float
) -> None:
    model.train()
    for batch in task.batches(random):
        optimizer.zero_grad(set_to_none=True)
        loss = task.loss(model, batch)
        if not math.isfinite(loss.item()):
            raise CandidateError(f"the training loss became {loss.item()}. Lower the learning rate.")
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), largest)
        optimizer.step()


def _quality(model: nn.Module, task: Task) -> float:
    model.eval()
    with torch.no_grad():
        return task.quality(model)


class _Threads:
    """Have torch compute with a stated number of threads for a while."""

    def __init__(self, threads: int | None) -> None:
        self._wanted = threads
        self._before = torch.get_num_threads()

    def __enter__(self) -> None:
        if self._wanted is not None:
            torch.set_num_threads(self._wanted)

    def __exit__(self, *error: object) -> None:
        torch.set_num_threads(self._before)
