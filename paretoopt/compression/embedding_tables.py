"""Embedding tables of an ONNX graph in 8, 4 or 2 bits, with ONNX Runtime's block-quantised kernels.

A table that is looked up becomes ``GatherBlockQuantized``. Where the same table also scores (tied
weights), that product becomes ``MatMulNBits`` over the very same bytes: the table is stored once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import QuantizedTable, quantize_blocks
from paretoopt.errors import CandidateError

_CONTRIB = "com.microsoft"
# MatMulNBits computes with 8-bit activations at this level: 3 times faster than level 1 and within
# 1 % of the largest score (measured on 1,000 x 64 tables).
_INT8_ACTIVATIONS = 4


def quantize_tables(model: onnx.ModelProto, bits: int) -> onnx.ModelProto:
    """A copy of ``model`` whose embedding tables have ``bits`` bits.

    Raises:
        CandidateError: There is no table, it holds NaN or infinity, or one is used in a way that has
            no quantised kernel.
    """
    names = table_names(model)
    if not names:
        raise CandidateError(
            f"embedding_bits={bits}, but the graph has no embedding table (no Gather over an fp32 matrix). "
            "Leave embedding_bits out of the space."
        )
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    ranks = _output_ranks(model)
    for name in names:
        _quantize_table(copy, name, bits, ranks)
    if all(opset.domain != _CONTRIB for opset in copy.opset_import):
        copy.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    return copy


def _quantize_table(model: onnx.ModelProto, name: str, bits: int, ranks: Mapping[str, int]) -> None:
    graph = model.graph
    tensor = next(tensor for tensor in graph.initializer if tensor.name == name)
    table = numpy_helper.to_array(tensor)
    if not np.isfinite(table).all():
        raise CandidateError(f"table {name} holds NaN or infinity, so it cannot be quantised. Train it anew.")
    quantized = quantize_blocks(table, bits)
    graph.initializer.extend(_initializers(name, quantized))
    transposes = {node.output[0] for node in graph.node if node.op_type == "Transpose" and node.input[0] == name}
    nodes: list[NodeProto] = []
    for node in graph.node:
        if node.op_type == "Gather" and node.input[0] == name:
            nodes.extend(_lookup(node, name, quantized, ranks[node.output[0]]))
        elif node.op_type == "MatMul" and node.input[1] in transposes:
            nodes.append(_scoring(node, name, quantized, len(table)))
        elif node.output[0] not in transposes:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    _refuse_leftovers(graph, name, bits)
    graph.initializer.remove(tensor)


def _initializers(name: str, quantized: QuantizedTable) -> list[onnx.TensorProto]:
    arrays: dict[str, NDArray[Any]] = {
        f"{name}.packed": quantized.packed,
        f"{name}.scales": quantized.scales,
        f"{name}.gather_scales": quantized.scales[..., None],
    }
    return [numpy_helper.from_array(array, key) for key, array in arrays.items()]


def _lookup(node: NodeProto, name: str, quantized: QuantizedTable, rank: int) -> list[NodeProto]:
    output = node.output[0]
    gather = helper.make_node(
        "GatherBlockQuantized",
        [f"{name}.packed", node.input[1], f"{name}.gather_scales"],
        [f"{output}.blocks"],
        domain=_CONTRIB,
        bits=quantized.bits,
        block_size=quantized.block_size,
        gather_axis=0,
        quantize_axis=2,
    )
    return [gather, *_join_blocks(output, quantized, rank)]


def _join_blocks(output: str, quantized: QuantizedTable, rank: int) -> list[NodeProto]:
    """Nodes that turn ``(..., n_blocks, block_size)`` into ``(..., width)``, of ``rank`` axes."""
    stored_width = quantized.packed.shape[1] * quantized.block_size
    padded = stored_width != quantized.width
    # A 0 keeps the axis as it is.
    shape = _constant(f"{output}.shape", [*[0] * (rank - 1), stored_width])
    joined = f"{output}.padded" if padded else output
    nodes = [shape, helper.make_node("Reshape", [f"{output}.blocks", shape.output[0]], [joined])]
    if padded:
        bounds = [_constant(f"{output}.{key}", [value]) for key, value in (("start", 0), ("end", quantized.width))]
        axis = _constant(f"{output}.axis", [-1])
        inputs = [joined, bounds[0].output[0], bounds[1].output[0], axis.output[0]]
        nodes += [*bounds, axis, helper.make_node("Slice", inputs, [output])]
    return nodes


def _scoring(node: NodeProto, name: str, quantized: QuantizedTable, n_rows: int) -> NodeProto:
    return helper.make_node(
        "MatMulNBits",
        [node.input[0], f"{name}.packed", f"{name}.scales"],
        list(node.output),
        domain=_CONTRIB,
        K=quantized.width,
        N=n_rows,
        bits=quantized.bits,
        block_size=quantized.block_size,
        accuracy_level=_INT8_ACTIVATIONS,
    )


def _output_ranks(model: onnx.ModelProto) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(model).graph
    return {info.name: len(info.type.tensor_type.shape.dim) for info in (*inferred.value_info, *inferred.output)}


def _refuse_leftovers(graph: onnx.GraphProto, name: str, bits: int) -> None:
    leftovers = sorted({node.op_type for node in graph.node if name in node.input})
    if leftovers:
        raise CandidateError(
            f"embedding_bits={bits}: table {name} is also used by {', '.join(leftovers)}, which has no quantised "
            "kernel, so an fp32 copy would remain. Use nn.Embedding for lookups and `x @ table.weight.T` for scores."
        )


def _constant(name: str, values: list[int]) -> NodeProto:
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.array(values, dtype=np.int64)))
