"""The dimensions of pruning in the next-item pipeline."""

from __future__ import annotations

import onnx
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import SpaceError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.recommenders.sasrec_pruning import items_trained_on
from paretoopt.space import Params
from paretoopt.training.loop import TrainingSettings

BASE: Params = {"embedding_dim": 16, "pruning_ratio": 0.5}


@pytest.fixture(scope="module")
def shop() -> Split:
    """A hundred users, two hundred items, of which some are never trained on."""
    return leave_one_out(synthetic_shop(users=100, items=200, seed=0))


@pytest.fixture(scope="module")
def pipeline(shop: Split, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """The next-item pipeline with one epoch of training."""
    one = TrainingSettings(epochs=1, threads=1)
    return next_item(
        shop,
        length=10,
        blocks=1,
        training=one,
        fine_tuning=one,
        train_while_measuring=True,
        store=tmp_path_factory.mktemp("store"),
    )


def shapes(pipeline: Pipeline, params: Params) -> list[tuple[int, ...]]:
    """The shapes of all fp32 matrices of the artifact, sorted."""
    return shapes_of(pipeline.deployable(params))


def shapes_of(artifact: Artifact) -> list[tuple[int, ...]]:
    """The shapes of all fp32 matrices, sorted; equal vectors, as before training, may be stored once."""
    graph = onnx.load(artifact.model_path).graph
    return sorted(
        tuple(tensor.dims)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2
    )


def test_rounds_fine_tune_between_prunings(pipeline: Pipeline) -> None:
    """Two rounds prune twice, with a fine-tuning in between, and end at the widths that the ratio says."""
    begun: list[str] = []
    twice: Params = {**BASE, "pruning_rounds": 2}

    pipeline.deployable(twice, lambda progress: begun.append(progress.stage))

    assert [name for name in dict.fromkeys(begun) if "prune" in name or name == "fine_tune_round_1"] == [
        "prune_round_1",
        "fine_tune_round_1",
        "prune",
    ]
    # Of 64 feed-forward channels, 48 after the first round and 32 after the second.
    assert {(16, 32), (32, 16)} <= set(shapes(pipeline, twice))


def test_the_untrained_shape_is_that_of_the_trained(pipeline: Pipeline) -> None:
    """Uniform pruning without any training gives the shapes that latency and memory depend on."""
    twice: Params = {**BASE, "pruning_rounds": 2}

    assert shapes_of(pipeline.untrained(twice)) == shapes(pipeline, twice)


def test_every_way_to_make_a_model_smaller_survives_the_store(pipeline: Pipeline, shop: Split) -> None:
    """A model with a head, half its width and its untrained items gone is saved, loaded, fine-tuned and exported."""
    params: Params = {
        **BASE,
        "head_pruning_ratio": 0.5,
        "embedding_pruning_ratio": 0.5,
        "pruning_importance": "taylor",
        "vocabulary_trimming": True,
    }
    kept = items_trained_on(shop)

    # Query, key and value: one head of two, half its eight channels wide, on half the stream of sixteen.
    assert shapes(pipeline, params).count((8, 4)) == 3
    assert len(kept) < shop.n_items
    assert (len(kept) + 1, 8) in shapes(pipeline, params)
    assert not any(shop.n_items + 1 in shape for shape in shapes(pipeline, params))


def test_defaults_are_one_uniform_round_by_magnitude(pipeline: Pipeline) -> None:
    """A candidate that states a ratio alone keeps heads, embedding width and vocabulary."""
    canonical = pipeline.canonical(BASE)

    assert canonical["pruning_allocation"] == "uniform"
    assert canonical["pruning_importance"] == "magnitude"
    assert canonical["pruning_rounds"] == 1
    assert canonical["head_pruning_ratio"] == canonical["embedding_pruning_ratio"] == 0.0
    assert canonical["vocabulary_trimming"] is False


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"pruning_allocation": "even"}, "Use uniform, global, isomorphic"),
        ({"pruning_importance": "weight"}, "Use magnitude, taylor"),
        ({"pruning_rounds": 9}, "whole number from 1 to 4"),
        ({"vocabulary_trimming": 2}, "Use True or False"),
    ],
)
def test_other_values_are_refused(pipeline: Pipeline, params: Params, message: str) -> None:
    """The message lists what can be used."""
    with pytest.raises(SpaceError, match=message):
        pipeline.canonical(params)
