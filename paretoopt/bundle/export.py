"""Export of a chosen configuration: a folder that can be deployed and checked."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paretoopt.bundle import predict
from paretoopt.bundle.card import CARD_FILE, card_files
from paretoopt.bundle.manifest import MANIFEST_FILE, read_manifest, write_manifest
from paretoopt.bundle.manifest_format import is_file_name
from paretoopt.bundle.record import bundle_record
from paretoopt.candidate import Candidate
from paretoopt.errors import ArtifactError
from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.store.record import sync_folder

MODEL_FILE = "model.onnx"
REQUESTS_FILE = "requests.npz"
ANSWERS_FILE = "answers.npz"
PREDICT_FILE = "predict.py"
_OWN_FILES = (MODEL_FILE, REQUESTS_FILE, ANSWERS_FILE, PREDICT_FILE, MANIFEST_FILE, CARD_FILE)
# Enough different requests for percentiles up to p95, and no more than what is quickly copied.
_N_SAMPLES = 256
_MOST_SAMPLE_BYTES = 4 << 20


def export(
    pipeline: Pipeline,
    chosen: Choice | Candidate,
    folder: str | os.PathLike[str],
    *,
    front: ParetoFront | None = None,
    licence: str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the bundle of ``chosen``: model, manifest, sample requests and their answers, model card, ``predict.py``.

    The model comes from the pipeline's store; it is made again where the store does not have it. The bundle appears
    whole or not at all.

    Args:
        pipeline: The study's pipeline.
        chosen: A choice, with its reason, or a candidate.
        folder: Where the bundle will be.
        front: What it was chosen from, for the plot of the model card.
        licence: Under which the model may be used, for example ``"Apache-2.0"``; the card and the manifest say it.
        overwrite: Whether a bundle that is in ``folder`` already is replaced, as a whole.

    Returns:
        The bundle's folder.

    Raises:
        ArtifactError: ``chosen`` was measured on another artifact than this pipeline makes, ``folder`` holds
            something, or it cannot be written.
        CandidateError: The configuration cannot be made.
    """
    target = Path(folder).expanduser().absolute()
    candidate = chosen.candidate if isinstance(chosen, Choice) else chosen
    why = chosen.why if isinstance(chosen, Choice) else None
    _refuse_existing(target, overwrite=overwrite)
    _refuse_unmeasured(pipeline, candidate)
    model = pipeline.deployable(candidate.params).model_path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            bundle = Path(scratch) / "bundle"
            bundle.mkdir()
            _write_files(bundle, pipeline, model)
            record = bundle_record(pipeline, candidate, model, why=why, licence=licence)
            for name, content in card_files(record, candidate, front).items():
                (bundle / name).write_text(content, encoding="utf-8")
            write_manifest(bundle, record)
            read_manifest(bundle)
            _put(bundle, target, Path(scratch))
    except OSError as error:
        raise ArtifactError(f"the bundle cannot be written to {target}: {error}. Give another folder.") from error
    return target


def _refuse_existing(target: Path, *, overwrite: bool) -> None:
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MANIFEST_FILE).is_file():
        raise ArtifactError(f"{target} exists and is no bundle, so it is not replaced. Give another folder.")
    if not overwrite:
        raise ArtifactError(f"{target} holds a bundle already. Give another folder, or overwrite=True to replace it.")


def _refuse_unmeasured(pipeline: Pipeline, candidate: Candidate) -> None:
    key = pipeline.artifact_key(candidate.params)
    if all(run.key != key for run in candidate.runs):
        raise ArtifactError(
            f"trial {candidate.number} was measured on another artifact than this pipeline makes for its "
            "configuration: data, model, training or seed differ. Export with the pipeline of the study."
        )


def _write_files(bundle: Path, pipeline: Pipeline, model: Path) -> None:
    shutil.copyfile(model, bundle / MODEL_FILE)
    samples = {name: array[: _n_samples(pipeline)] for name, array in pipeline.requests.items()}
    answers = run_requests(bundle / MODEL_FILE, samples, batch_size=1)
    np.savez_compressed(bundle / REQUESTS_FILE, allow_pickle=False, **samples)
    np.savez_compressed(bundle / ANSWERS_FILE, allow_pickle=False, **answers)
    shutil.copyfile(predict.__file__, bundle / PREDICT_FILE)
    for name, content in pipeline.bundle_files.items():
        if not is_file_name(name) or name in _OWN_FILES:
            raise ArtifactError(
                f"bundle_files names {name!r}, which is no plain file name, or one that every bundle has. Rename it."
            )
        (bundle / name).write_bytes(content)


def _n_samples(pipeline: Pipeline) -> int:
    arrays: list[NDArray[Any]] = list(pipeline.requests.values())
    bytes_of_one = sum(array.nbytes for array in arrays) / len(arrays[0])
    return max(1, min(_N_SAMPLES, int(_MOST_SAMPLE_BYTES / bytes_of_one)))


def _put(bundle: Path, target: Path, scratch: Path) -> None:
    """Rename the bundle into its place, once all of it is on the disk."""
    for path in bundle.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(bundle)
    if target.exists():
        target.rename(scratch / "replaced")
    bundle.rename(target)
    sync_folder(target.parent)
