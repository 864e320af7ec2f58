"""The slate pipeline, end to end on a small shop, with each of its models."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from paretoopt.artifact.export import export_graph
from paretoopt.candidate import Candidate, Evaluation
from paretoopt.compression.prune_channels import prune_channels
from paretoopt.compression.prune_selection import PruningShares
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize_graph
from paretoopt.data.load import load_interactions
from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slate_popularity import slate_popularity
from paretoopt.data.slate_sampling import sampled_slates
from paretoopt.data.slates import SlateData, slate_requests
from paretoopt.data.split import Split
from paretoopt.errors import CandidateError, ObjectiveError, PipelineError, SpaceError
from paretoopt.measurement.bootstrap import mean_interval
from paretoopt.measurement.click_quality import auc, log_loss
from paretoopt.measurement.paired import compare_quality
from paretoopt.models.slate_scorer import SlateRecommender, SlateScorer
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import HistoryModel, NeuMFModel, slate_ranking
from paretoopt.recommenders.slate_models import SlateModel
from paretoopt.recommenders.slates import _pruning_plan, served_requests
from paretoopt.space import Ordered, Params, SearchSpace
from paretoopt.training.loop import TrainingSettings

MODELS: dict[str, SlateModel] = {
    "flatten": HistoryModel(length=10, hidden=16),
    "mean": HistoryModel(history="mean", length=10, hidden=16),
    "neumf": NeuMFModel(),
}
BASE: Params = {"embedding_dim": 16}
SMALL: Params = {"embedding_dim": 16, "pruning_ratio": 0.5, "linear_bits": 8, "embedding_bits": 4}

MakePipeline = Callable[..., Pipeline]


@pytest.fixture(scope="session")
def slates(shop: Split) -> SlateData:
    """Slates of twenty."""
    return sampled_slates(shop, slate_size=20)


@pytest.fixture(scope="session")
def make_pipeline(slates: SlateData, tmp_path_factory: pytest.TempPathFactory) -> MakePipeline:
    """Gives pipelines with little training that share a store."""
    store = tmp_path_factory.mktemp("slates")
    few = TrainingSettings(epochs=2, learning_rate=5e-3, threads=1)

    def make(name: str = "flatten", *, best: int | None = None, served_candidates: int = 100) -> Pipeline:
        return slate_ranking(
            slates,
            MODELS[name],
            best=best,
            served_candidates=served_candidates,
            training=few,
            fine_tuning=few,
            batch_size=128,
            store=store,
        )

    return make


def steps_run(evaluation: Evaluation) -> list[str]:
    """The steps that were not taken from the store."""
    return [run.name for run in evaluation.runs if not run.reused]


def answers(pipeline: Pipeline, params: Params, requests: dict[str, np.ndarray]) -> np.ndarray:
    """The scores that the artifact gives."""
    session = onnxruntime.InferenceSession(pipeline.deployable(params).model_path, providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], requests)
    return np.asarray(scores)


@pytest.mark.parametrize("name", ["flatten", "neumf"])
def test_every_dimension_at_once_gives_every_metric(make_pipeline: MakePipeline, name: str) -> None:
    """A pruned, quantised model on two workers is measured in all that the pipeline promises."""
    pipeline = make_pipeline(name)

    measured = pipeline.evaluate({**SMALL, "pruning_importance": "taylor", "serving_workers": 2}).measurements

    assert set(measured) == set(pipeline.metrics)
    assert {"ndcg_at_10", "hr_at_10", "auc", "log_loss", "test_auc", "latency_p50_ms", "memory_mib"} <= set(measured)
    assert all(np.isfinite(measurement.value) for measurement in measured.values())


@pytest.fixture(scope="session")
def exported(slates: SlateData) -> Callable[[str], onnx.ModelProto]:
    """Gives the fp32 graph of an untrained, pruned model, exported beside requests of a single candidate."""

    @cache
    def graph_of(name: str) -> onnx.ModelProto:
        model = MODELS[name]
        inputs = some_requests(model, slates, n_candidates=1)
        return export_graph(
            SlateScorer(pruned(model, slates)), inputs, outputs=("scores",), dynamic_axes=("candidates",)
        )

    return graph_of


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    "bits",
    [
        *((linear, 32) for linear in LINEAR_BITS),
        *((32, embedding) for embedding in EMBEDDING_BITS if embedding != 32),
        (min(LINEAR_BITS), min(EMBEDDING_BITS)),
    ],
    ids=str,
)
def test_every_bit_width_has_a_kernel(
    exported: Callable[[str], onnx.ModelProto], slates: SlateData, name: str, bits: tuple[int, int]
) -> None:
    """The pruned graph in each width runs, for slates of any length, and gives probabilities near those of 32 bits."""
    quantized = quantize_graph(exported(name), linear_bits=bits[0], embedding_bits=bits[1])

    for n_candidates in (1, 40):
        inputs = some_requests(MODELS[name], slates, n_candidates=n_candidates)
        expected, found = (session_of(each).run(None, inputs)[0] for each in (exported(name), quantized))
        assert found.shape == (20, n_candidates)
        assert np.abs(found - expected).max() < (0.02 if min(bits) >= 8 else 0.3)


def some_requests(model: SlateModel, slates: SlateData, *, n_candidates: int = 5) -> dict[str, np.ndarray]:
    """The requests of twenty users."""
    requests = served_requests(slates, length=model.length, n_candidates=n_candidates)
    return {name: array[:20] for name, array in requests.items()}


def pruned(model: SlateModel, slates: SlateData, *, channels: float = 0.5, embedding: float = 0.0) -> nn.Module:
    """An untrained module with half of its channels."""
    torch.manual_seed(0)
    module = model.build(slates.split, 16).eval()
    context: Any = SimpleNamespace(requests=some_requests(model, slates))
    return prune_channels(
        module, _pruning_plan(model, module, context), PruningShares(channels=channels, embedding=embedding)
    )


def session_of(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session that runs the graph."""
    return onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flatten", {"context": 8, "candidate": 8, "output": 1}),
        ("neumf", {"user": 32, "candidate": 32, "tower.0": 16, "tower.1": 8, "product_output": 1, "tower_output": 1}),
    ],
)
def test_half_of_the_dense_channels_are_gone(slates: SlateData, name: str, expected: dict[str, int]) -> None:
    """The two parts of the first layer keep the same channels, and every layer of the tower is narrowed."""
    module = pruned(MODELS[name], slates)

    layers = {name: layer for name, layer in module.named_modules() if isinstance(layer, nn.Linear)}
    assert {name: layer.out_features for name, layer in layers.items()} == expected
    assert all(table.embedding_dim in (16, 64) for table in module.modules() if isinstance(table, nn.Embedding))


