"""What a candidate will ship, known before any training."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from rich.console import Console
from rich.table import Table

from paretoopt.artifact.artifact import Artifact
from paretoopt.artifact.parts import Part, n_operators, parts_of
from paretoopt.candidate import ProgressListener
from paretoopt.errors import PipelineError
from paretoopt.pipeline.evaluation import ignore_progress
from paretoopt.pipeline.pipeline import Pipeline
from paretoopt.space import Params, Value

_MIB = 1024 * 1024
_TERMINAL_WIDTH = 120


@dataclass(frozen=True)
class PartsList:
    """The layers that a candidate's artifact is made of; ``print`` and rich show it as a table.

    Attributes:
        params: The candidate as it was given.
        parts: Its layers, in the order in which they are used.
        graph_bytes: What the file takes beside them: operators, their names, small constants.
        n_operators: Operators of the graph.
        opset: Version of the ONNX operators.
        is_estimate: True where training decides which layers are how wide (``pruning_allocation="global"``); else the
            trained artifact has this very shape.
    """

    params: Mapping[str, Value]
    parts: tuple[Part, ...]
    graph_bytes: int
    n_operators: int
    opset: int
    is_estimate: bool

    @property
    def artifact_bytes(self) -> int:
        """Predicted bytes of the artifact."""
        return sum(part.n_bytes for part in self.parts) + self.graph_bytes

    @property
    def artifact_mib(self) -> float:
        """The same in MiB."""
        return self.artifact_bytes / _MIB

    def __rich__(self) -> Table:
        """The list as a rich table."""
        return parts_table(self)

    def __str__(self) -> str:
        """The list as plain text."""
        console = Console(file=io.StringIO(), width=_TERMINAL_WIDTH, color_system=None)
        with console.capture() as capture:
            console.print(parts_table(self))
        return capture.get().rstrip()


def describe(pipeline: Pipeline, params: Params, listener: ProgressListener = ignore_progress) -> PartsList:
    """The parts list of ``params``: layers, widths, kernels and predicted bytes, before any training.

    It is read from the artifact that the pipeline gives without the stages that train.

    Args:
        pipeline: A pipeline whose last stage gives an :class:`paretoopt.artifact.artifact.Artifact`.
        params: A candidate.
        listener: Told what is going on.

    Raises:
        SpaceError: ``params`` cannot be used.
        CandidateError: A stage failed.
        PipelineError: The pipeline gives no artifact.
    """
    artifact = pipeline.untrained(params, listener)
    if not isinstance(artifact, Artifact):
        raise PipelineError(
            f"the pipeline's last stage gives a {type(artifact).__name__}, which has no parts list. "
            "Add the stage export_onnx(...)."
        )
    return _parts_list(artifact.model_path, pipeline, params)


def parts_table(parts_list: PartsList) -> Table:
    """``parts_list`` as a rich table."""
    about = " (an estimate: training decides the widths)" if parts_list.is_estimate else ""
    chosen = ", ".join(f"{name}={value}" for name, value in parts_list.params.items())
    chosen = chosen or "all parameters at their defaults"
    table = Table(title=chosen, caption=f"ONNX opset {parts_list.opset}{about}", box=None, pad_edge=False)
    for heading in ("layer", "shape", "kernels", "bits", "bytes"):
        table.add_column(heading, justify="right" if heading in ("bits", "bytes") else "left", overflow="fold")
    for part in parts_list.parts:
        table.add_row(part.layer, _shape_text(part), ", ".join(part.kernels), str(part.bits), f"{part.n_bytes:,}")
    table.add_row("graph", f"{parts_list.n_operators} operators", "", "", f"{parts_list.graph_bytes:,}")
    table.add_row("all", f"{parts_list.artifact_mib:.3g} MiB", "", "", f"{parts_list.artifact_bytes:,}", style="bold")
    return table


def _parts_list(path: Path, pipeline: Pipeline, params: Params) -> PartsList:
    model = onnx.load(path)
    parts = parts_of(model)
    return PartsList(
        params=dict(params),
        parts=parts,
        graph_bytes=path.stat().st_size - sum(part.n_bytes for part in parts),
        n_operators=n_operators(model.graph),
        opset=next(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")),
        is_estimate=pipeline.shape_needs_training(params),
    )


def _shape_text(part: Part) -> str:
    join = {"table": " rows x ", "linear": " -> "}.get(part.kind, " x ")
    return join.join(f"{size:,}" for size in part.shape)
