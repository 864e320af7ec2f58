"""The export stage: from a torch module to an ONNX graph that gives the same numbers."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from paretoopt.artifact.artifact import load_artifact, save_graph
from paretoopt.artifact.tables import store_tables_once
from paretoopt.errors import CandidateError
from paretoopt.pipeline.stage import Context, Requests, Stage, request_count
from paretoopt.space import Params, Value

OPSET = 20
_N_EXAMPLES = 4
_RELATIVE_TOLERANCE = 1e-3
_ABSOLUTE_TOLERANCE = 1e-4


def export_onnx(
    wrap: Callable[[Any], nn.Module],
    *,
    outputs: Sequence[str],
    dynamic_axes: Sequence[str] = (),
    **wrap_settings: Value,
) -> Stage:
    """The stage that exports a model with a dynamic batch and checks it against torch.

    Args:
        wrap: Gives the module to export; its forward takes the pipeline's requests by name.
        outputs: Names of its outputs, in order. Floating-point ones must agree with torch.
        dynamic_axes: Requests whose axis 1 may have any length when served.
        wrap_settings: What ``wrap`` depends on; it enters the store's key.
    """

    def run(model: nn.Module, params: Params, context: Context) -> onnx.ModelProto:
        requests = {name: array[:_N_EXAMPLES] for name, array in context.requests.items()}
        return export_graph(wrap(model), requests, outputs=outputs, dynamic_axes=dynamic_axes)

    settings: dict[str, Value] = {"opset": OPSET, "outputs": ",".join(outputs), "dynamic_axes": ",".join(dynamic_axes)}
    settings |= wrap_settings
    return Stage(name="export", run=run, save=save_graph, load=load_artifact, settings=settings, version="2")


def export_graph(
    module: nn.Module, requests: Requests, *, outputs: Sequence[str], dynamic_axes: Sequence[str] = ()
) -> onnx.ModelProto:
    """The ONNX graph of ``module``, its numbers checked on ``requests``.

    Raises:
        CandidateError: torch cannot export the module, or the graph's numbers differ from torch's.
    """
    module = module.eval()
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
            raise CandidateError(
                f"torch could not export {type(module).__name__} to ONNX: {str(error).strip().splitlines()[0]}. "
                "Write its forward with tensor operations alone, without branches on values."
            ) from error
    if program is None:
        raise CandidateError(f"torch exported nothing for {type(module).__name__}.")
    graph: onnx.ModelProto = program.model_proto
    store_tables_once(graph)
    _check_parity(graph, module, requests, outputs)
    return graph


def _check_parity(graph: onnx.ModelProto, module: nn.Module, requests: Requests, outputs: Sequence[str]) -> None:
    """Raise where the graph's floating-point outputs differ from the module's."""
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    answered = session.run(list(outputs), dict(requests))
    with torch.no_grad():
        expected = module(**{name: torch.from_numpy(np.array(array)) for name, array in requests.items()})
    references: Sequence[Tensor] = expected if isinstance(expected, tuple) else (expected,)
    for name, answer, reference in zip(outputs, answered, references, strict=True):
        wanted = reference.numpy()
        if not np.issubdtype(wanted.dtype, np.floating):
            continue
        if not np.allclose(answer, wanted, rtol=_RELATIVE_TOLERANCE, atol=_ABSOLUTE_TOLERANCE, equal_nan=False):
            gap = np.abs(answer - wanted).max()
            raise CandidateError(
                f"the ONNX graph's {name} differ from torch's by up to {gap:.3g} on {request_count(requests)} requests."
            )


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
