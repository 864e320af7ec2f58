"""What an artifact takes on disk."""

from __future__ import annotations

from pathlib import Path

from paretoopt.errors import MeasurementError


def artifact_bytes(model_path: Path) -> int:
    """Bytes of the ONNX file and of the external data that exporters write beside it.

    Raises:
        MeasurementError: There is no such file.
    """
    if not model_path.is_file():
        raise MeasurementError(f"there is no artifact at {model_path}. Export the model first.")
    names = (model_path.name, f"{model_path.name}.data", f"{model_path.name}_data")
    return sum(path.stat().st_size for path in map(model_path.with_name, names) if path.is_file())
