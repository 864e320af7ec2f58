"""Open an artifact for serving; the measured process and the deployment open it alike."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

_ERRORS_ONLY = 3


def open_session(model_path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    """The artifact in ONNX Runtime on the CPU, with ``threads`` threads inside each operator."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(str(model_path), options, providers=["CPUExecutionProvider"])
