"""Embedding tables of an ONNX graph, each stored once."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper


def table_names(model: onnx.ModelProto) -> tuple[str, ...]:
    """The names of the fp32 matrices that some ``Gather`` looks rows up in."""
    matrices = {tensor.name for tensor in model.graph.initializer if _is_matrix(tensor)}
    looked_up = (node.input[0] for node in model.graph.node if node.op_type == "Gather" and _axis(node) == 0)
    return tuple(dict.fromkeys(name for name in looked_up if name in matrices))


def transposed_copies(model: onnx.ModelProto) -> dict[str, str]:
    """Matrices that hold the transposed values of a table, with the table's name."""
    tensors = {tensor.name: tensor for tensor in model.graph.initializer if _is_matrix(tensor)}
    tables = {name: numpy_helper.to_array(tensors[name]) for name in table_names(model)}
    return {
        name: table_name
        for table_name, table in tables.items()
        for name, tensor in tensors.items()
        if name != table_name
        and tuple(tensor.dims) == table.T.shape
        and np.array_equal(numpy_helper.to_array(tensor), table.T)
    }


def store_tables_once(model: onnx.ModelProto) -> None:
    """Replace transposed copies of tables in ``model`` by transposing nodes.

    torch's exporter transposes small tables beforehand, so that a table which both looks up and
    scores would be in the file twice, and the copy would escape the table's quantisation.
    """
    graph = model.graph
    for name, table in transposed_copies(model).items():
        graph.initializer.remove(next(tensor for tensor in graph.initializer if tensor.name == name))
        graph.node.insert(0, helper.make_node("Transpose", [table], [name], perm=[1, 0]))


def _is_matrix(tensor: onnx.TensorProto) -> bool:
    return len(tensor.dims) == 2 and tensor.data_type == onnx.TensorProto.FLOAT


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
