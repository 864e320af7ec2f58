"""The training loop, on a problem with a known solution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paretoopt.candidate import Progress
from paretoopt.errors import CandidateError, PipelineError
from paretoopt.training.loop import Trained, TrainingSettings, train


class Line:
    """Learning y = 2 x; quality is minus the distance of the weight from 2."""

    def batches(self, random: np.random.Generator) -> Iterator[Tensor]:
        """Five random batches."""
        return (torch.from_numpy(random.normal(size=(8, 1)).astype(np.float32)) for _ in range(5))

    def loss(self, model: nn.Linear, batch: Tensor) -> Tensor:
        """Mean squared error."""
        error: Tensor = model(batch) - 2 * batch
        return error.square().mean()

    def quality(self, model: nn.Linear) -> float:
        """How near the weight is to 2."""
        return -abs(model.weight.item() - 2)

    def describe(self, quality: float) -> str:
        """The quality in words."""
        return f"off by {-quality:.3f}"


class Worsening(Line):
    """Every epoch is worse than the one before."""

    def __init__(self) -> None:
        """Start from zero epochs."""
        self.calls = 0

    def quality(self, _: nn.Linear) -> float:
        """Falls with every call."""
        self.calls += 1
        return -self.calls


def make_model() -> nn.Linear:
    """A line through the origin with slope 0."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    return model


def run(
    model: nn.Linear, task: Line, settings: TrainingSettings, *, seed: int = 0, log: list[Progress] | None = None
) -> Trained:
    """Train ``model`` on ``task``."""
    return train(model, task, settings, seed=seed, stage="fit", listener=(log if log is not None else []).append)


def test_training_finds_the_solution() -> None:
    """Enough epochs bring the weight to the closed-form solution."""
    model = make_model()
    run(model, Line(), TrainingSettings(epochs=100, learning_rate=0.1, patience=100))

    assert model.weight.item() == pytest.approx(2, abs=0.02)


def test_the_same_seed_gives_the_same_weights() -> None:
    """Training twice from the same start is bitwise the same, and another seed is not."""
    models = [make_model() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        run(model, Line(), TrainingSettings(epochs=3), seed=seed)

    assert torch.equal(models[0].weight, models[1].weight)
    assert not torch.equal(models[0].weight, models[2].weight)


def test_training_stops_after_patience_runs_out() -> None:
    """As many epochs without progress as patience allows, then no more."""
    assert run(make_model(), Worsening(), TrainingSettings(epochs=50, patience=4)).epochs == 4


def test_the_best_weights_are_kept_even_those_it_began_with() -> None:
    """A model that only gets worse comes back as it was."""
    model = make_model()
    run(model, Worsening(), TrainingSettings(epochs=5))

    assert model.weight.item() == 0


def test_progress_tells_the_epoch_and_the_quality() -> None:
    """Each epoch is reported with its share of the whole."""
    log: list[Progress] = []
    run(make_model(), Line(), TrainingSettings(epochs=2), log=log)

    assert [progress.fraction for progress in log] == [0.5, 1.0]
    assert log[0].message.startswith("epoch 1, off by")


def test_a_loss_that_is_no_number_ends_the_candidate() -> None:
    """Divergence is a failure of the candidate with the remedy, not a model full of NaN."""
    model = make_model()
    with torch.no_grad():
        model.weight.fill_(float("nan"))

    with pytest.raises(CandidateError, match="Lower the learning rate"):
        run(model, Line(), TrainingSettings())


def test_the_callers_random_state_is_kept() -> None:
    """What the caller draws from torch next does not depend on training."""
    model = make_model()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run(model, Line(), TrainingSettings(epochs=1))

    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    "setting",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"patience": -1},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"weight_decay": -0.1},
        {"threads": 0},
        {"largest_gradient": 0.0},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    """What would train nothing or diverge is told when it is written down."""
    (name,) = setting

    with pytest.raises(PipelineError, match=f"{name} must be"):
        TrainingSettings(**setting)
