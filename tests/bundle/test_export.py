"""Bundles: exported, checked, and refused when damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from paretoopt.bundle.export import export
from paretoopt.bundle.manifest import read_manifest
from paretoopt.candidate import Candidate
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import ArtifactError
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.store.keys import content_key
from paretoopt.training.loop import TrainingSettings


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline that trains for one epoch."""
    shop = synthetic_shop(users=100, items=60, seed=0)
    once = TrainingSettings(epochs=1, threads=1)
    return next_item(shop, length=10, training=once, store=tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def chosen(pipeline: Pipeline) -> Candidate:
    """A measured candidate."""
    params = {"embedding_dim": 16, "embedding_bits": 8}
    evaluation = pipeline.evaluate(params)
    return Candidate(3, params, evaluation.measurements, evaluation.runs)


@pytest.fixture
def bundle(pipeline: Pipeline, chosen: Candidate, tmp_path: Path) -> Path:
    """The candidate's bundle."""
    return export(pipeline, chosen, tmp_path / "deploy" / "shop")


def change_manifest(bundle: Path, *, sealed: bool, **changes: object) -> None:
    """Overwrite entries of the manifest; sealed, with a checksum that fits them."""
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    if sealed:
        del manifest["manifest_checksum"]
        manifest["manifest_checksum"] = content_key(manifest)
    path.write_text(json.dumps(manifest))


def test_the_bundle_answers_its_sample_requests(bundle: Path) -> None:
    """The model in the folder gives the answers that lie beside it."""
    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    with np.load(bundle / "requests.npz") as requests, np.load(bundle / "answers.npz") as answers:
        items, _ = session.run(["items", "scores"], dict(requests))
        assert np.array_equal(items, answers["items"])


def test_the_manifest_says_what_was_chosen_and_measured(bundle: Path, pipeline: Pipeline, chosen: Candidate) -> None:
    """Parameters, measurements with their intervals, and the data's fingerprint stand in the manifest."""
    manifest = read_manifest(bundle)

    assert manifest["params"] == pipeline.canonical(chosen.params)
    assert manifest["measurements"]["ndcg_at_10"]["low"] == chosen.measurements["ndcg_at_10"].low
    assert manifest["data_fingerprint"] == pipeline.data.fingerprint


def test_the_manifest_says_which_metrics_are_those_of_the_shape(
    bundle: Path, pipeline: Pipeline, chosen: Candidate
) -> None:
    """What was measured before training, unless finals have measured the model that ships."""
    again = replace(chosen, probability_nondominated=1.0)

    before = read_manifest(bundle)["measured_before_training"]

    assert {"latency_p95_ms", "memory_mib"} <= set(before)
    assert "ndcg_at_10" not in before
    assert read_manifest(export(pipeline, again, bundle))["measured_before_training"] == []


def test_the_items_original_ids_come_along(bundle: Path, pipeline: Pipeline) -> None:
    """Position i of the id list names the item that the model calls i; position 0 is padding."""
    ids = json.loads((bundle / "item_ids.json").read_text())

    assert len(ids) == pipeline.data.n_items + 1
    assert ids[0] is None


def test_exporting_again_replaces_the_bundle(bundle: Path, pipeline: Pipeline, chosen: Candidate) -> None:
    """A second export into the same folder leaves one whole bundle and nothing beside it."""
    export(pipeline, chosen, bundle)

    read_manifest(bundle)
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]


def test_a_folder_that_is_no_bundle_is_not_replaced(pipeline: Pipeline, chosen: Candidate, tmp_path: Path) -> None:
    """Somebody else's files are never deleted."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(ArtifactError, match="is no bundle, so it is not replaced"):
        export(pipeline, chosen, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_changed_model_is_noticed(bundle: Path) -> None:
    """One flipped byte of the model fails the check of the manifest."""
    content = bytearray((bundle / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / "model.onnx").write_bytes(content)

    with pytest.raises(ArtifactError, match=r"model.onnx has SHA-256 .* but the manifest says"):
        read_manifest(bundle)


def test_a_missing_file_is_noticed(bundle: Path) -> None:
    """A bundle without its requests is not whole."""
    (bundle / "requests.npz").unlink()

    with pytest.raises(ArtifactError, match=r"requests\.npz cannot be read"):
        read_manifest(bundle)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "checksums": 5}'])
def test_a_corrupt_manifest_is_told(bundle: Path, content: str) -> None:
    """Whatever stands in the manifest, the error says that it is corrupt."""
    (bundle / "manifest.json").write_text(content)

    with pytest.raises(ArtifactError, match="is corrupt"):
        read_manifest(bundle)


def test_a_manifest_of_another_format_is_told(bundle: Path) -> None:
    """A bundle of a later version is refused by its format, not misread."""
    change_manifest(bundle, sealed=True, format=99)

    with pytest.raises(ArtifactError, match="has format 99"):
        read_manifest(bundle)


def test_a_manifest_that_points_outside_is_refused(bundle: Path) -> None:
    """File names with folders in them are not followed."""
    change_manifest(bundle, sealed=True, checksums={"../secret": "0"})

    with pytest.raises(ArtifactError, match="no plain file name"):
        read_manifest(bundle)


@pytest.mark.parametrize("change", [{"params": {"embedding_bits": 4}}, {"checksums": {}}, {"measurements": {}}])
def test_a_changed_manifest_is_noticed(bundle: Path, change: dict[str, object]) -> None:
    """What the manifest says of the configuration and its measurements cannot be edited unseen."""
    change_manifest(bundle, sealed=False, **change)

    with pytest.raises(ArtifactError, match="was changed after it was written"):
        read_manifest(bundle)


def test_the_manifest_says_how_to_call_the_model(bundle: Path) -> None:
    """Inputs with their types and shapes, and what they mean, so that the bundle alone can be deployed."""
    manifest = read_manifest(str(bundle))

    assert manifest["inputs"]["history"] == {"dtype": "int64", "shape": ["batch", 10]}
    assert "padded with 0 on the left" in manifest["notes"]
    assert manifest["exported_on"]["cpu_model"]


def test_a_choice_of_another_pipeline_is_refused(chosen: Candidate, tmp_path: Path) -> None:
    """Measurements never travel with an artifact that they were not taken from."""
    other = next_item(synthetic_shop(users=90, items=60, seed=1), length=10, store=tmp_path / "store")

    with pytest.raises(ArtifactError, match="measured on another artifact"):
        export(other, chosen, tmp_path / "deploy")


def test_a_folder_without_manifest_is_no_bundle(tmp_path: Path) -> None:
    """The error says what is missing."""
    with pytest.raises(ArtifactError, match="is no bundle"):
        read_manifest(tmp_path)
