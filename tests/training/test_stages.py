"""Training as stages: which of them a candidate goes through, and who teaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paretoopt.candidate import Measurement, Progress
from paretoopt.models.weights import load_weights, save_weights
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Build, Context, Measure, Stage
from paretoopt.space import Parameter, Params, Value
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import TrainingSettings
from paretoopt.training.stages import distill, fine_tune, fit

SETTINGS = TrainingSettings(epochs=1, learning_rate=0.1)


class Nothing:
    """Data that say nothing: what a model learns, it learns from its teacher."""

    fingerprint = "nothing"

    def batches(self, _: np.random.Generator) -> Iterator[Tensor]:
        """One batch."""
        yield torch.ones(1, 1)

    def loss(self, model: nn.Linear, batch: Tensor) -> Tensor:
        """Nothing to be learnt."""
        loss: Tensor = 0 * model(batch).sum()
        return loss

    def taught_losses(self, model: nn.Linear, teacher: nn.Linear, batch: Tensor, _: float) -> tuple[Tensor, Tensor]:
        """Nothing of its own, and the distance from the teacher."""
        return self.loss(model, batch), (model(batch) - teacher(batch)).square().sum()

    def quality(self, _: nn.Linear) -> float:
        """Better with every epoch."""
        self.epochs = getattr(self, "epochs", 0) + 1
        return self.epochs

    def describe(self, _: float) -> str:
        """Nothing to say."""
        return ""


def pipeline_of(folder: Path, distillation: Distillation | None = None) -> Pipeline:
    """Fit a weight of the size ``width``, prune it down to nothing, then fine-tune or distil it."""

    def build(params: Params, data: Nothing) -> nn.Linear:
        model = nn.Linear(1, 1, bias=False)
        nn.init.constant_(model.weight, float(params["width"]))
        return model

    def prune(model: nn.Linear, params: Params, context: Context) -> nn.Linear:
        nn.init.zeros_(model.weight)
        return model

    def weight(model: nn.Linear, params: Params, context: Context) -> Mapping[str, Measurement]:
        return {"weight": Measurement(model.weight.item())}

    pruning = Parameter("pruning_ratio", default=0.0)
    return Pipeline(
        data=Nothing(),
        build=Build(build, (Parameter("width", default=1.0),), "1"),
        stages=[
            fit(lambda data: data, SETTINGS),
            Stage("prune", prune, save_weights, load_weights, (pruning,), lambda params: bool(params["pruning_ratio"])),
            fine_tune(lambda data: data, SETTINGS),
            distill(lambda data: data, replace(SETTINGS, epochs=200, patience=200), distillation),
        ],
        measures=[Measure("weight", ("weight",), weight)],
        requests={"x": np.zeros((1, 1))},
        store=folder,
    )


def steps(pipeline: Pipeline, **params: Value) -> list[str]:
    """The stages that were not taken from the store to make the candidate."""
    log: list[Progress] = []
    pipeline.deployable(params, log.append)
    return [progress.stage for progress in log if progress.message == "started"]


@pytest.mark.parametrize(
    ("ratio", "weight", "trainings"),
    [(0.0, 0.0, []), (0.0, 0.5, []), (0.5, 0.0, ["fine_tune"]), (0.5, 0.5, ["distill"]), (0.5, 1.0, ["distill"])],
)
def test_a_pruned_model_is_fine_tuned_or_taught(
    tmp_path: Path, ratio: float, weight: float, trainings: list[str]
) -> None:
    """Distillation takes the place of fine-tuning; a model that lost nothing needs neither."""
    made = steps(pipeline_of(tmp_path), pruning_ratio=ratio, distillation=weight)

    assert [name for name in made if name not in ("fit", "prune")] == trainings


def test_taught_candidates_share_all_but_their_last_training(tmp_path: Path) -> None:
    """The base is trained and pruned once, and is the teacher as well."""
    pipeline = pipeline_of(tmp_path)

    assert steps(pipeline, pruning_ratio=0.5) == ["fit", "prune", "fine_tune"]
    assert steps(pipeline, pruning_ratio=0.5, distillation=0.5) == ["distill"]
    assert steps(pipeline, pruning_ratio=0.5, distillation=0.75) == ["distill"]


@pytest.mark.parametrize(("teacher", "learnt"), [({}, 1.0), ({"width": 3.0}, 3.0)], ids=["own", "larger"])
def test_the_teacher_is_the_unpruned_model_or_a_larger_one(
    tmp_path: Path, teacher: dict[str, Value], learnt: float
) -> None:
    """A pruned weight of nothing grows back to the teacher's."""
    pipeline = pipeline_of(tmp_path, Distillation(teacher=teacher))

    student = pipeline.deployable({"pruning_ratio": 0.5, "distillation": 0.5})

    assert student.weight.item() == pytest.approx(learnt, abs=0.05)


def test_a_larger_model_teaches_unpruned_ones_too(tmp_path: Path) -> None:
    """It is trained once for all that it teaches; itself it learns nothing."""
    pipeline = pipeline_of(tmp_path, Distillation(teacher={"width": 3.0}))

    assert steps(pipeline, distillation=0.5) == ["fit", "distill", "fit"]
    assert steps(pipeline, width=2.0, distillation=0.5) == ["fit", "distill"]
    assert steps(pipeline, width=3.0, distillation=0.5) == []


def test_untrained_shapes_need_no_teacher(tmp_path: Path) -> None:
    """The shape of what ships is there without any training."""
    log: list[Progress] = []

    pipeline_of(tmp_path).untrained({"pruning_ratio": 0.5, "distillation": 0.5}, log.append)

    assert [progress.stage for progress in log] == ["prune"]
