"""How bits are made, and which parts of a model can be narrowed, in the pipelines for slates and clicks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from paretoopt.compression.prune import prune
from paretoopt.compression.quantize import QuantizationRules
from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.split import Split
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.errors import PipelineError, SpaceError
from paretoopt.models.history_ranker import Pooling
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import HistoryModel, NeuMFModel, click_through, slate_ranking
from paretoopt.recommenders.slate_models import SlateModel
from paretoopt.space import Float, SearchSpace
from paretoopt.training.loop import TrainingSettings

ONE = TrainingSettings(epochs=1, threads=1)

Make = Callable[[QuantizationRules | None], Pipeline]


@pytest.fixture(params=["history", "neumf", "dlrm"])
def make(request: pytest.FixtureRequest, shop: Split, tmp_path: Path) -> Make:
    """Gives a pipeline of each kind with one epoch of training."""
    if request.param == "dlrm":
        clicks = synthetic_clicks(1_000, fields=4)
        return lambda rules: click_through(clicks, quantization=rules, training=ONE, store=tmp_path)
    model: SlateModel = HistoryModel(length=10, hidden=16) if request.param == "history" else NeuMFModel()
    slates = sampled_slates(shop, slate_size=20)
    return lambda rules: slate_ranking(slates, model, quantization=rules, training=ONE, store=tmp_path)


def operators(pipeline: Pipeline, **bits: int) -> Counter[str]:
    """How often each operator stands in the artifact of 16 wide embeddings."""
    model_path = pipeline.deployable({"embedding_dim": 16, **bits}).model_path
    return Counter(node.op_type for node in onnx.load(model_path).graph.node)


def test_static_layers_are_calibrated_in_every_pipeline(make: Make) -> None:
    """With ``linear="static"``, what layers are given has a range beforehand; by default it is found each time."""
    dynamic = operators(make(None), linear_bits=8)
    static = operators(make(QuantizationRules(linear="static")), linear_bits=8)

    assert dynamic["DynamicQuantizeLinear"] > 0
    assert static["DynamicQuantizeLinear"] == 0
    assert static["QuantizeLinear"] > 0


def values_per_scale(pipeline: Pipeline) -> set[int]:
    """How many 4-bit values of a table share a scale, over all tables of 32 and more values a row."""
    graph = onnx.load(pipeline.deployable({"embedding_dim": 32, "embedding_bits": 4}).model_path).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    tables = {node.input[0]: node.input[2] for node in graph.node if node.op_type == "GatherBlockQuantized"}
    # Two values a byte.
    return {2 * shapes[table][-1] // shapes[scales][-1] for table, scales in tables.items()}


def test_a_block_size_holds_in_every_pipeline(make: Make) -> None:
    """Blocks of 16 share a scale, where the whole row does by default."""
    assert min(values_per_scale(make(None))) >= 32
    assert values_per_scale(make(QuantizationRules(block_size=16))) == {16}


def test_a_ratio_that_a_model_cannot_have_is_refused_before_any_training(make: Make) -> None:
    """None of these models has attention heads, so a space with their ratio says so, and what to do."""
    space = SearchSpace(head_pruning_ratio=Float(0.0, 0.5, step=0.25))

    with pytest.raises(SpaceError, match=r"attention heads\. Leave it out of the space"):
        make(None).check(space, ["latency_p95_ms"])


@pytest.mark.parametrize(("history", "is_refused"), [("flatten", True), ("mean", False)])
def test_a_flattened_history_keeps_its_embeddings_width(
    shop: Split, tmp_path: Path, history: Pooling, is_refused: bool
) -> None:
    """Its tables cannot be narrowed after training; those of a mean can."""
    pipeline = slate_ranking(sampled_slates(shop, slate_size=20), HistoryModel(history=history), store=tmp_path)
    space = SearchSpace(embedding_pruning_ratio=Float(0.0, 0.5, step=0.25))

    if not is_refused:
        pipeline.check(space, ["latency_p95_ms"])
        return
    with pytest.raises(SpaceError, match="search embedding_dim instead"):
        pipeline.check(space, ["latency_p95_ms"])


def test_a_ratio_that_does_not_exist_cannot_be_absent() -> None:
    """A misspelt name would let every candidate fail."""
    with pytest.raises(PipelineError, match="absent names heads"):
        prune(absent={"heads": "there are none"})
