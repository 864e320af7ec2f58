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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.bundle.manifest import MANIFEST_FILE, read_manifest, write_manifest
from paretoopt.candidate import Candidate
from paretoopt.errors import ArtifactError
from paretoopt.front.choice import Choice
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.pipeline import Pipeline

MODEL_FILE = "model.onnx"
REQUESTS_FILE = "requests.npz"
ANSWERS_FILE = "answers.npz"
_N_SAMPLES = 16
_VERSIONS = ("paretoopt", "onnxruntime", "onnx", "torch", "numpy")


def export(pipeline: Pipeline, chosen: Choice | Candidate, folder: str | os.PathLike[str]) -> Path:
    """Write the bundle of ``chosen``: model, manifest, sample requests and their answers.

    The model comes from the pipeline's store; it is made again where the store does not have it. A
    bundle that is in ``folder`` already is replaced as a whole.

    Returns:
        The bundle's folder.

    Raises:
        ArtifactError: ``chosen`` was measured on another artifact than this pipeline makes, or
            ``folder`` holds something that is no bundle, or cannot be written.
        CandidateError: The configuration cannot be made.
    """
    target = Path(folder).expanduser().absolute()
    candidate = chosen.candidate if isinstance(chosen, Choice) else chosen
    _refuse_foreign(target)
    _refuse_unmeasured(pipeline, candidate)
    artifact = pipeline.deployable(candidate.params)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            bundle = Path(scratch) / "bundle"
            bundle.mkdir()
            _write_files(bundle, pipeline, artifact.model_path)
            write_manifest(bundle, _record(pipeline, candidate))
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


def _refuse_unmeasured(pipeline: Pipeline, candidate: Candidate) -> None:
    key = pipeline.artifact_key(candidate.params)
    if all(run.key != key for run in candidate.runs):
        raise ArtifactError(
            f"trial {candidate.number} was measured on another artifact than this pipeline makes for its "
            "configuration: data, model, training or seed differ. Export with the pipeline of the study."
        )


def _write_files(bundle: Path, pipeline: Pipeline, model: Path) -> None:
    shutil.copyfile(model, bundle / MODEL_FILE)
    samples = {name: array[:_N_SAMPLES] for name, array in pipeline.requests.items()}
    answers = run_requests(bundle / MODEL_FILE, samples, batch_size=1)
    np.savez_compressed(bundle / REQUESTS_FILE, allow_pickle=False, **samples)
    np.savez_compressed(bundle / ANSWERS_FILE, allow_pickle=False, **answers)
    for name, content in pipeline.bundle_files.items():
        (bundle / name).write_bytes(content)


def _record(pipeline: Pipeline, candidate: Candidate) -> Mapping[str, Any]:
    return {
        "params": pipeline.canonical(candidate.params),
        "measurements": {name: asdict(measurement) for name, measurement in candidate.measurements.items()},
        "measured_before_training": _measured_before_training(pipeline, candidate),
        "inputs": {name: _port(array) for name, array in pipeline.requests.items()},
        "exported_on": current_environment(measured_cores(1, 1)).to_dict(),
        "notes": pipeline.notes,
        "pipeline_fingerprint": pipeline.fingerprint,
        "data_fingerprint": pipeline.data.fingerprint,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
    }


def _measured_before_training(pipeline: Pipeline, candidate: Candidate) -> list[str]:
    """The metrics that were measured on the shape of this very model, with untrained weights, and not in finals."""
    if candidate.probability_nondominated is not None or not pipeline.costs_are_final(candidate.params):
        return []
    return [metric for metric in pipeline.shape_metrics if metric in candidate.measurements]


def _port(array: NDArray[Any]) -> dict[str, Any]:
    """Type and shape of one request."""
    return {"dtype": str(array.dtype), "shape": ["batch", *array.shape[1:]]}
