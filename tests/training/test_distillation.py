"""Learning from a teacher."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from paretoopt.errors import PipelineError
from paretoopt.training.distillation import (
    Distillation,
    TaughtTask,
    bernoulli_divergence,
    softmax_divergence,
)
from paretoopt.training.loop import TrainingSettings, train

temperatures = st.floats(0.5, 8)


class Clicks:
    """Clicks that fall by chance, so that only a teacher knows anything."""

    def batches(self, random: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Twenty batches of inputs and clicks."""
        for _ in range(20):
            inputs, clicks = random.normal(size=(64, 1)), random.integers(0, 2, size=(64, 1))
            yield torch.from_numpy(inputs.astype(np.float32)), torch.from_numpy(clicks.astype(np.float32))

    def loss(self, model: nn.Linear, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Log-loss."""
        return nn.functional.binary_cross_entropy_with_logits(model(batch[0]), batch[1])

    def quality(self, model: nn.Linear) -> float:
        """Rises with every epoch as a new teacher's pupil does: how large the weight is."""
        return model.weight.item()

    def describe(self, quality: float) -> str:
        """The quality in words."""
        return f"{quality:.3f}"


class TaughtClicks(Clicks):
    """The same, where a model can learn from another."""

    def taught_losses(
        self, model: nn.Linear, teacher: nn.Linear, batch: tuple[Tensor, Tensor], temperature: float
    ) -> tuple[Tensor, Tensor]:
        """Log-loss, and the divergence from the teacher's probabilities."""
        divergence = bernoulli_divergence(model(batch[0]), teacher(batch[0]), temperature=temperature)
        return self.loss(model, batch), divergence


def line(slope: float) -> nn.Linear:
    """A model of one weight."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, slope)
    return model


def logits(seed: int) -> Tensor:
    """Logits of five examples over seven classes."""
    return torch.from_numpy(np.random.default_rng(seed).normal(scale=3, size=(5, 7)))


@given(seed=st.integers(0, 1_000), temperature=temperatures)
def test_divergence_is_that_of_softened_probabilities(seed: int, temperature: float) -> None:
    """It is the mean of sum p log(p / q), p and q being the softmax of the logits over the temperature."""
    student, teacher = logits(seed), logits(seed + 1)
    q, p = (np.exp(each.numpy() / temperature) for each in (student, teacher))
    q, p = q / q.sum(1, keepdims=True), p / p.sum(1, keepdims=True)

    found = softmax_divergence(student, teacher, temperature=temperature).item()

    assert found == pytest.approx((p * np.log(p / q)).sum(1).mean())


@given(seed=st.integers(0, 1_000), temperature=temperatures)
def test_divergence_of_clicks_is_that_of_their_probabilities(seed: int, temperature: float) -> None:
    """It is the mean of p log(p / q) + (1 - p) log((1 - p) / (1 - q)), p and q being softened sigmoids."""
    student, teacher = logits(seed), logits(seed + 1)
    q, p = (1 / (1 + np.exp(-each.numpy() / temperature)) for each in (student, teacher))

    found = bernoulli_divergence(student, teacher, temperature=temperature).item()

    assert found == pytest.approx((p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))).mean())


@given(seed=st.integers(0, 1_000), temperature=temperatures)
def test_nothing_is_learnt_from_an_equal(seed: int, temperature: float) -> None:
    """A student that answers as the teacher does has no distance from it and no gradient."""
    student = logits(seed).requires_grad_()

    distance = softmax_divergence(student, logits(seed), temperature=temperature)
    torch.autograd.backward(distance)

    assert distance.item() == pytest.approx(0, abs=1e-12)
    assert student.grad is not None
    assert student.grad.abs().max().item() < 1e-12


def test_classes_left_out_count_for_nothing() -> None:
    """Minus infinity for a class gives what the other classes alone give, and finite gradients."""
    student, teacher = logits(0), logits(1)
    without = softmax_divergence(student[:, 1:], teacher[:, 1:], temperature=2.0)
    for each in (student, teacher):
        each[:, 0] = -math.inf
    student.requires_grad_()

    found = softmax_divergence(student, teacher, temperature=2.0)
    torch.autograd.backward(found)

    assert found.item() == pytest.approx(without.item())
    assert student.grad is not None
    assert student.grad.isfinite().all()


def test_weight_shares_the_loss_out() -> None:
    """The loss is (1 - weight) of the task's own and weight * temperature² of the divergence."""
    task, model, teacher = TaughtClicks(), line(0.5), line(2.0)
    batch = next(task.batches(np.random.default_rng(0)))
    own, divergence = task.taught_losses(model, teacher, batch, 3.0)

    found = TaughtTask(task, teacher, weight=0.25, temperature=3.0).loss(model, batch)

    assert found.item() == pytest.approx(0.75 * own.item() + 0.25 * 9 * divergence.item())


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_student_becomes_like_its_teacher(temperature: float) -> None:
    """Where the data teach nothing, the teacher alone decides what is learnt, whatever the temperature."""
    student = line(0.0)
    taught = TaughtTask(TaughtClicks(), line(2.0), weight=1.0, temperature=temperature)
    settings = TrainingSettings(epochs=30, learning_rate=0.05, patience=30)

    train(student, taught, settings, seed=0, stage="distill", listener=lambda progress: None)

    assert student.weight.item() == pytest.approx(2.0, abs=0.1)


def test_the_teacher_is_not_changed() -> None:
    """It has neither gradients nor dropout while it teaches."""
    teacher = line(2.0).train()
    task = TaughtTask(TaughtClicks(), teacher, weight=0.5, temperature=2.0)

    train(line(0.0), task, TrainingSettings(epochs=1), seed=0, stage="distill", listener=lambda progress: None)

    assert teacher.weight.item() == 2.0
    assert not teacher.training
    assert not teacher.weight.requires_grad


def test_a_task_that_cannot_be_taught_is_told() -> None:
    """The error names the task and the method that it lacks."""
    with pytest.raises(PipelineError, match=r"taught_losses, which Clicks does not have\. Write it"):
        TaughtTask(Clicks(), line(1.0), weight=0.5, temperature=2.0)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_out_of_range_is_refused(temperature: float) -> None:
    """Logits cannot be divided by nothing."""
    with pytest.raises(PipelineError, match="temperature must be a positive number"):
        Distillation(temperature=temperature)
