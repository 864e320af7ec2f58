"""The layers of a graph, read from what it holds."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.parts import Part, n_operators, parts_of


def make_graph(nodes: list[onnx.NodeProto], **weights: np.ndarray) -> onnx.ModelProto:
    """A graph of ``nodes`` over ``weights``; ``__`` in a weight's name stands for a dot."""
    tensors = [numpy_helper.from_array(array, name.replace("__", ".")) for name, array in weights.items()]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    return helper.make_model(helper.make_graph(nodes, "graph", inputs, outputs, tensors))


def zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    """An array of zeros."""
    return np.zeros(shape, dtype=dtype)


MATMUL = helper.make_node("MatMul", ["x", "tower.0.weight"], ["h"])
ADD = helper.make_node("Add", ["h", "tower.0.bias"], ["y"])
GEMM = helper.make_node("Gemm", ["x", "tower.0.weight", "tower.0.bias"], ["y"], transB=1)
LOOKUP = helper.make_node("Gather", ["items.weight", "x"], ["h"])
TURN = helper.make_node("Transpose", ["items.weight"], ["t"], perm=[1, 0])
SCORE = helper.make_node("MatMul", ["h", "t"], ["y"])


def test_a_weight_and_its_bias_are_one_layer() -> None:
    """The kernel is that of the weight; the bytes are those of both."""
    graph = make_graph([MATMUL, ADD], tower__0__weight=zeros(8, 24), tower__0__bias=zeros(24))

    (part,) = parts_of(graph)

    n_bytes = sum(tensor.ByteSize() for tensor in graph.graph.initializer)
    assert part == Part("tower.0", "linear", (8, 24), ("MatMul",), 32, n_bytes)


def test_a_gemm_whose_weight_is_transposed_reads_from_inputs_to_outputs() -> None:
    """As every linear layer."""
    (part,) = parts_of(make_graph([GEMM], tower__0__weight=zeros(24, 8), tower__0__bias=zeros(24)))

    assert (part.shape, part.kernels) == ((8, 24), ("Gemm",))


def test_a_table_that_scores_names_both_kernels() -> None:
    """What only turns it is no kernel."""
    (part,) = parts_of(make_graph([LOOKUP, TURN, SCORE], items__weight=zeros(40, 8)))

    assert (part.kind, part.shape, part.kernels) == ("table", (40, 8), ("Gather", "MatMul"))


@pytest.mark.parametrize(("bits", "bytes_per_row"), [(8, 32), (4, 16), (2, 8)])
def test_a_packed_table_is_as_wide_as_it_was(bits: int, bytes_per_row: int) -> None:
    """Bits and width are those of the values, not of the bytes."""
    packed = helper.make_node("GatherBlockQuantized", ["items.weight.packed", "x", "items.weight.scales"], ["h"])
    packed.attribute.append(helper.make_attribute("bits", bits))
    table = zeros(40, 1, bytes_per_row, dtype=np.uint8)

    (part,) = parts_of(make_graph([packed], items__weight__packed=table, items__weight__scales=zeros(40, 1)))

    assert (part.layer, part.kind, part.shape, part.bits) == ("items", "table", (40, 32), bits)


def test_half_precision_is_sixteen_bits() -> None:
    """The rows are turned into fp32 after the lookup."""
    (part,) = parts_of(make_graph([LOOKUP], items__weight=zeros(40, 8, dtype=np.float16)))

    assert part.bits == 16


def test_a_kernel_within_a_subgraph_is_found() -> None:
    """The body of a loop or branch belongs to the graph."""
    body = helper.make_graph([MATMUL], "then", [], [helper.make_tensor_value_info("h", TensorProto.FLOAT, None)])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)
    graph = make_graph([branch], tower__0__weight=zeros(8, 24))

    assert [part.kernels for part in parts_of(graph)] == [("MatMul",)]
    assert n_operators(graph.graph) == 3


def test_small_constants_are_no_part_and_large_ones_are() -> None:
    """An axis is no layer; a mask takes room."""
    nodes = [helper.make_node("Add", ["x", "mask"], ["h"]), helper.make_node("Squeeze", ["h", "axis"], ["y"])]

    (part,) = parts_of(make_graph(nodes, axis=zeros(1, dtype=np.int64), mask=zeros(10, 10)))

    assert (part.layer, part.kind, part.shape) == ("mask", "other", (10, 10))


def test_parts_stand_in_the_order_of_use() -> None:
    """As a person reads a model."""
    nodes = [LOOKUP, helper.make_node("MatMul", ["h", "a.weight"], ["y"])]

    parts = parts_of(make_graph(nodes, a__weight=zeros(8, 8), items__weight=zeros(40, 8)))

    assert [part.layer for part in parts] == ["items", "a"]
