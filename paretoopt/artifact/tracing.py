"""From a torch module to an ONNX graph, with torch's exporter."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import onnx
import torch
from torch import nn

from paretoopt.artifact.export_failure import export_error
from paretoopt.errors import CandidateError
from paretoopt.pipeline.stage import Requests

OPSET = 20


def trace_graph(
    module: nn.Module, requests: Requests, *, outputs: Sequence[str], dynamic_axes: Sequence[str] = ()
) -> onnx.ModelProto:
    """The ONNX graph of ``module`` as torch's exporter gives it, with a dynamic batch.

    Raises:
        CandidateError: torch cannot export the module.
    """
    # One example alone would be taken for a fixed batch of one.
    inputs = {name: torch.from_numpy(np.resize(array, (2, *array.shape[1:]))) for name, array in requests.items()}
    batch = torch.export.Dim("batch")
    shapes = {
        name: {0: batch, 1: torch.export.Dim(f"n_{name}")} if name in dynamic_axes else {0: batch} for name in inputs
    }
    with _quiet():
        try:
            program = torch.onnx.export(
                module,
                kwargs=inputs,
                dynamo=True,
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_shapes=shapes,
                opset_version=OPSET,
                verbose=False,
            )
        except Exception as error:
            raise export_error(error, module) from error
    if program is None:
        raise CandidateError(f"torch exported nothing for {type(module).__name__}.")
    graph: onnx.ModelProto = program.model_proto
    return graph


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's exporter from printing and warning about things that users cannot change."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
