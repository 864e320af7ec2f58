"""A measured process imports the runtime, and nothing that would weigh on its memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import paretoopt

_HEAVY = ("torch", "pandas", "optuna", "plotly", "scipy", "onnx", "sklearn", "numpy.random", "filelock")


def _loaded(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(Path(paretoopt.__file__).parent.parent)}
    listing = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, env=environment)
    return set(listing.stdout.split())


@pytest.mark.parametrize("module", ["serving_worker", "load_worker", "inference_worker"])
def test_measured_process_imports_only_the_runtime(module: str) -> None:
    """Numpy and ONNX Runtime are loaded, torch and its like are not."""
    loaded = _loaded(f"paretoopt.measurement.{module}")

    assert {"numpy", "onnxruntime"} <= loaded
    assert loaded.isdisjoint(_HEAVY)


@pytest.mark.parametrize("module", ["serving", "load", "throughput", "inference", "percentiles", "lock"])
def test_measuring_process_needs_neither_torch_nor_the_runtime(module: str) -> None:
    """The process that measures may be one that never loads a model."""
    assert _loaded(f"paretoopt.measurement.{module}").isdisjoint({"torch", "onnxruntime", "optuna"})
