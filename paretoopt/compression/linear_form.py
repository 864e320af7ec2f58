"""One form for all linear layers of a graph: ``MatMul(x, weights) + bias``, so that every kernel finds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import NodeProto, helper

from paretoopt.artifact.tables import table_names
from paretoopt.compression.graph_parts import add_initializers, copy_of, drop_unread, replace_nodes, weights_of


@dataclass(frozen=True)
class LinearLayer:
    """A linear layer of a graph in this form.

    Attributes:
        node: The name of its ``MatMul``.
        weights: The name of its weights, of shape ``(n_inputs, n_outputs)``.
    """

    node: str
    weights: str


def as_matrix_products(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of ``model`` in which every ``Gemm`` over constant weights is a ``MatMul`` and an ``Add``.

    ``MatMulNBits`` replaces no ``Gemm``, and torch exports ``nn.Linear`` as either. Products with an embedding table
    keep reading that table, through a ``Transpose``: it stays stored once. Weights that the exporter left behind a
    ``Transpose`` are transposed here. Every product gets a name of its own.
    """
    copy = copy_of(model)
    tables = set(table_names(copy))
    _transpose_weights(copy, tables)
    replace_nodes(copy, [new for node in copy.graph.node for new in _product(copy, node, tables)])
    drop_unread(copy)
    taken = {node.name for node in copy.graph.node}
    for number, node in enumerate(copy.graph.node):
        if node.op_type == "MatMul" and not node.name:
            node.name = f"product_{number}" if f"product_{number}" not in taken else f"product_{number}_of_gemm"
    return copy


def linear_layers(model: onnx.ModelProto) -> tuple[LinearLayer, ...]:
    """The products of ``model`` with constant fp32 weights that are no embedding table, once in this form."""
    tables = set(table_names(model))
    matrices = {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.data_type == onnx.TensorProto.FLOAT and tensor.name not in tables
    }
    return tuple(
        LinearLayer(node.name, node.input[1])
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in matrices
    )


def _transpose_weights(model: onnx.ModelProto, tables: set[str]) -> None:
    """Transpose beforehand what a node would transpose at run time, unless it is a table."""
    matrices = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) == 2} - tables
    kept = []
    for node in model.graph.node:
        if node.op_type == "Transpose" and node.input[0] in matrices:
            add_initializers(model, {node.output[0]: np.ascontiguousarray(weights_of(model, node.input[0]).T)})
        else:
            kept.append(node)
    replace_nodes(model, kept)


def _product(model: onnx.ModelProto, node: NodeProto, tables: set[str]) -> list[NodeProto]:
    """The nodes for a ``Gemm`` over stored weights; all other nodes, and one that scales its input, stay."""
    if node.op_type != "Gemm":
        return [node]
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    stored = {tensor.name for tensor in model.graph.initializer}
    plain = given.get("alpha", 1.0) == 1.0 and given.get("beta", 1.0) == 1.0 and not given.get("transA", 0)
    if not plain or node.input[1] not in stored:
        return [node]
    output = node.output[0]
    has_bias = len(node.input) > 2 and bool(node.input[2])
    product = f"{output}.product" if has_bias else output
    weights = f"{output}.weights" if given.get("transB", 0) else node.input[1]
    nodes = [helper.make_node("MatMul", [node.input[0], weights], [product], name=node.name)]
    if has_bias:
        nodes.append(helper.make_node("Add", [product, node.input[2]], [output]))
    if weights == node.input[1]:
        return nodes
    if node.input[1] in tables:
        return [helper.make_node("Transpose", [node.input[1]], [weights], perm=[1, 0]), *nodes]
    add_initializers(model, {weights: np.ascontiguousarray(weights_of(model, node.input[1]).T)})
    return nodes
