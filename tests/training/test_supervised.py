"""Learning from examples of one's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from paretoopt.candidate import Progress
from paretoopt.data.examples import SplitExamples, split_examples
from paretoopt.errors import PipelineError
from paretoopt.training.loop import TrainingSettings, train
from paretoopt.training.stages import fine_tune, fit
from paretoopt.training.supervised import Supervised


class Scaled(nn.Module):
    """One weight."""

    def __init__(self) -> None:
        """Start at zero."""
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(1))

    def forward(self, value: Tensor) -> Tensor:
        """Scaled values."""
        return self.factor * value


def doubled(n: int = 50) -> SplitExamples:
    """Values with targets twice as large."""
    values = np.linspace(-1, 1, n, dtype=np.float32)
    return split_examples({"value": values}, 2 * values)


def absolute(answers: Tensor, targets: Tensor) -> Tensor:
    """A loss of one's own."""
    return (answers - targets).abs().mean()


def test_a_model_learns_the_targets() -> None:
    """The factor of two is found, and told as the validation loss."""
    model, told = Scaled(), list[Progress]()
    task = Supervised(functional.mse_loss, batch_size=8)(doubled())

    train(
        model,
        task,
        TrainingSettings(epochs=30, learning_rate=0.1, threads=1),
        seed=0,
        stage="fit",
        listener=told.append,
    )

    assert model.factor.item() == pytest.approx(2, abs=0.05)
    assert "validation loss 0." in told[0].message


def test_quality_is_the_mean_loss_on_validation() -> None:
    """Negated, and whatever the size of the batches it is computed in."""
    data = doubled(20_000)

    quality = Supervised(functional.mse_loss)(data).quality(Scaled())

    assert quality == pytest.approx(-float(np.square(data.validation.targets).mean()), rel=1e-4)


def test_an_epoch_holds_every_training_example_once() -> None:
    """In an order of its own."""
    data = doubled()
    task = Supervised(functional.mse_loss, batch_size=7)(data)

    epochs = [[*task.batches(np.random.default_rng(seed))] for seed in (0, 1)]

    for batches in epochs:
        values = np.concatenate([batch.inputs["value"] for batch in batches])
        assert sorted(values) == sorted(data.train.inputs["value"])
    assert epochs[0][0].targets.tolist() != epochs[1][0].targets.tolist()


def test_another_loss_or_batch_size_trains_anew() -> None:
    """They are part of both stages' settings, so that nobody has to think of it."""
    few = TrainingSettings(epochs=1)
    tasks = [Supervised(functional.mse_loss), Supervised(absolute), Supervised(functional.mse_loss, batch_size=8)]

    for stage in (fit, fine_tune):
        identities = [str(stage(task, few).identity()) for task in tasks]
        assert len(set(identities)) == 3
        assert str(stage(Supervised(functional.mse_loss), few).identity()) == identities[0]


def test_a_loss_that_holds_values_is_refused() -> None:
    """The store could not tell it from another one."""
    with pytest.raises(PipelineError, match=r"MSELoss\(\) is no plain function.*torch.nn.functional"):
        Supervised(nn.MSELoss())


def test_an_empty_batch_is_refused() -> None:
    """When the task is made."""
    with pytest.raises(PipelineError, match="batch_size must be a whole number from 1 on, but is 0"):
        Supervised(functional.mse_loss, batch_size=0)
