"""The click-through pipelines, end to end on synthetic impressions."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from paretoopt.artifact.artifact import Artifact
from paretoopt.artifact.describe import describe
from paretoopt.bundle.export import export
from paretoopt.candidate import Candidate
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS
from paretoopt.data.clicks import Clicks
from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.errors import ObjectiveError, PipelineError, SpaceError
from paretoopt.measurement.click_quality import auc
from paretoopt.measurement.paired import compare_quality
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Requests
from paretoopt.recommenders import click_through
from paretoopt.recommenders.click_through import ClickModel
from paretoopt.space import Ordered, Params, SearchSpace, Value
from paretoopt.training.loop import TrainingSettings

BASE: Params = {"embedding_dim": 8}
ROWS = 20

Deploy = Callable[..., tuple[Path, Requests]]


@pytest.fixture(scope="module")
def clicks() -> Clicks:
    """Three thousand impressions with six categorical and two numeric fields."""
    return synthetic_clicks(3_000, fields=6)


@pytest.fixture(scope="module")
def pipeline(clicks: Clicks, tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """DLRM with little training."""
    return make_pipeline(clicks, tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Deploy:
    """Gives the artifact of a model that was pruned by half, by model and bit-widths, and requests for it."""
    models: tuple[ClickModel, ...] = ("dlrm", "deepfm")
    made = {model: make_pipeline(data_of(model), tmp_path_factory.mktemp("store"), model=model) for model in models}

    def deploy(model: ClickModel, **changes: Value) -> tuple[Path, Requests]:
        deployed = made[model].deployable({**BASE, "pruning_ratio": 0.5, **changes})
        return deployed.model_path, made[model].requests

    return deploy


def data_of(model: ClickModel) -> Clicks:
    """Impressions for one model with numeric fields, and for the other one without, so that both kinds are exported."""
    return synthetic_clicks(1_000, fields=8, numbers=3 if model == "dlrm" else 0)


def make_pipeline(clicks: Clicks, store: Path, *, model: ClickModel = "dlrm") -> Pipeline:
    """A pipeline with little training."""
    few = TrainingSettings(epochs=3, learning_rate=5e-3, threads=1)
    return click_through(
        clicks,
        model=model,
        rows=ROWS,
        hidden=(32, 16),
        training=few,
        fine_tuning=few,
        batch_size=128,
        cluster_field="user",
        store=store,
    )


def answer(model_path: Path, requests: Requests) -> np.ndarray:
    """The probabilities that the artifact gives, in this process."""
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    probabilities: np.ndarray = session.run(["probabilities"], dict(requests))[0]
    return probabilities


def test_every_metric_is_measured(pipeline: Pipeline) -> None:
    """One evaluation gives quality with its intervals, latency and memory."""
    measured = pipeline.evaluate(BASE).measurements

    assert set(measured) == set(pipeline.metrics)
    assert {"auc", "log_loss", "test_auc", "test_log_loss", "latency_p95_ms", "memory_mib"} <= set(measured)
    for metric in ("auc", "log_loss", "test_auc", "test_log_loss"):
        each = measured[metric]
        assert each.low is not None
        assert each.high is not None
        assert 0 < each.low < each.value < each.high


def test_quality_is_that_of_the_artifact_row_by_row(pipeline: Pipeline, clicks: Clicks) -> None:
    """The reported AUC is that of what the artifact answers when every validation row is a request."""
    part = clicks.validation
    rows: Requests = {"categories": part.categories[:, None], "numbers": part.numbers[:, None]}
    probabilities = answer(pipeline.deployable(BASE).model_path, rows)[:, 0]

    assert pipeline.evaluate(BASE).measurements["auc"].value == pytest.approx(auc(part.labels, probabilities))


def test_the_artifact_takes_any_number_of_rows(pipeline: Pipeline) -> None:
    """A request of all rows is answered like requests of each, in any batch."""
    requests = {name: array[:3] for name, array in pipeline.requests.items()}
    alone = {name: array.reshape(3 * ROWS, 1, -1) for name, array in requests.items()}
    path = pipeline.deployable(BASE).model_path

    assert answer(path, requests).shape == (3, ROWS)
    assert answer(path, alone).ravel() == pytest.approx(answer(path, requests).ravel(), abs=1e-6)


@pytest.mark.parametrize("model", ["dlrm", "deepfm"])
def test_every_pair_of_bit_widths_works_on_a_pruned_model(pruned: Deploy, model: ClickModel) -> None:
    """Answers stay near those of 32 bits, and nearer the more bits there are."""
    path, requests = pruned(model)
    exact = answer(path, requests)
    for linear_bits, embedding_bits in product(LINEAR_BITS, EMBEDDING_BITS):
        path, _ = pruned(model, linear_bits=linear_bits, embedding_bits=embedding_bits)
        error = np.abs(answer(path, requests) - exact).mean()

        assert error < (0.02 if min(linear_bits, embedding_bits) >= 8 else 0.1)


def test_the_recovery_dimensions_work_together(pruned: Deploy) -> None:
    """Pruned in two rounds by Taylor importance over all layers, taught, and trained on with 4-bit weights."""
    ways: Params = {"pruning_rounds": 2, "pruning_importance": "taylor", "pruning_allocation": "global"}
    path, requests = pruned("dlrm", **ways, distillation=0.5, quantization_aware=True, bits=4)

    probabilities = answer(path, requests)

    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert probabilities.std() > 0


@pytest.mark.parametrize("model", ["dlrm", "deepfm"])
def test_fewer_bits_are_fewer_bytes_in_every_field(pruned: Deploy, model: ClickModel) -> None:
    """All fields are in one table, which has no fp32 copy, so that those of three values shrink like the others."""
    graphs = [onnx.load(pruned(model, embedding_bits=bits)[0]) for bits in EMBEDDING_BITS]
    sizes = [sum(t.ByteSize() for t in graph.graph.initializer if "table" in t.name) for graph in graphs]

    assert sizes == sorted(sizes, reverse=True)
    assert len({*sizes}) == len(sizes)
    assert sum(node.op_type.startswith("Gather") and len(node.input) > 2 for node in graphs[-1].graph.node) == 1


@pytest.mark.parametrize(("model", "n_inputs"), [("dlrm", 8 + 9 * 8 // 2), ("deepfm", 8 * 8)])
def test_pruning_narrows_the_towers_and_keeps_the_embeddings(pruned: Deploy, model: ClickModel, n_inputs: int) -> None:
    """Half of the hidden channels are gone from the file; what the tower reads is as wide as before."""
    graph = onnx.load(pruned(model)[0]).graph
    shapes = [sorted(tensor.dims) for tensor in graph.initializer if len(tensor.dims) == 2]

    assert sorted([16, n_inputs]) in shapes
    assert [8, 16] in shapes
    assert sorted([8, sum(data_of(model).sizes)]) in shapes


@pytest.mark.parametrize("changes", [{}, {"pruning_ratio": 0.5, "bits": 4}], ids=str)
def test_the_parts_list_tells_the_size_before_training(pipeline: Pipeline, changes: Params) -> None:
    """The bytes are those of the artifact, to within a twentieth."""
    artifact: Artifact = pipeline.deployable({**BASE, **changes})

    predicted = describe(pipeline, {**BASE, **changes}).artifact_bytes

    assert predicted == pytest.approx(artifact.model_path.stat().st_size, rel=0.05)


def test_variants_share_the_training(pipeline: Pipeline) -> None:
    """Other bits and more workers train nothing anew; the trained model and its untrained shape are quantised."""
    pipeline.evaluate(BASE)

    runs = pipeline.evaluate({**BASE, "bits": 8, "serving_workers": 2}).runs

    run_anew = [run.name for run in runs if not run.reused]
    assert run_anew == ["quantize", "quantize", "ranked_parity", "quality", "latency", "memory"]


def test_candidates_are_compared_over_the_same_users(pipeline: Pipeline, clicks: Clicks) -> None:
    """The difference of two AUCs has an interval over users, narrower than those of the two tell."""
    full, small = Candidate(0, BASE, {}), Candidate(1, {**BASE, "bits": 8, "serving_workers": 2}, {})
    one, other = (pipeline.evaluate(each.params).measurements["test_auc"] for each in (small, full))

    found = compare_quality(pipeline, small, full, "test_auc")

    assert found.mean_difference == pytest.approx(one.value - other.value)
    assert found.low <= found.mean_difference <= found.high
    assert found.n_users >= len(np.unique(clicks.test.categories[:, 0]))
    assert one.low is not None
    assert found.high - found.low < one.value - one.low


def test_the_bundle_tells_how_to_encode_a_row(pipeline: Pipeline, clicks: Clicks, tmp_path: Path) -> None:
    """The values of each field in the order of their ids, and the scale of each number, travel with the model."""
    evaluation = pipeline.evaluate(BASE)
    export(pipeline, Candidate(0, BASE, evaluation.measurements, evaluation.runs), tmp_path / "bundle")

    fields = json.loads((tmp_path / "bundle" / "fields.json").read_text())

    assert {each["field"]: tuple(each["values"]) for each in fields["categories"]} == dict(clicks.vocabularies)
    assert [each["name"] for each in fields["numbers"]] == ["number_0", "number_1"]


@pytest.mark.parametrize("metric", ["test_auc", "test_log_loss"])
def test_test_metrics_are_not_searched_by(pipeline: Pipeline, metric: str) -> None:
    """Test data are for what is reported."""
    with pytest.raises(ObjectiveError, match=f"{metric!r} is for reports only"):
        pipeline.check(SearchSpace(embedding_dim=Ordered(16)), [metric])


def test_vectors_without_a_factor_are_refused(pipeline: Pipeline) -> None:
    """DeepFM's hold a weight and at least one factor."""
    with pytest.raises(SpaceError, match="Use a whole number from 2 on"):
        pipeline.check(SearchSpace(embedding_dim=Ordered(1, 16)), ["auc"])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"model": "wide"}, "Use 'dlrm' or 'deepfm'"),
        ({"rows": 0}, "rows must be"),
        ({"hidden": ()}, "hidden must"),
        ({"hidden": (32, 0)}, r"hidden\[1\] must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"embedding_penalty": -1.0}, "embedding_penalty must be"),
        ({"cluster_field": "session"}, "no categorical field.*'user', 'item'"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(
    clicks: Clicks, tmp_path: Path, setting: dict[str, Any], message: str
) -> None:
    """A setting that cannot work is named with its value."""
    with pytest.raises(PipelineError, match=message):
        click_through(clicks, store=tmp_path, **setting)


def test_a_path_in_place_of_clicks_is_told(tmp_path: Path) -> None:
    """The remedy is to load it."""
    with pytest.raises(PipelineError, match="load_clicks"):
        click_through("frappe", store=tmp_path)  # type: ignore[arg-type]  # the mistake that is tested
