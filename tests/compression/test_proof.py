"""The proof that bits are real, on graphs where they are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import dequantize_blocks, quantize_blocks
from paretoopt.compression.graph_parts import add_initializers, copy_of, weights_of
from paretoopt.compression.linear_form import as_matrix_products, linear_layers
from paretoopt.compression.proof import full_copies, prove_quantized
from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize_graph
from paretoopt.errors import CandidateError

Export = Callable[[int], onnx.ModelProto]


def with_array(graph: onnx.ModelProto, name: str, array: np.ndarray) -> onnx.ModelProto:
    """``graph`` with one more array that is read, so that nothing drops it."""
    copy = copy_of(graph)
    add_initializers(copy, {name: array})
    copy.graph.node.append(helper.make_node("Identity", [name], [f"{name}.out"]))
    copy.graph.output.append(helper.make_tensor_value_info(f"{name}.out", TensorProto.FLOAT, None))
    return copy


def with_column(weights: np.ndarray, bias: np.ndarray) -> onnx.ModelProto:
    """``relu(inputs + bias) @ weights``, the end of a tower."""
    nodes = [
        helper.make_node("Add", ["inputs", "bias"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["positive"]),
        helper.make_node("MatMul", ["positive", "weights"], ["outputs"]),
    ]
    values = {"weights": weights, "bias": bias}
    graph = helper.make_graph(
        nodes,
        "tower",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["batch", len(weights)])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(array, name) for name, array in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
@pytest.mark.parametrize("embedding_bits", EMBEDDING_BITS)
def test_a_graph_that_was_not_quantised_is_found_out(exported: Export, linear_bits: int, embedding_bits: int) -> None:
    """At every pair of widths but 32 and 32 the fp32 graph lacks an operator or holds a copy."""
    graph = as_matrix_products(exported(32))

    if (linear_bits, embedding_bits) == (32, 32):
        prove_quantized(graph, graph, linear_bits=32, embedding_bits=32)
        return
    with pytest.raises(CandidateError, match=r"lacks|in full precision"):
        prove_quantized(graph, graph, linear_bits=linear_bits, embedding_bits=embedding_bits)


@pytest.mark.parametrize("turn", [lambda table: table, lambda table: table.T.copy()])
@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_copy_is_found_even_rounded_and_transposed(
    exported: Export, bits: int, turn: Callable[[np.ndarray], np.ndarray]
) -> None:
    """An fp32 table that holds the dequantised values beside the packed ones fails the candidate."""
    full = as_matrix_products(exported(32))
    (name,) = table_names(full)
    copy = turn(dequantize_blocks(quantize_blocks(weights_of(full, name), bits)))
    spoilt = with_array(quantize_graph(full, linear_bits=32, embedding_bits=bits), "spare", copy)

    with pytest.raises(CandidateError, match=f"the saved graph holds {name} in full precision"):
        prove_quantized(full, spoilt, linear_bits=32, embedding_bits=bits)


@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
def test_a_bias_that_goes_with_weights_is_no_copy_of_them(linear_bits: int) -> None:
    """In a trained network the bias of a hidden layer resembles the one column of weights that reads the layer."""
    random = np.random.default_rng(0)
    weights = random.normal(size=(128, 1)).astype(np.float32)
    graph = with_column(weights, weights[:, 0] + random.normal(scale=0.01, size=128).astype(np.float32))

    quantized = quantize_graph(graph, linear_bits=linear_bits, embedding_bits=32)

    prove_quantized(as_matrix_products(graph), quantized, linear_bits=linear_bits, embedding_bits=32)


@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
def test_scales_that_go_with_weights_are_no_copy_of_them(linear_bits: int) -> None:
    """In a trained network the channels that count most have large weights before them, and so large scales."""
    random = np.random.default_rng(0)
    column = random.normal(size=(128, 1)).astype(np.float32)
    before = np.repeat(column.T, 16, axis=0) * random.uniform(0.9, 1.0, size=(16, 128)).astype(np.float32)
    graph = with_column(np.abs(column), np.zeros(128, np.float32))
    graph.graph.node.insert(0, helper.make_node("MatMul", ["features", "before"], ["inputs"]))
    graph.graph.input[0].CopyFrom(helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 16]))
    add_initializers(graph, {"before": before})

    quantized = quantize_graph(graph, linear_bits=linear_bits, embedding_bits=32)

    prove_quantized(as_matrix_products(graph), quantized, linear_bits=linear_bits, embedding_bits=32)


def test_a_copy_that_the_runtime_makes_is_found(exported: Export) -> None:
    """A cast of the whole fp16 table is stored nowhere; ONNX Runtime works it out when it loads the graph."""
    full = as_matrix_products(exported(32))
    (name,) = table_names(full)
    spoilt = quantize_graph(full, linear_bits=32, embedding_bits=16)
    spoilt.graph.node.insert(0, helper.make_node("Cast", [f"{name}.half"], ["cast"], to=TensorProto.FLOAT))
    spoilt.graph.output.append(helper.make_tensor_value_info("cast", TensorProto.FLOAT, None))

    with pytest.raises(CandidateError, match=f"the loaded graph holds {name} in full precision"):
        prove_quantized(full, spoilt, linear_bits=32, embedding_bits=16)


def test_a_copy_of_a_layer_is_found(exported: Export) -> None:
    """What holds for tables holds for the weights of linear layers."""
    full = as_matrix_products(exported(32))
    name = linear_layers(full)[0].weights
    spoilt = with_array(quantize_graph(full, linear_bits=4, embedding_bits=32), "spare", weights_of(full, name))

    with pytest.raises(CandidateError, match=f"the saved graph holds {name} in full precision"):
        prove_quantized(full, spoilt, linear_bits=4, embedding_bits=32)


def test_other_weights_of_the_same_shape_are_no_copy(exported: Export) -> None:
    """An unrelated fp32 array of a table's shape belongs there."""
    full = as_matrix_products(exported(32))
    table = weights_of(full, table_names(full)[0])
    other = np.random.default_rng(1).normal(size=table.shape).astype(np.float32)

    assert full_copies(with_array(exported(10), "other", other), {"table": table}) == ()
