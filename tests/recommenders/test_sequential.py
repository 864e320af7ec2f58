"""The next-item pipeline, end to end on a small shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from paretoopt.candidate import Candidate, Evaluation
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, QuantizationRules
from paretoopt.data.groups import by_attribute, by_history_length, by_item_popularity
from paretoopt.data.popularity import popularity_baseline
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError, ObjectiveError, PipelineError, SpaceError
from paretoopt.measurement.bootstrap import mean_interval
from paretoopt.measurement.environment_record import environment_of
from paretoopt.measurement.group_quality import quality_by_group
from paretoopt.measurement.paired import compare_quality
from paretoopt.measurement.per_user import per_user_values
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.space import Float, Ordered, Params, SearchSpace
from paretoopt.training.loop import TrainingSettings

BASE: Params = {"embedding_dim": 16}
SMALL: Params = {"embedding_dim": 16, "pruning_ratio": 0.5, "linear_bits": 8, "embedding_bits": 4}


def shapes(model: onnx.ModelProto, kind: int) -> list[tuple[int, ...]]:
    """The shapes of all weights of one type."""
    return [tuple(tensor.dims) for tensor in model.graph.initializer if tensor.data_type == kind]


def steps_run(evaluation: Evaluation) -> list[str]:
    """The steps that were not taken from the store."""
    return [run.name for run in evaluation.runs if not run.reused]


def test_every_metric_is_measured(pipeline: Pipeline) -> None:
    """One evaluation gives quality, latency and memory, each a finite number."""
    measurements = pipeline.evaluate(BASE).measurements

    assert set(measurements) == set(pipeline.metrics)
    assert {"ndcg_at_10", "test_hr_at_10", "latency_p95_ms", "closed_loop_rps", "memory_mib"} <= set(measurements)
    assert all(np.isfinite(measurement.value) for measurement in measurements.values())


def test_the_shapes_in_the_artifact_prove_the_compression(pipeline: Pipeline) -> None:
    """Half the feed-forward channels are gone from the file, and the layers that are left hold 8-bit integers."""
    full, small = (onnx.load(pipeline.deployable(params).model_path) for params in (BASE, SMALL))

    assert shapes(full, onnx.TensorProto.FLOAT).count((16, 64)) == 2
    assert shapes(small, onnx.TensorProto.INT8).count((16, 32)) == 2
    assert small.ByteSize() < full.ByteSize()


@pytest.mark.parametrize("embedding_bits", EMBEDDING_BITS)
@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
def test_every_pair_of_widths_goes_with_pruning(pipeline: Pipeline, linear_bits: int, embedding_bits: int) -> None:
    """Heads of 5 channels and layers of 40 have a kernel at every width, and the artifact recommends items."""
    widths = {"linear_bits": linear_bits, "embedding_bits": embedding_bits}
    artifact = pipeline.deployable({"embedding_dim": 16, "pruning_ratio": 0.375, **widths})

    session = onnxruntime.InferenceSession(artifact.model_path, providers=["CPUExecutionProvider"])
    items, scores = session.run(["items", "scores"], {name: array[:1] for name, array in pipeline.requests.items()})

    assert len(set(items[0])) == 10
    assert np.isfinite(scores).all()


def test_experts_set_how_the_bits_are_made(shop: Split, tmp_path: Path) -> None:
    """Layers that were calibrated need no look at a request to know its range; the rules are part of the keys."""
    few = TrainingSettings(epochs=1, threads=1)
    ready, expert = (
        next_item(shop, length=20, training=few, quantization=rules, store=tmp_path)
        for rules in (None, QuantizationRules(linear="static"))
    )

    graph = onnx.load(expert.deployable({"embedding_dim": 16, "linear_bits": 8}).model_path)

    assert "DynamicQuantizeLinear" not in {node.op_type for node in graph.graph.node}
    assert expert.fingerprint != ready.fingerprint


def test_variants_of_a_base_share_its_training(pipeline: Pipeline) -> None:
    """Other bits and more workers train nothing anew; the trained model and its untrained shape are quantised."""
    pipeline.evaluate(SMALL)

    other_bits = pipeline.evaluate({**SMALL, "embedding_bits": 8})
    more_workers = pipeline.evaluate({**SMALL, "serving_workers": 2})

    assert steps_run(other_bits) == ["quantize", "quantize", "ranked_parity", "quality", "latency", "memory"]
    assert steps_run(more_workers) == ["latency", "memory"]


def test_an_unpruned_candidate_is_not_fine_tuned(pipeline: Pipeline) -> None:
    """Without pruning there is nothing to recover, and nothing is trained twice."""
    names = dict.fromkeys(run.name for run in pipeline.evaluate(BASE).runs)

    assert [*names] == ["fit", "export", "ranked_parity", "quality", "latency", "memory"]


def test_two_workers_take_twice_the_memory(pipeline: Pipeline) -> None:
    """Each serving worker holds its own copy of the artifact."""
    one, two = (
        pipeline.evaluate({**BASE, "serving_workers": workers}).measurements["memory_mib"].value for workers in (1, 2)
    )

    assert 1.5 < two / one < 2.5


def test_quality_is_kept_per_user(pipeline: Pipeline, shop: Split) -> None:
    """The reported mean is that of one value per user, kept in the store, and its interval holds it."""
    measured = pipeline.evaluate(BASE).measurements["test_ndcg_at_10"]

    values = per_user_values(pipeline, Candidate(0, BASE, {}), "test_ndcg_at_10")

    assert values.shape == (shop.n_users,)
    assert values.mean() == pytest.approx(measured.value)
    assert (measured.low, measured.high) == mean_interval(values)


def test_compressed_is_compared_with_uncompressed_user_by_user(pipeline: Pipeline, shop: Split) -> None:
    """The difference of the two means comes with an interval around it, on validation or on test."""
    full, small = Candidate(0, BASE, {}), Candidate(1, SMALL, {})
    means = [pipeline.evaluate(each.params).measurements["test_hr_at_10"].value for each in (small, full)]

    found = compare_quality(pipeline, small, full, "test_hr_at_10")

    assert found.mean_difference == pytest.approx(means[0] - means[1])
    assert found.low <= found.mean_difference <= found.high
    assert found.n_users == shop.n_users


def test_groups_of_users_are_metrics(shop: Split, tmp_path: Path) -> None:
    """The worst group and the gap are measured on validation, agree with the table, and may be searched by."""
    groups = [by_attribute("device", least_users=20), by_history_length(), by_item_popularity(least_users=20)]
    few = TrainingSettings(epochs=1, threads=1)
    pipeline = next_item(shop, length=20, training=few, groups=groups, store=tmp_path)
    pipeline.check(SearchSpace(embedding_dim=Ordered(16)), ["worst_group_ndcg_at_10", "group_gap"])

    measured = pipeline.evaluate(BASE).measurements

    table = quality_by_group(pipeline, Candidate(0, BASE, {}), groups).query("phase == 'validation' and is_compared")
    assert {"device", "history_length", "item_popularity"} == set(table["kind"])
    means = table.groupby("kind")["ndcg_at_10"]
    assert measured["worst_group_ndcg_at_10"].value == pytest.approx(means.min().min())
    assert measured["group_gap"].value == pytest.approx((means.max() - means.min()).max())


def test_groups_are_part_of_what_was_measured(shop: Split, tmp_path: Path) -> None:
    """Other groups are another pipeline, whose trained models are the same."""
    plain = next_item(shop, store=tmp_path)
    grouped = next_item(shop, groups=[by_history_length()], store=tmp_path)

    assert plain.fingerprint != grouped.fingerprint
    assert set(grouped.metrics) - set(plain.metrics) == {"worst_group_ndcg_at_10", "group_gap"}


def test_a_missing_attribute_is_refused_before_training(shop: Split, tmp_path: Path) -> None:
    """The error names the columns that there are."""
    with pytest.raises(DataError, match=r"no user attribute 'gender'\. It has: 'device', 'age_band'"):
        next_item(shop, groups=[by_attribute("gender")], store=tmp_path)


@pytest.mark.parametrize("metric", ["test_ndcg_at_10", "test_hr_at_10"])
def test_test_metrics_are_not_searched_by(pipeline: Pipeline, metric: str) -> None:
    """Test data are for what is reported; the error names the validation metric."""
    with pytest.raises(ObjectiveError, match=f"{metric!r} is for reports only.*Did you mean {metric[5:]!r}"):
        pipeline.check(SearchSpace(embedding_dim=Ordered(16)), ["ndcg_at_10", metric])


def test_environment_of_a_measurement_can_be_asked_for(pipeline: Pipeline) -> None:
    """It is the one that travels with the candidate."""
    runs = pipeline.evaluate(BASE).runs

    record = environment_of(pipeline, Candidate(0, BASE, {}), "latency_p95_ms")

    assert record["fingerprint"] == next(run.environment for run in runs if run.name == "latency")


def test_quality_through_the_artifact_is_that_of_a_full_ranking(pipeline: Pipeline, shop: Split) -> None:
    """HR@10 equals the share of users whose item the artifact ranks in the top ten, request by request."""
    artifact = pipeline.deployable(BASE)
    session = onnxruntime.InferenceSession(artifact.model_path, providers=["CPUExecutionProvider"])
    hits = 0
    for user in range(shop.n_users):
        train = shop.train_items[shop.train_offsets[user] : shop.train_offsets[user + 1]]
        history = np.zeros((1, 20), dtype=np.int64)
        recent = train[-20:] + 1
        history[0, 20 - len(recent) :] = recent
        (items, _) = session.run(["items", "scores"], {"history": history, "seen": np.unique(train)[None] + 1})
        hits += int(shop.validation_items[user] + 1 in items)

    assert pipeline.evaluate(BASE).measurements["hr_at_10"].value == pytest.approx(hits / shop.n_users)


def test_no_request_is_answered_with_a_seen_item(pipeline: Pipeline) -> None:
    """The artifact itself keeps what the user has out of the list."""
    session = onnxruntime.InferenceSession(pipeline.deployable(SMALL).model_path, providers=["CPUExecutionProvider"])
    items, _ = session.run(["items", "scores"], dict(pipeline.requests))

    for answered, seen in zip(items, pipeline.requests["seen"], strict=True):
        assert not set(answered) & set(seen)
        assert 0 not in answered


def test_the_same_seed_gives_the_same_quality(shop: Split, tmp_path: Path) -> None:
    """Two stores, one seed: bitwise the same per-user quality."""
    few = TrainingSettings(epochs=1, threads=1)
    qualities = [
        next_item(shop, length=20, training=few, store=tmp_path / name).evaluate(BASE).measurements["ndcg_at_10"]
        for name in ("one", "two")
    ]

    assert qualities[0] == qualities[1]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_model_beats_popularity_clearly(tmp_path: Path) -> None:
    """On a shop with sequential structure a trained model has at least twice popularity's NDCG@10 on test."""
    shop = leave_one_out(synthetic_shop(users=800, items=200, seed=0))
    training = TrainingSettings(epochs=30, learning_rate=3e-3, patience=4)
    measured = next_item(shop, length=20, training=training, store=tmp_path).evaluate({"embedding_dim": 32})

    assert measured.measurements["test_ndcg_at_10"].value > 2 * popularity_baseline(shop, k=10).ndcg


