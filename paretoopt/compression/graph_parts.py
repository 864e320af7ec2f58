"""Small parts of ONNX graphs that the quantisations share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

CONTRIB = "com.microsoft"


def weights_of(model: onnx.ModelProto, name: str) -> NDArray[Any]:
    """The values of the initializer ``name``."""
    return numpy_helper.to_array(next(tensor for tensor in model.graph.initializer if tensor.name == name))


def drop_unread(model: onnx.ModelProto) -> None:
    """Take the initializers that no node reads out of ``model``."""
    read = {name for graph in graphs_in(model.graph) for node in graph.node for name in node.input}
    read |= {output.name for output in model.graph.output}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name not in read]:
        model.graph.initializer.remove(tensor)


def graphs_in(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    """``graph`` and the graphs inside its nodes."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from graphs_in(inner)


def add_initializers(model: onnx.ModelProto, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Store ``arrays`` in ``model`` by name."""
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in arrays.items())


def replace_nodes(model: onnx.ModelProto, nodes: Sequence[NodeProto]) -> None:
    """Put ``nodes`` in the place of all nodes of ``model``."""
    kept = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(kept)


def allow_contrib_operators(model: onnx.ModelProto) -> None:
    """Declare ONNX Runtime's own operators in ``model``."""
    if all(opset.domain != CONTRIB for opset in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def copy_of(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that can be changed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def constant(name: str, values: object, dtype: type[np.generic] = np.int64) -> NodeProto:
    """A node that gives ``values`` under ``name``."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, dtype=dtype)))


def output_ranks(model: onnx.ModelProto) -> dict[str, int]:
    """The number of axes of every value that shape inference knows."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    infos = (*inferred.value_info, *inferred.input, *inferred.output)
    return {info.name: len(info.type.tensor_type.shape.dim) for info in infos}
