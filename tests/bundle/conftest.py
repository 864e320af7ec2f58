"""A small pipeline, a candidate that it measured, and the candidate's bundle."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from paretoopt.bundle.export import export
from paretoopt.candidate import Candidate
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.recommenders import next_item
from paretoopt.store.keys import content_key
from paretoopt.training.loop import TrainingSettings


@pytest.fixture(scope="package")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """A pipeline that trains for one epoch."""
    shop = synthetic_shop(users=100, items=60, seed=0)
    once = TrainingSettings(epochs=1, threads=1)
    return next_item(shop, length=10, training=once, store=tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="package")
def chosen(pipeline: Pipeline) -> Candidate:
    """A measured candidate."""
    params = {"embedding_dim": 16, "embedding_bits": 8}
    evaluation = pipeline.evaluate(params)
    return Candidate(3, params, evaluation.measurements, evaluation.runs)


@pytest.fixture(scope="package")
def exported(pipeline: Pipeline, chosen: Candidate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The candidate's bundle, to be copied and not changed."""
    return export(pipeline, chosen, tmp_path_factory.mktemp("exported") / "shop")


@pytest.fixture
def bundle(exported: Path, tmp_path: Path) -> Path:
    """A copy of the candidate's bundle."""
    return shutil.copytree(exported, tmp_path / "deploy" / "shop")


@pytest.fixture
def change_manifest(bundle: Path) -> Callable[..., None]:
    """Overwrites entries of the bundle's manifest; sealed, with a checksum that fits them."""

    def change(*, sealed: bool, **changes: object) -> None:
        path = bundle / "manifest.json"
        manifest = json.loads(path.read_text()) | changes
        if sealed:
            del manifest["manifest_checksum"]
            manifest["manifest_checksum"] = content_key(manifest)
        path.write_text(json.dumps(manifest))

    return change
