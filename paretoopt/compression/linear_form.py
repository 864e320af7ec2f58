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
    folded = {
        node.output[0]: _transposed(model, node.input[0])
        for node in model.graph.node
        if node.op_type == "Transpose" and node.input[0] in matrices
    }
    kept = [node for node in model.graph.node if node.output[0] not in folded]
    for node in kept:
        node.input[:] = [folded.get(name, name) for name in node.input]
    replace_nodes(model, kept)


def _transposed(model: onnx.ModelProto, name: str) -> str:
    """The name of stored weights that are those of ``name`` transposed; it tells the layer."""
    transposed = f"{name}.transposed"
    if all(tensor.name != transposed for tensor in model.graph.initializer):
        add_initializers(model, {transposed: np.ascontiguousarray(weights_of(model, name).T)})
    return transposed


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
    nodes: list[NodeProto] = []
    weights = node.input[1]
    if given.get("transB", 0) and weights in tables:
        nodes.append(helper.make_node("Transpose", [weights], [f"{output}.weights"], perm=[1, 0]))
        weights = f"{output}.weights"
    elif given.get("transB", 0):
        weights = _transposed(model, weights)
    nodes.append(helper.make_node("MatMul", [node.input[0], weights], [product], name=node.name))
    if has_bias:
        nodes.append(helper.make_node("Add", [product, node.input[2]], [output]))
    return nodes
