"""Real quantised recommenders rank as before; a broken graph ends the candidate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.artifact.tables import table_names
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS
from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.split import Split
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.errors import CandidateError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.recommenders import HistoryModel, NeuMFModel, click_through, slate_ranking
from paretoopt.recommenders.slate_models import SlateModel
from paretoopt.space import Parameter, Params
from paretoopt.training.loop import TrainingSettings


def test_the_fewest_bits_keep_the_lists(pipeline: Pipeline) -> None:
    """Quantisation that works loses order, not the lists; without it, both are exactly as before."""
    fewest = {"embedding_dim": 16, "linear_bits": min(LINEAR_BITS), "embedding_bits": min(EMBEDDING_BITS)}

    few, full = (judged(pipeline).evaluate(params).measurements for params in (fewest, {"embedding_dim": 16}))

    assert 0.25 < few["overlap_at_10"].value < 1
    assert abs(few["ndcg_change_at_10"].value) < 0.1
    assert (full["overlap_at_10"].value, full["ndcg_change_at_10"].value) == (1, 0)


def test_a_table_with_its_rows_in_a_wrong_order_ends_the_candidate(pipeline: Pipeline) -> None:
    """Every number in it is finite and its latency is right: only the lists tell."""
    with pytest.raises(CandidateError, match=r"ranked_parity: quantised, the model's top 10 share 0\.[01]"):
        judged(pipeline).evaluate({"embedding_dim": 16, "shuffled": True})


MODELS: dict[str, SlateModel] = {
    "flatten": HistoryModel(length=10, hidden=16),
    "mean": HistoryModel(history="mean", length=10, hidden=16),
    "neumf": NeuMFModel(),
}


@pytest.fixture(scope="module")
def make_ranker(shop: Split, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pipeline]:
    """Gives pipelines that rank slates of twenty, by the model's name, with little training and a store in common."""
    slates, store = sampled_slates(shop, slate_size=20), tmp_path_factory.mktemp("slates")
    few = TrainingSettings(epochs=4, learning_rate=1e-2, threads=1)

    def make(name: str, best: int | None = None) -> Pipeline:
        return judged(slate_ranking(slates, MODELS[name], best=best, training=few, batch_size=128, store=store))

    return make


@pytest.mark.parametrize("best", [None, 3], ids=["scores", "best"])
@pytest.mark.parametrize("name", MODELS)
def test_slates_keep_their_ranking_with_the_fewest_bits(
    make_ranker: Callable[..., Pipeline], name: str, best: int | None
) -> None:
    """The change of NDCG is that of the quality measured; without quantisation, nothing changes."""
    ranker = make_ranker(name, best)
    fewest = {"embedding_dim": 16, "linear_bits": min(LINEAR_BITS), "embedding_bits": min(EMBEDDING_BITS)}

    few, full = (ranker.evaluate(params).measurements for params in (fewest, {"embedding_dim": 16}))

    assert 0.625 < few["overlap_at_10"].value < 1
    difference = few["ndcg_at_10"].value - full["ndcg_at_10"].value
    assert few["ndcg_change_at_10"].value == pytest.approx(difference)
    assert (full["overlap_at_10"].value, full["ndcg_change_at_10"].value) == (1, 0)


@pytest.mark.parametrize("best", [None, 3], ids=["scores", "best"])
@pytest.mark.parametrize("name", MODELS)
def test_a_slate_ranker_with_wrong_rows_ends_with_its_figures(
    make_ranker: Callable[..., Pipeline], name: str, best: int | None
) -> None:
    """Any two lists of 10 of 20 share half by chance, which is no parity."""
    with pytest.raises(
        CandidateError,
        match=r"ranked_parity: quantised.* on 200 requests, .* of what chance \(0\.500\) leaves, so 0\.625",
    ):
        make_ranker(name, best).evaluate({"embedding_dim": 16, "shuffled": True})


@pytest.fixture(scope="module", params=["dlrm", "deepfm"])
def click_pipeline(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Click models whose requests have one row each."""
    few = TrainingSettings(epochs=5, learning_rate=5e-3, threads=1)
    settings: dict[str, Any] = {"model": request.param, "rows": 1, "hidden": (32, 16), "cluster_field": "user"}
    store = tmp_path_factory.mktemp("clicks")
    clicks = synthetic_clicks(6_000, fields=6)
    return judged(click_through(clicks, **settings, training=few, batch_size=128, store=store))


def test_clicks_keep_their_ranking_with_the_fewest_bits(click_pipeline: Pipeline) -> None:
    """The change of the AUC is that of the quality measured; without quantisation, nothing changes."""
    fewest = {"embedding_dim": 8, "linear_bits": min(LINEAR_BITS), "embedding_bits": min(EMBEDDING_BITS)}

    few, full = (click_pipeline.evaluate(params).measurements for params in (fewest, {"embedding_dim": 8}))

    assert 0.325 < few["overlap_at_10"].value < 1
    assert few["auc_change"].value == pytest.approx(few["auc"].value - full["auc"].value)
    assert (full["overlap_at_10"].value, full["auc_change"].value) == (1, 0)


def test_a_click_model_with_wrong_rows_ends_with_its_figures(click_pipeline: Pipeline) -> None:
    """Of a hundred rows, any two lists of ten share a tenth by chance."""
    with pytest.raises(CandidateError, match=r"ranked_parity: quantised.* of what chance \(0\.100\) leaves, so 0\.325"):
        click_pipeline.evaluate({"embedding_dim": 8, "shuffled": True})


def judged(pipeline: Pipeline) -> Pipeline:
    """Parity and quality alone, with a stage that breaks the artifact where ``shuffled`` is True."""
    recipe = pipeline._recipe
    return Pipeline(
        data=recipe.data,
        build=recipe.build,
        stages=[*recipe.stages, shuffling_stage()],
        measures=recipe.measures[:2],
        requests=recipe.requests,
        store=recipe.store,
    )


def shuffling_stage() -> Stage:
    """A stage that puts the rows of every table that is looked up into a wrong order."""

    def run(artifact: Artifact, params: Params, context: Context) -> onnx.ModelProto:
        model = onnx.load(artifact.model_path)
        names = table_names(model)
        for table in (tensor for tensor in model.graph.initializer if tensor.name in names):
            rows = np.random.default_rng(0).permutation(numpy_helper.to_array(table))
            table.CopyFrom(numpy_helper.from_array(rows, table.name))
        return model

    stage = Stage("shuffle", run, save_graph, load_artifact, reads=(Parameter("shuffled", False),))
    return replace(stage, is_active=lambda params: bool(params["shuffled"]))
