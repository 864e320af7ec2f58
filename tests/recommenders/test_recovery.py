"""Distillation and quantisation-aware training in the next-item pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretoopt.candidate import Progress
from paretoopt.data.split import Split
from paretoopt.errors import PipelineError, SpaceError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.space import Ordered, Params, SearchSpace, Value
from paretoopt.training.distillation import Distillation
from paretoopt.training.loop import TrainingSettings

BASE: Params = {"embedding_dim": 16}
PRUNED: Params = {**BASE, "pruning_ratio": 0.5}


def recommender(shop: Split, folder: Path, distillation: Distillation | None = None) -> Pipeline:
    """A pipeline with little training, which may go on while others measure."""
    few = TrainingSettings(epochs=1, learning_rate=3e-3, threads=1)
    return next_item(shop, length=20, training=few, distillation=distillation, train_while_measuring=True, store=folder)


def test_recovery_stands_between_pruning_and_export(shop: Split, tmp_path: Path) -> None:
    """The pruned model is taught, then trained on with rounded weights, then exported and quantised."""
    log: list[Progress] = []
    params = {**PRUNED, "embedding_bits": 4, "distillation": 0.5, "quantization_aware": True}

    recommender(shop, tmp_path).deployable(params, log.append)

    started = [progress.stage for progress in log if progress.message == "started"]
    assert started == ["fit", "prune", "distill", "quantization_aware", "export", "quantize"]


def test_without_distillation_nothing_changes(shop: Split, tmp_path: Path) -> None:
    """At 0 a candidate ships what it ships without the dimension, whatever the teacher's temperature."""
    pipeline, hotter = (recommender(shop, tmp_path, Distillation(temperature=t)) for t in (2.0, 4.0))

    for params in (BASE, PRUNED):
        assert pipeline.artifact_key({**params, "distillation": 0.0}) == pipeline.artifact_key(params)
        assert hotter.artifact_key(params) == pipeline.artifact_key(params)
    taught = {**PRUNED, "distillation": 0.5}
    assert hotter.artifact_key(taught) != pipeline.artifact_key(taught)


def test_a_teacher_that_cannot_be_is_refused(shop: Split, tmp_path: Path) -> None:
    """Before any training, with the dimension and the value."""
    with pytest.raises(PipelineError, match=r"'distill'.*embedding_dim=33 cannot be used"):
        recommender(shop, tmp_path, Distillation(teacher={"embedding_dim": 33}))


@pytest.mark.parametrize(
    ("bits", "is_on"),
    [({"embedding_bits": 8, "linear_bits": 8}, True), ({"embedding_bits": 4}, False), ({}, True)],
    ids=["8 bits", "off", "32 bits"],
)
def test_quantization_aware_training_is_for_few_bits(
    shop: Split, tmp_path: Path, bits: dict[str, Value], is_on: bool
) -> None:
    """With 8 bits and more, and where it is off, the candidate is the one without it."""
    pipeline = recommender(shop, tmp_path)
    params = {**BASE, **bits}

    assert pipeline.artifact_key({**params, "quantization_aware": is_on}) == pipeline.artifact_key(params)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("distillation", -0.1, "from 0 to 1"),
        ("distillation", 1.5, "from 0 to 1"),
        ("quantization_aware", 2, "True or False"),
    ],
)
def test_values_out_of_range_are_refused(shop: Split, tmp_path: Path, name: str, value: Value, message: str) -> None:
    """A dimension that cannot work is told with the remedy."""
    with pytest.raises(SpaceError, match=f"{name}=.*{message}"):
        recommender(shop, tmp_path).check(SearchSpace(**{name: Ordered(value)}), ["ndcg_at_10"])
