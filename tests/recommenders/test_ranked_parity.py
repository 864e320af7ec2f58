"""Real quantised recommenders rank as before; a broken graph ends the candidate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS
from paretoopt.errors import CandidateError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Parameter, Params


def test_the_fewest_bits_keep_the_lists(pipeline: Pipeline) -> None:
    """Quantisation that works loses order, not the lists; without it, both are exactly as before."""
    fewest = {"embedding_dim": 16, "linear_bits": min(LINEAR_BITS), "embedding_bits": min(EMBEDDING_BITS)}

    few, full = (pipeline.evaluate(params).measurements for params in (fewest, {"embedding_dim": 16}))

    assert 0.25 < few["overlap_at_10"].value < 1
    assert abs(few["ndcg_change_at_10"].value) < 0.1
    assert (full["overlap_at_10"].value, full["ndcg_change_at_10"].value) == (1, 0)


def test_a_table_with_its_rows_in_a_wrong_order_ends_the_candidate(pipeline: Pipeline) -> None:
    """Every number in it is finite and its latency is right: only the lists tell."""
    recipe = pipeline._recipe
    broken = Pipeline(
        data=recipe.data,
        build=recipe.build,
        stages=[*recipe.stages, shuffling_stage()],
        measures=recipe.measures,
        requests=recipe.requests,
        store=recipe.store,
    )

    with pytest.raises(CandidateError, match=r"ranked_parity: quantised, the model's top 10 share 0\.[01]"):
        broken.evaluate({"embedding_dim": 16, "shuffled": True})


def shuffling_stage() -> Stage:
    """A stage that puts the item table's rows into a wrong order."""

    def run(artifact: Artifact, params: Params, context: Context) -> onnx.ModelProto:
        model = onnx.load(artifact.model_path)
        (table,) = (tensor for tensor in model.graph.initializer if tensor.name.endswith("items.weight"))
        rows = np.random.default_rng(0).permutation(numpy_helper.to_array(table))
        table.CopyFrom(numpy_helper.from_array(rows, table.name))
        return model

    stage = Stage("shuffle", run, save_graph, load_artifact, reads=(Parameter("shuffled", False),))
    return replace(stage, is_active=lambda params: bool(params["shuffled"]))
