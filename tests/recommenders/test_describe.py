"""The parts list that a candidate will ship with, before any training."""

from __future__ import annotations

import itertools

import pytest
from rich.console import Console

from paretoopt.artifact.describe import PartsList, describe
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS
from paretoopt.data.split import leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import PipelineError, SpaceError
from paretoopt.measurement.artifact_size import artifact_bytes
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.space import Params
from paretoopt.training.loop import TrainingSettings

BITS = [
    {"linear_bits": linear, "embedding_bits": embedding}
    for linear, embedding in itertools.product(LINEAR_BITS, EMBEDDING_BITS)
]
SHAPES = [
    {"embedding_dim": 16},
    pytest.param({"embedding_dim": 24, "pruning_ratio": 0.5}, marks=pytest.mark.slow),
    {"embedding_dim": 16, "head_pruning_ratio": 0.5, "embedding_pruning_ratio": 0.25, "vocabulary_trimming": True},
]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline that trains for one epoch."""
    one = TrainingSettings(epochs=1, threads=1)
    return next_item(
        leave_one_out(synthetic_shop(users=100, items=60, seed=0)),
        length=10,
        blocks=1,
        training=one,
        fine_tuning=one,
        train_while_measuring=True,
        store=tmp_path_factory.mktemp("store"),
    )


def layers(parts_list: PartsList) -> dict[str, tuple[tuple[int, ...], tuple[str, ...], int]]:
    """Shape, kernels and bits by layer."""
    return {part.layer: (part.shape, part.kernels, part.bits) for part in parts_list.parts}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_predicted_bytes_are_those_of_the_artifact(pipeline: Pipeline, shape: Params) -> None:
    """Within 5 % of the trained artifact's size, in every combination of bits."""
    for bits in BITS:
        params = {**shape, **bits}
        predicted = describe(pipeline, params)
        trained = artifact_bytes(pipeline.deployable(params).model_path)
        assert not predicted.is_estimate
        assert abs(predicted.artifact_bytes - trained) < 0.05 * trained, params


def test_layers_widths_and_kernels_are_those_that_are_asked_for(pipeline: Pipeline) -> None:
    """Half of every head and of the feed-forward layer, in 8 bits; the table in 4."""
    params = {"embedding_dim": 16, "pruning_ratio": 0.5, "linear_bits": 8, "embedding_bits": 4}

    parts = layers(describe(pipeline, params))

    assert parts["scorer.items"] == ((61, 16), ("GatherBlockQuantized", "MatMulNBits"), 4)
    assert parts["scorer.blocks.0.attention.query"] == ((16, 8), ("MatMulInteger",), 8)
    assert parts["scorer.blocks.0.expand"] == ((16, 32), ("MatMulInteger",), 8)
    assert parts["scorer.blocks.0.contract"] == ((32, 16), ("MatMulInteger",), 8)
    assert parts["scorer.norm"] == ((16,), ("LayerNormalization",), 32)


def test_nothing_is_trained_for_it(pipeline: Pipeline) -> None:
    """No stage that trains even begins."""
    begun: list[str] = []

    describe(pipeline, {"embedding_dim": 8, "pruning_ratio": 0.25}, lambda progress: begun.append(progress.stage))

    assert begun == ["prune", "export"]


def test_widths_that_training_decides_are_told_as_an_estimate(pipeline: Pipeline) -> None:
    """Global pruning takes channels where trained weights are least."""
    parts_list = describe(pipeline, {"embedding_dim": 16, "pruning_ratio": 0.5, "pruning_allocation": "global"})

    assert parts_list.is_estimate
    assert "an estimate: training decides the widths" in str(parts_list)


def test_the_list_reads_as_a_table(pipeline: Pipeline) -> None:
    """As text, and for rich; all bytes add up to the file."""
    parts_list = describe(pipeline, {"embedding_dim": 16})
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(parts_list)

    for text in (str(parts_list), captured.get()):
        (row,) = (line.split() for line in text.splitlines() if line.startswith("scorer.blocks.0.expand"))
        assert row[1:6] == ["16", "->", "64", "MatMul", "32"]
        assert f"{parts_list.artifact_bytes:,}" in text
        assert "embedding_dim=16" in text
    size = artifact_bytes(pipeline.untrained({"embedding_dim": 16}).model_path)
    assert parts_list.artifact_bytes == size


def test_parameters_are_checked(pipeline: Pipeline) -> None:
    """As for every candidate."""
    with pytest.raises(SpaceError, match="Did you mean 'embedding_dim'"):
        describe(pipeline, {"embeding_dim": 16})


def test_a_pipeline_without_artifact_has_no_parts_list(pipeline: Pipeline) -> None:
    """The remedy is named."""
    recipe = pipeline._recipe
    untouched = Pipeline(
        data=recipe.data,
        build=recipe.build,
        stages=recipe.stages[:1],
        measures=recipe.measures[1:2],
        requests=recipe.requests,
        store=recipe.store,
    )

    with pytest.raises(PipelineError, match=r"gives a SASRec, which has no parts list. Add the stage export_onnx"):
        describe(untouched, {"embedding_dim": 16})