@pytest.mark.parametrize("name", ["mean", "neumf"])
def test_tables_are_narrowed_too(slates: SlateData, name: str) -> None:
    """Half of every table's columns go, and what reads them follows."""
    model = MODELS[name]
    full, narrow = (pruned(model, slates, channels=0, embedding=share) for share in (0, 0.5))

    tables = [[each for each in module.modules() if isinstance(each, nn.Embedding)] for module in (full, narrow)]
    assert [each.embedding_dim * 2 for each in tables[1]] == [each.embedding_dim for each in tables[0]]
    inputs = {key: torch.from_numpy(array) for key, array in some_requests(model, slates).items()}
    assert narrow(**inputs).shape == full(**inputs).shape


def test_tables_of_a_flattened_history_are_not_narrowed(slates: SlateData) -> None:
    """torch-pruning cannot follow their columns; the error says so instead of a wrong model being served."""
    with pytest.raises(CandidateError, match="embedding"):
        pruned(MODELS["flatten"], slates, embedding=0.5)


def test_recovery_is_part_of_the_pipeline(make_pipeline: MakePipeline) -> None:
    """A pruned model is taught by the unpruned one, then learns with the weights that 4 bits leave."""
    params = {**BASE, "pruning_ratio": 0.5, "distillation": 0.5, "embedding_bits": 4, "quantization_aware": True}
    pipeline = make_pipeline("neumf")

    path = pipeline.deployable(params).model_path

    assert "GatherBlockQuantized" in {node.op_type for node in onnx.load(path).graph.node}
    assert {"distillation", "quantization_aware", "pruning_allocation", "pruning_rounds"} <= set(pipeline.parameters)


