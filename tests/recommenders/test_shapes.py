"""Whether latency, memory and bytes can be known before training: the artifact has the same form then."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import onnx
import onnxruntime
import pytest

from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.split import Split
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import HistoryModel, NeuMFModel, click_through, next_item, slate_ranking
from paretoopt.recommenders.click_through import ClickModel
from paretoopt.space import Params
from paretoopt.training.loop import TrainingSettings

ONCE = TrainingSettings(epochs=1, learning_rate=5e-3, threads=1)
Form = tuple[int, Counter[str], set[tuple[tuple[int, ...], int]]]


def make_pipeline(kind: str, shop: Split, store: Path) -> Pipeline:
    """A pipeline of a kind, with little training."""
    clicks = synthetic_clicks(1_000, fields=4, numbers=0 if kind == "deepfm" else 2)
    match kind:
        case "next_item":
            return next_item(shop, length=10, training=ONCE, fine_tuning=ONCE, store=store)
        case "dlrm" | "deepfm":
            model: ClickModel = "dlrm" if kind == "dlrm" else "deepfm"
            return click_through(
                clicks, model=model, rows=20, hidden=(32, 16), training=ONCE, fine_tuning=ONCE, store=store
            )
        case _:
            ranker = NeuMFModel() if kind == "neumf" else HistoryModel(length=10, hidden=16)
            return slate_ranking(
                sampled_slates(shop, slate_size=20), ranker, training=ONCE, fine_tuning=ONCE, store=store
            )


def form_of(model: Path, folder: Path) -> Form:
    """The file's bytes; operators and tensors, by shape and type, of what ONNX Runtime makes of it in memory."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "loaded.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    graph = onnx.load(folder / "loaded.onnx").graph
    tensors = {(tuple(tensor.dims), tensor.data_type) for tensor in graph.initializer}
    return model.stat().st_size, Counter(node.op_type for node in graph.node), tensors


@pytest.mark.parametrize("kind", ["next_item", "dlrm", "deepfm", "history", "neumf"])
def test_untrained_and_trained_artifacts_have_one_form(kind: str, shop: Split, tmp_path: Path) -> None:
    """Byte for byte in size, and in operators and tensors once loaded, pruned and at several bit-widths."""
    pipeline = make_pipeline(kind, shop, tmp_path / "store")
    pruned: Params = {"embedding_dim": 16, "pruning_ratio": 0.5}

    for bits in ({}, {"linear_bits": 8, "embedding_bits": 4}, {"linear_bits": 4, "embedding_bits": 16}):
        params = {**pruned, **bits}
        size, operators, tensors = form_of(pipeline.untrained(params).model_path, tmp_path)
        trained_size, trained_operators, trained_tensors = form_of(pipeline.deployable(params).model_path, tmp_path)
        assert size == trained_size, params
        assert tensors == trained_tensors, params
        # A single bias of 0, as DeepFM starts with, is added once it is trained: an operator of one number.
        assert sum((trained_operators - operators).values()) <= 1, params
        assert not operators - trained_operators, params
