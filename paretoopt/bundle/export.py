"""Export of a chosen configuration: a folder that can be deployed and checked."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from paretoopt.bundle.manifest import MANIFEST_FILE, read_manifest, write_manifest
from paretoopt.candidate import Measurements
from paretoopt.errors import ArtifactError
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.space import Params

MODEL_FILE = "model.onnx"
REQUESTS_FILE = "requests.npz"
ANSWERS_FILE = "answers.npz"
_N_SAMPLES = 16
_VERSIONS = ("paretoopt", "onnxruntime", "onnx", "torch", "numpy")


class Chosen(Protocol):
    """A configuration with its measurements: a choice from a front, or any candidate."""

    @property
    def params(self) -> Params:
        """The configuration."""

    @property
    def measurements(self) -> Measurements:
        """What was measured."""


def export(pipeline: Pipeline, chosen: Chosen, folder: str | os.PathLike[str]) -> Path:
    """Write the bundle of ``chosen``: model, manifest, sample requests and their answers.

    The model comes from the pipeline's store; it is made again where the store does not have it. A
    bundle that is in ``folder`` already is replaced as a whole.

    Returns:
        The bundle's folder.

    Raises:
        ArtifactError: ``folder`` holds something that is no bundle, or cannot be written.
        CandidateError: The configuration cannot be made.
    """
    target = Path(folder).expanduser().absolute()
    _refuse_foreign(target)
    artifact = pipeline.deployable(chosen.params)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            bundle = Path(scratch) / "bundle"
            bundle.mkdir()
            _write_files(bundle, pipeline, artifact.model_path)
            write_manifest(bundle, _record(pipeline, chosen))
            read_manifest(bundle)
            if target.exists():
                target.rename(Path(scratch) / "replaced")
            bundle.rename(target)
    except OSError as error:
        raise ArtifactError(f"the bundle cannot be written to {target}: {error}. Give another folder.") from error
    return target


def _refuse_foreign(target: Path) -> None:
    is_bundle = (target / MANIFEST_FILE).is_file()
    if target.exists() and not is_bundle and not (target.is_dir() and not any(target.iterdir())):
        raise ArtifactError(f"{target} exists and is no bundle, so it is not replaced. Give another folder.")


def _write_files(bundle: Path, pipeline: Pipeline, model: Path) -> None:
    shutil.copyfile(model, bundle / MODEL_FILE)
    samples = {name: array[:_N_SAMPLES] for name, array in pipeline.requests.items()}
    answers = run_requests(bundle / MODEL_FILE, samples, batch_size=1)
    np.savez_compressed(bundle / REQUESTS_FILE, allow_pickle=False, **samples)
    np.savez_compressed(bundle / ANSWERS_FILE, allow_pickle=False, **answers)
    for name, content in pipeline.bundle_files.items():
        (bundle / name).write_bytes(content)


def _record(pipeline: Pipeline, chosen: Chosen) -> Mapping[str, Any]:
    return {
        "params": pipeline.canonical(chosen.params),
        "measurements": {name: asdict(measurement) for name, measurement in chosen.measurements.items()},
        "pipeline_fingerprint": pipeline.fingerprint,
        "data_fingerprint": pipeline.data.fingerprint,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
    }
