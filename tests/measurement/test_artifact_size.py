"""An artifact takes what its files take on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from paretoopt.errors import MeasurementError
from paretoopt.measurement.artifact_size import artifact_bytes


def test_external_data_counts_and_other_neighbours_do_not(tmp_path: Path) -> None:
    """The weights that an exporter writes beside the graph are part of the artifact; a manifest is not."""
    for name, size in {"model.onnx": 10, "model.onnx.data": 200, "model.json": 3000}.items():
        (tmp_path / name).write_bytes(bytes(size))

    assert artifact_bytes(tmp_path / "model.onnx") == 210


def test_missing_artifact_is_refused(tmp_path: Path) -> None:
    """A path without a file is an error that names the path."""
    with pytest.raises(MeasurementError, match=r"no artifact at .*absent\.onnx"):
        artifact_bytes(tmp_path / "absent.onnx")
