"""Bundles: exported, checked, and refused when damaged."""

from __future__ import annotations

import json
from copy import copy
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import onnxruntime
import pytest

from paretoopt.bundle.export import export
from paretoopt.bundle.manifest import read_manifest
from paretoopt.candidate import Candidate
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import ArtifactError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item


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
    assert read_manifest(export(pipeline, again, bundle, overwrite=True))["measured_before_training"] == []


def test_the_items_original_ids_come_along(bundle: Path, pipeline: Pipeline) -> None:
    """Position i of the id list names the item that the model calls i; position 0 is padding."""
    ids = json.loads((bundle / "item_ids.json").read_text())

    assert len(ids) == pipeline.data.n_items + 1
    assert ids[0] is None


def test_exporting_again_replaces_the_bundle(bundle: Path, pipeline: Pipeline, chosen: Candidate) -> None:
    """A second export into the same folder leaves one whole bundle and nothing beside it, where that was asked for."""
    with pytest.raises(ArtifactError, match="holds a bundle already"):
        export(pipeline, chosen, bundle)

    export(pipeline, chosen, bundle, overwrite=True)

    read_manifest(bundle)
    assert [path.name for path in bundle.parent.iterdir()] == [bundle.name]


def test_a_folder_that_is_no_bundle_is_not_replaced(pipeline: Pipeline, chosen: Candidate, tmp_path: Path) -> None:
    """Somebody else's files are never deleted."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(ArtifactError, match="is no bundle, so it is not replaced"):
        export(pipeline, chosen, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_the_manifest_says_how_to_call_the_model(bundle: Path) -> None:
    """Inputs with their types and shapes, and what they mean, so that the bundle alone can be deployed."""
    manifest = read_manifest(str(bundle))

    told = {"least": 0, "most": 60, "is_declared": True}
    assert manifest["inputs"]["history"] == {"dtype": "int64", "shape": ["batch", 10], "range": told}
    assert manifest["inputs"]["seen"]["shape"] == ["batch", "n_seen"]
    assert "padded with 0 on the left" in manifest["notes"]
    assert manifest["exported_on"]["cpu_model"]


def test_a_choice_of_another_pipeline_is_refused(chosen: Candidate, tmp_path: Path) -> None:
    """Measurements never travel with an artifact that they were not taken from."""
    other = next_item(synthetic_shop(users=90, items=60, seed=1), length=10, store=tmp_path / "store")

    with pytest.raises(ArtifactError, match="measured on another artifact"):
        export(other, chosen, tmp_path / "deploy")


def test_every_measurement_says_where_it_was_taken(bundle: Path, chosen: Candidate) -> None:
    """The environment of what depends on one, with the whole record of its measure."""
    manifest = read_manifest(bundle)

    where = {run.name: run.environment for run in chosen.runs}
    assert manifest["measurements"]["latency_p95_ms"]["environment"] == where["latency"]
    assert manifest["measurements"]["ndcg_at_10"]["environment"] is None
    assert manifest["environments"]["latency"]["fingerprint"]


def test_the_card_shows_the_choice_among_the_others(pipeline: Pipeline, chosen: Candidate, tmp_path: Path) -> None:
    """Licence, reason, measurements and the front's plot; what comes from data has no meaning in Markdown."""
    objectives = [maximize("ndcg_at_10"), minimize("latency_p95_ms")]
    front = ParetoFront([chosen], objectives=objectives)
    choice = replace(front.knee(), why="It is the | only one.")

    folder = export(pipeline, choice, tmp_path / "shop", front=front, licence="CC-BY-4.0")
    card = (folder / "MODEL_CARD.md").read_text()

    assert "- Licence: CC-BY-4.0" in card
    assert "- It is the \\| only one." in card
    assert "![The front: NDCG@10 against latency p95](front.svg)" in card
    drawn = ElementTree.parse(folder / "front.svg").getroot()
    assert {"Pareto front", "this one"} <= {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}


def test_a_file_of_a_pipeline_may_not_take_a_place_that_is_taken(
    pipeline: Pipeline, chosen: Candidate, tmp_path: Path
) -> None:
    """What the pipeline adds has plain names, and replaces nothing of the bundle."""
    other = copy(pipeline)
    other.bundle_files = {"model.onnx": b"another model"}

    with pytest.raises(ArtifactError, match="one that every bundle has"):
        export(other, chosen, tmp_path / "shop")
    assert list(tmp_path.iterdir()) == []