@pytest.mark.parametrize(
    ("dimension", "message"),
    [
        ({"embedding_dims": Ordered(16, 32)}, "Did you mean 'embedding_dim'"),
        ({"embedding_dim": Ordered(16, 33)}, "does not divide by the 2 attention heads"),
        ({"embedding_dim": Ordered(16, 0)}, "whole number from 2 on"),
        ({"pruning_ratio": Float(0.0, 1.0)}, "from 0 to below 1"),
        ({"linear_bits": Ordered(32, 16)}, "no kernel"),
        ({"embedding_bits": Ordered(32, 6)}, "no kernel"),
        ({"bits": Ordered(32, 2)}, "no kernel"),
        ({"serving_workers": Ordered(0, 1)}, "whole number from 1 on"),
    ],
)
def test_a_space_that_cannot_work_is_refused_before_training(
    pipeline: Pipeline, dimension: dict[str, Ordered], message: str
) -> None:
    """Unknown dimensions and values without a kernel are told with the remedy."""
    with pytest.raises(SpaceError, match=message):
        pipeline.check(SearchSpace(**dimension), ["ndcg_at_10"])


def test_an_unknown_metric_is_refused_before_training(pipeline: Pipeline) -> None:
    """An objective that nothing measures is told with the nearest name."""
    with pytest.raises(ObjectiveError, match="Did you mean 'ndcg_at_10'"):
        pipeline.check(SearchSpace(embedding_dim=Ordered(16)), ["ndcg_at_100"])


@pytest.mark.parametrize("k", [500, 75])
def test_a_catalogue_too_small_for_k_is_refused(shop: Split, tmp_path: Path, k: int) -> None:
    """More items than some user has left cannot be recommended; that is told before training."""
    with pytest.raises(DataError, match=f"fewer than k={k} are left"):
        next_item(shop, k=k, store=tmp_path)


@pytest.mark.parametrize("setting", [{"length": "15"}, {"k": 3.5}, {"batch_size": 0}, {"dropout": 1.0}], ids=str)
def test_settings_out_of_range_are_refused(shop: Split, tmp_path: Path, setting: dict[str, Any]) -> None:
    """A setting that cannot work is named with its value."""
    (name,) = setting

    with pytest.raises(PipelineError, match=f"{name} must be"):
        next_item(shop, store=tmp_path, **setting)


def test_a_path_in_place_of_interactions_is_told(tmp_path: Path) -> None:
    """The remedy is to load it."""
    with pytest.raises(PipelineError, match="load_interactions"):
        next_item("ml-100k", store=tmp_path)  # type: ignore[arg-type]  # the mistake that is tested