def test_a_pruned_ranker_equals_one_with_zeroed_channels(slates: SlateData) -> None:
    """Removing channels computes what the full ranker computes with those channels' output weights at zero."""
    model = MODELS["flatten"]
    torch.manual_seed(0)
    full: Any = model.build(slates.split, 16).eval()
    narrow: Any = pruned(model, slates)
    with torch.no_grad():
        for channel in range(full.candidate.out_features):
            if not (narrow.candidate.weight == full.candidate.weight[channel]).all(1).any():
                full.output.weight[:, channel] = 0

    inputs = {name: torch.from_numpy(array) for name, array in some_requests(model, slates).items()}
    assert torch.allclose(narrow(**inputs), full(**inputs), atol=1e-6)


def test_quality_through_the_artifact_is_that_of_each_slate(make_pipeline: MakePipeline, slates: SlateData) -> None:
    """NDCG and HR, and AUC and log-loss by their definitions over rows, user by user, on test."""
    pipeline = make_pipeline()
    measured, values = pipeline.evaluate(BASE).measurements, pipeline.per_user(BASE)
    scores = answers(pipeline, BASE, slate_requests(slates, "test", length=10))
    quality = slate_quality(scores, slates.test)

    assert measured["test_ndcg_at_10"].value == pytest.approx(quality.ndcg)
    assert measured["test_hr_at_10"].value == pytest.approx(quality.hr)
    for user in range(0, slates.split.n_users, 9):
        labels = np.arange(20) == slates.test.positions[user]
        assert values["test_auc"][user] == pytest.approx(auc(labels.astype(int), scores[user]))
        assert values["test_log_loss"][user] == pytest.approx(log_loss(labels.astype(int), scores[user]))


def test_intervals_are_over_users(make_pipeline: MakePipeline) -> None:
    """Every quality metric is a mean of one value per user, with its bootstrap interval."""
    pipeline = make_pipeline()
    measured, values = pipeline.evaluate(BASE).measurements, pipeline.per_user(BASE)

    for metric in ("ndcg_at_10", "hr_at_10", "auc", "log_loss", "test_log_loss"):
        assert measured[metric].value == pytest.approx(values[metric].mean())
        assert (measured[metric].low, measured[metric].high) == pytest.approx(mean_interval(values[metric]))


def test_candidates_are_compared_user_by_user(make_pipeline: MakePipeline, slates: SlateData) -> None:
    """The compressed model against the uncompressed one, over the same users."""
    pipeline = make_pipeline()
    for params in (BASE, SMALL):
        pipeline.evaluate(params)

    found = compare_quality(pipeline, Candidate(0, SMALL, {}), Candidate(1, BASE, {}), "test_auc")

    assert found.low <= found.mean_difference <= found.high
    assert found.n_users == slates.split.n_users


def test_latency_is_measured_for_a_thousand_candidates(make_pipeline: MakePipeline) -> None:
    """Longer slates share the training and the artifact; what depends on the requests is measured anew."""
    make_pipeline("mean").evaluate(SMALL)
    pipeline = make_pipeline("mean", served_candidates=1_000)

    assert pipeline.requests["candidates"].shape[1] == 1_000
    assert steps_run(pipeline.evaluate(SMALL)) == ["ranked_parity", "quality", "latency", "memory"]


def test_the_best_candidates_are_answered_if_asked_for(slates: SlateData) -> None:
    """The exported graph lists the best three of each slate with the scores that they have in it."""
    model = MODELS["neumf"]
    inputs, outputs = some_requests(model, slates), ("scores", "items", "best_scores")
    graph = export_graph(
        SlateRecommender(pruned(model, slates), 3), inputs, outputs=outputs, dynamic_axes=("candidates",)
    )

    scores, items, best = session_of(graph).run(outputs, inputs)

    assert np.array_equal(best, -np.sort(-scores, axis=1)[:, :3])
    assert all(set(row) <= set(slate) for row, slate in zip(items, inputs["candidates"], strict=True))


def test_a_bundle_tells_what_is_answered(make_pipeline: MakePipeline) -> None:
    """The notes name the list of the best where it was asked for, and not otherwise."""
    assert "the 3 best candidates" in make_pipeline(best=3).notes
    assert "best" not in make_pipeline().notes


def test_scores_do_not_depend_on_the_other_candidates(make_pipeline: MakePipeline) -> None:
    """An item gets the same probability alone and in a slate."""
    pipeline = make_pipeline()
    together = {name: array[:5] for name, array in pipeline.requests.items()}
    alone = {**together, "candidates": together["candidates"][:, 7:8]}

    assert answers(pipeline, BASE, alone)[:, 0] == pytest.approx(answers(pipeline, BASE, together)[:, 7], abs=1e-6)


