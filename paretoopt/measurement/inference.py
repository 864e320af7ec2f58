"""Answers of an artifact to many requests, computed in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Progress, ProgressListener
from paretoopt.errors import MeasurementError
from paretoopt.measurement.artifact_size import artifact_bytes
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.isolation import isolated
from paretoopt.measurement.lock import lock_cores, scratch_folder
from paretoopt.measurement.program import Limits, Program
from paretoopt.measurement.requests import Requests, count_requests, write_requests

_MODULE = "paretoopt.measurement.inference_worker"
_LIMITS = Limits(seconds=1800.0)


def run_requests(
    model_path: Path,
    inputs: Requests,
    *,
    batch_size: int = 256,
    threads: int = 1,
    limits: Limits = _LIMITS,
    listener: ProgressListener | None = None,
) -> dict[str, NDArray[np.generic]]:
    """The artifact's outputs for all ``inputs``, in their order.

    Waits while a measurement uses the same cores, because this work would disturb it.

    Args:
        model_path: The ONNX file.
        inputs: Requests, stacked along axis 0.
        batch_size: Requests that are run at once; the last batch may be smaller.
        threads: Threads to run them on.
        limits: What the process may take; beyond, it is killed.
        listener: Told what goes on.

    Returns:
        For each output of the artifact an array with one row per request.

    Raises:
        MeasurementError: The artifact cannot run the inputs, an output has no row per request, or the process
            died or took more than its limits.
    """
    artifact_bytes(model_path)
    if batch_size < 1:
        raise MeasurementError(f"batch_size must be at least 1, but got {batch_size}. Give a positive size.")
    n_requests = count_requests(inputs)
    cores = measured_cores(1, threads)
    with lock_cores(cores, listener=listener), scratch_folder(cores) as folder:
        if listener is not None:
            listener(Progress("measure", f"running {n_requests:,} requests through the artifact"))
        write_requests(folder, inputs)
        job = {
            "model_path": str(model_path.resolve()),
            "requests_folder": str(folder),
            "batch_size": batch_size,
            "threads": threads,
        }
        program = Program("the artifact's process", _MODULE, job, frozenset(cores), threads)
        with isolated([program], limits, folder=folder) as processes:
            (result,) = processes.results()
        return {name: np.load(folder / "0" / file) for name, file in result["outputs"].items()}
