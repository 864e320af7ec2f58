"""What a bundle's manifest records: the configuration, its measurements and where they come from."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.errors import MeasurementError
from paretoopt.measurement.cores import measured_cores
from paretoopt.measurement.environment import current_environment
from paretoopt.pipeline.evaluation import ENVIRONMENT_FILE
from paretoopt.pipeline.input_range import InputRange, observed_range
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.pipeline.stage import Measure

_VERSIONS = ("paretoopt", "onnxruntime", "onnx", "torch", "numpy")


def bundle_record(
    pipeline: Pipeline, candidate: Candidate, model: Path, *, why: str | None, licence: str | None
) -> dict[str, Any]:
    """The manifest of the candidate's bundle, but for the files' checksums.

    Args:
        pipeline: What made and measured the candidate.
        candidate: The candidate.
        model: Its ONNX file.
        why: Why it was chosen.
        licence: Under which the bundle may be used.
    """
    graph = onnx.load(model, load_external_data=False).graph
    return {
        "trial": candidate.number,
        "why": why,
        "licence": licence,
        "params": pipeline.canonical(candidate.params),
        "measurements": _measurements(pipeline, candidate),
        "measured_before_training": _measured_before_training(pipeline, candidate),
        "environments": _environments(pipeline, candidate),
        "inputs": {port.name: _port(port) | {"range": _range(pipeline, port.name)} for port in graph.input},
        "outputs": {port.name: _port(port) for port in graph.output},
        "serving": {"workers": int(candidate.params.get("serving_workers", 1)), "threads": _threads(pipeline)},
        "exported_on": current_environment(measured_cores(1, 1)).to_dict(),
        "notes": pipeline.notes,
        "pipeline_fingerprint": pipeline.fingerprint,
        "data_fingerprint": pipeline.data.fingerprint,
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _VERSIONS}},
    }


def _measurements(pipeline: Pipeline, candidate: Candidate) -> dict[str, Any]:
    where = {run.name: run.environment for run in candidate.runs}
    measures = _measures_by_metric(pipeline)
    return {
        metric: {
            **asdict(measurement),
            "measure": measures[metric].name if metric in measures else None,
            "environment": where.get(measures[metric].name) if metric in measures else None,
        }
        for metric, measurement in candidate.measurements.items()
    }


def _measures_by_metric(pipeline: Pipeline) -> Mapping[str, Measure]:
    return {metric: measure for measure in pipeline.measures for metric in measure.metrics}


def _measured_before_training(pipeline: Pipeline, candidate: Candidate) -> list[str]:
    """The metrics that were measured on the shape of this very model, with untrained weights, and not in finals."""
    if candidate.probability_nondominated is not None or not pipeline.costs_are_final(candidate.params):
        return []
    return [metric for metric in pipeline.shape_metrics if metric in candidate.measurements]


def _environments(pipeline: Pipeline, candidate: Candidate) -> dict[str, Any]:
    """The whole record of the environment of each measure that kept one and that finals have not taken again."""
    found = {}
    if candidate.probability_nondominated is None:
        for measure in pipeline.measures:
            try:
                path = pipeline.measured(candidate.params, measure.metrics[0]).folder / ENVIRONMENT_FILE
            except MeasurementError:  # measured on another machine; its name stands with each measurement
                continue
            if path.exists():
                found[measure.name] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _threads(pipeline: Pipeline) -> int:
    """Threads of each worker whose latency was measured."""
    measure = _measures_by_metric(pipeline).get("latency_p50_ms")
    return int(measure.settings.get("threads", 1)) if measure is not None else 1


def _port(port: onnx.ValueInfoProto) -> dict[str, Any]:
    """Type and shape of an input or output; sizes that may differ from request to request have a name."""
    tensor = port.type.tensor_type
    dtype: np.dtype[Any] = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type))
    sizes = [size.dim_value if size.HasField("dim_value") else size.dim_param for size in tensor.shape.dim]
    return {"dtype": "str" if dtype.kind == "O" else dtype.name, "shape": sizes}


def _range(pipeline: Pipeline, name: str) -> dict[str, Any] | None:
    """What an input of whole numbers may hold, as declared, or else as the pipeline's own requests fill it."""
    values: NDArray[Any] | None = pipeline.requests.get(name)
    if values is None or values.dtype.kind not in "iu":
        return None
    declared: InputRange | None = pipeline.input_ranges.get(name)
    one = declared or observed_range(values)
    most = list(one.most) if isinstance(one.most, tuple) else one.most
    return {"least": one.least, "most": most, "is_declared": declared is not None}