def test_a_bundle_tells_what_ids_and_inputs_mean(make_pipeline: MakePipeline, slates: SlateData) -> None:
    """It carries the original ids of users and items in the places of the model's."""
    pipeline = make_pipeline("neumf")

    assert json.loads(pipeline.bundle_files["user_ids.json"]) == [None, *map(str, slates.split.user_ids)]
    assert json.loads(pipeline.bundle_files["item_ids.json"]) == [None, *map(str, slates.split.item_ids)]
    assert "history" not in pipeline.notes
    assert "10 most recent items" in make_pipeline("flatten").notes


@pytest.mark.parametrize("metric", ["test_ndcg_at_10", "test_log_loss"])
def test_test_metrics_are_not_searched_by(make_pipeline: MakePipeline, metric: str) -> None:
    """Test slates are for what is reported."""
    with pytest.raises(ObjectiveError, match=f"{metric!r} is for reports only"):
        make_pipeline().check(SearchSpace(embedding_dim=Ordered(16)), [metric])


@pytest.mark.parametrize("value", [0, 2.5])
def test_a_width_of_no_channels_is_refused(make_pipeline: MakePipeline, value: float) -> None:
    """Before any training."""
    with pytest.raises(SpaceError, match="whole number from 1 on"):
        make_pipeline().canonical({"embedding_dim": value})


@pytest.mark.parametrize(
    "setting",
    [{"k": 0}, {"best": 0}, {"served_candidates": 1.5}, {"negatives": 0}, {"batch_size": "8"}],
    ids=str,
)
def test_settings_out_of_range_are_refused(slates: SlateData, tmp_path: Path, setting: dict[str, Any]) -> None:
    """A setting that cannot work is named with its value."""
    (name,) = setting

    with pytest.raises(PipelineError, match=f"{name} must be"):
        slate_ranking(slates, store=tmp_path, **setting)


@pytest.mark.parametrize("setting", [{"length": 0}, {"hidden": 1.5}, {"dropout": 1.0}, {"history": "last"}], ids=str)
def test_model_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    """So is one of the model."""
    (name,) = setting

    with pytest.raises(PipelineError, match=f"{name} must be"):
        HistoryModel(**setting)


def test_a_list_as_long_as_the_slates_is_refused(slates: SlateData, tmp_path: Path) -> None:
    """HR@20 of slates of 20 is 1 for any ranking."""
    with pytest.raises(PipelineError, match="k=20 covers slates of 20"):
        slate_ranking(slates, k=20, store=tmp_path)


def test_a_path_in_place_of_slates_is_told(tmp_path: Path) -> None:
    """The remedy is to load it."""
    with pytest.raises(PipelineError, match="load_ncf or sampled_slates"):
        slate_ranking("ml-1m-ncf", store=tmp_path)  # type: ignore[arg-type]  # the mistake that is tested


def test_served_requests_have_as_many_candidates_as_asked_for(slates: SlateData) -> None:
    """Every one is an item of the catalogue, and the same seed draws the same."""
    first, again = (served_requests(slates, length=4, n_candidates=30, seed=3) for _ in range(2))

    assert first["candidates"].shape == (200, 30)
    assert first["candidates"].min() >= 1
    assert first["candidates"].max() <= slates.split.n_items
    assert all(np.array_equal(first[name], again[name]) for name in ("user", "history", "candidates"))


@pytest.mark.realdata
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("model", "width"), [(NeuMFModel(), 16), (HistoryModel(history="mean", length=50), 32)], ids=["neumf", "history"]
)
def test_both_models_clearly_beat_popularity_on_movielens(
    model: SlateModel, width: int, real_data: Path, tmp_path: Path
) -> None:
    """After a short training, on the test slates of 943 users, the whole interval lies above."""
    slates = sampled_slates(load_interactions(real_data / "ml-100k"))
    training = TrainingSettings(epochs=8, learning_rate=2e-3)

    pipeline = slate_ranking(slates, model, training=training, batch_size=512, store=tmp_path)
    measured = pipeline.evaluate({"embedding_dim": width}).measurements["test_ndcg_at_10"]

    assert measured.low is not None
    assert measured.low > 1.15 * slate_popularity(slates).ndcg
