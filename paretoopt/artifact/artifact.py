"""An artifact on disk: the ONNX graph that ships."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import onnx

from paretoopt.pipeline.stage import Context

MODEL_FILE = "model.onnx"


@dataclass(frozen=True)
class Artifact:
    """A deployable model.

    Attributes:
        model_path: The ONNX file; its weights are inside.
    """

    model_path: Path


def save_graph(graph: onnx.ModelProto, folder: Path) -> None:
    """Write ``graph`` into ``folder`` as an artifact."""
    onnx.save(graph, folder / MODEL_FILE)


def load_artifact(folder: Path, context: Context) -> Artifact:
    """The artifact that :func:`save_graph` wrote into ``folder``."""
    return Artifact(folder / MODEL_FILE)
