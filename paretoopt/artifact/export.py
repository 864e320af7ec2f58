"""The export stage: from a torch module to an ONNX graph that gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from torch import nn

from paretoopt.artifact.artifact import load_artifact, save_graph
from paretoopt.artifact.module_weights import constants_drawn, named_weights, refuse_broken_weights
from paretoopt.artifact.naming import name_weights, strip_notes
from paretoopt.artifact.parity import check_numbers
from paretoopt.artifact.tables import store_tables_once
from paretoopt.artifact.tracing import OPSET, trace_graph
from paretoopt.errors import PipelineError
from paretoopt.pipeline.stage import Context, Requests, Stage
from paretoopt.space import Params, Value

_N_EXAMPLES = 4


def _as_it_is(model: nn.Module) -> nn.Module:
    return model


def export_onnx(
    wrap: Callable[[Any], nn.Module] = _as_it_is,
    *,
    outputs: Sequence[str],
    dynamic_axes: Sequence[str] = (),
    **wrap_settings: Value,
) -> Stage:
    """The stage that exports a model with a dynamic batch and checks it against torch.

    Args:
        wrap: Gives the module to export; its forward takes the pipeline's requests by name. Unless given, the model
            itself is exported.
        outputs: Names of its outputs, in order. Floating-point ones must agree with torch.
        dynamic_axes: Requests whose axis 1 may have any length when served.
        wrap_settings: What ``wrap`` depends on; it enters the store's key.
    """

    def run(model: nn.Module, params: Params, context: Context) -> onnx.ModelProto:
        requests = {name: array[:_N_EXAMPLES] for name, array in context.requests.items()}
        return export_graph(wrap(model), requests, outputs=outputs, dynamic_axes=dynamic_axes)

    settings: dict[str, Value] = {"opset": OPSET, "outputs": ",".join(outputs), "dynamic_axes": ",".join(dynamic_axes)}
    settings |= wrap_settings
    return Stage(name="export", run=run, save=save_graph, load=load_artifact, settings=settings, version="4")


def export_graph(
    module: nn.Module, requests: Requests, *, outputs: Sequence[str], dynamic_axes: Sequence[str] = ()
) -> onnx.ModelProto:
    """The ONNX graph of ``module``, its numbers checked on ``requests``.

    Its weights have the module's names, and which of them it holds does not depend on their values.

    Raises:
        WeightsError: Weights are broken.
        CandidateError: Torch cannot export the module, or the graph's numbers differ from torch's.
        PipelineError: An output has the name of a request.
    """
    taken = sorted(set(outputs) & set(requests))
    if taken:
        raise PipelineError(f"{', '.join(taken)} is the name of a request and of an output. Rename the output.")
    module = module.eval()
    refuse_broken_weights(module)
    with constants_drawn(module) as constants:
        graph = _named_graph(module, requests, outputs, dynamic_axes)
    if not _fill(graph, constants):
        graph = _named_graph(module, requests, outputs, dynamic_axes)
    check_numbers(graph, module, requests, outputs)
    return graph


def _named_graph(
    module: nn.Module, requests: Requests, outputs: Sequence[str], dynamic_axes: Sequence[str]
) -> onnx.ModelProto:
    graph = trace_graph(module, requests, outputs=outputs, dynamic_axes=dynamic_axes)
    store_tables_once(graph)
    name_weights(graph, *named_weights(module))
    strip_notes(graph)
    return graph


def _fill(graph: onnx.ModelProto, constants: Mapping[str, float]) -> bool:
    """Give the weights of one value throughout that value; False where one is missing, merged into others."""
    tensors = {tensor.name: tensor for tensor in graph.graph.initializer}
    if not constants.keys() <= tensors.keys():
        return False
    for name, value in constants.items():
        tensor = tensors[name]
        values = np.full(tuple(tensor.dims), value, helper.tensor_dtype_to_np_dtype(tensor.data_type))
        tensor.CopyFrom(numpy_helper.from_array(values, name))
    return True
