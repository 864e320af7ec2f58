"""Knowledge distillation: a trained model's answers are learnt beside the data's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from paretoopt.errors import PipelineError
from paretoopt.space import Value
from paretoopt.training.loop import Task, measured_by


@dataclass(frozen=True)
class Distillation:
    """How a teacher teaches; how much it counts is the dimension ``distillation``.

    Attributes:
        temperature: Both models' logits are divided by it before they are compared. Above 1 the student learns more
            of how the teacher orders what it holds unlikely.
        teacher: Parameters in which the teacher differs from the candidate, such as ``{"embedding_dim": 128}``.
            Without any, the candidate's own uncompressed model teaches.

    Raises:
        PipelineError: The temperature is not above 0.
    """

    temperature: float = 2.0
    teacher: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a temperature that softens nothing."""
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise PipelineError(f"temperature must be a positive number, but is {self.temperature!r}. Use 1 to 4.")


@runtime_checkable
class TeachableTask(Task, Protocol):
    """A task in which one model can learn from another."""

    def taught_losses(
        self,
        model: Any,  # noqa: ANN401
        teacher: Any,  # noqa: ANN401
        batch: Any,  # noqa: ANN401
        temperature: float,
    ) -> tuple[Tensor, Tensor]:
        """The task's own loss of ``model`` on a batch, and how far its answers are from those of ``teacher``.

        The latter is :func:`softmax_divergence` where one of many classes is right, :func:`bernoulli_divergence`
        where each example is a click or none.
        """


class TaughtTask:
    """A task whose loss is in part the distance from a teacher; its quality is that of the task itself."""

    def __init__(self, task: Task, teacher: nn.Module, *, weight: float, temperature: float) -> None:
        """Have ``teacher`` teach ``task``.

        Args:
            task: What is learnt; it must be a :class:`TeachableTask`.
            teacher: A trained model; it is frozen.
            weight: Share of the teacher's loss, from 0 to 1; the task's own loss has the rest.
            temperature: Softens the logits of both models.

        Raises:
            PipelineError: The task does not say how to learn from a teacher.
        """
        if not isinstance(task, TeachableTask):
            raise PipelineError(
                f"distillation needs a task with a method taught_losses, which {type(task).__name__} does not have. "
                "Write it (see TeachableTask), or leave distillation out of the space."
            )
        self._task = task
        self._teacher = teacher.eval().requires_grad_(False)
        self._weight = weight
        self._temperature = temperature

    def batches(self, random: np.random.Generator) -> Iterator[Any]:
        """The task's batches of one epoch."""
        return self._task.batches(random)

    def loss(self, model: Any, batch: Any) -> Tensor:  # noqa: ANN401
        """The weighted mean of the task's loss and the teacher's.

        The teacher's is multiplied by the temperature squared, which makes its gradients as large as those of the
        task's loss at every temperature (Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network",
        2015).
        """
        own, divergence = self._task.taught_losses(model, self._teacher, batch, self._temperature)
        return (1 - self._weight) * own + self._weight * self._temperature**2 * divergence

    def quality(self, model: Any) -> float:  # noqa: ANN401
        """The task's quality on validation data."""
        return self._task.quality(model)

    def measured(self, quality: float) -> Mapping[str, float]:
        """``quality`` by the task's name for it."""
        return measured_by(self._task, quality)

    def describe(self, quality: float) -> str:
        """``quality`` in the task's words."""
        return self._task.describe(quality)


def softmax_divergence(logits: Tensor, teacher_logits: Tensor, *, temperature: float) -> Tensor:
    """Mean Kullback-Leibler divergence of the softened class probabilities from the teacher's.

    Args:
        logits: The student's, of shape ``(..., n_classes)``; minus infinity leaves a class out for both.
        teacher_logits: The teacher's over the same classes.
        temperature: Divides both.
    """
    student, teacher = (functional.log_softmax(each / temperature, dim=-1) for each in (logits, teacher_logits))
    terms = functional.kl_div(student, teacher, reduction="none", log_target=True)
    # Where a class is left out, both are minus infinity and their difference is no number.
    return terms.masked_fill(teacher == -math.inf, 0.0).sum(-1).mean()


def bernoulli_divergence(logits: Tensor, teacher_logits: Tensor, *, temperature: float) -> Tensor:
    """Mean Kullback-Leibler divergence of the softened click probabilities from the teacher's.

    Args:
        logits: The student's, one per example, of any shape.
        teacher_logits: The teacher's, of the same shape.
        temperature: Divides both.
    """
    # A click's probability is the softmax over its logit and 0.
    student, teacher = (torch.stack([each, torch.zeros_like(each)], dim=-1) for each in (logits, teacher_logits))
    return softmax_divergence(student, teacher, temperature=temperature)
