"""Quantised graphs, run by ONNX Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import dequantize_blocks, quantize_blocks
from paretoopt.compression.embedding_tables import quantize_tables
from paretoopt.compression.quantize import quantize, quantize_graph
from paretoopt.errors import CandidateError, SpaceError

Export = Callable[[int], onnx.ModelProto]
Answer = Callable[[onnx.ModelProto], tuple[np.ndarray, np.ndarray]]


def operators(graph: onnx.ModelProto) -> Counter[str]:
    """How often each operator occurs."""
    return Counter(node.op_type for node in graph.graph.node)


def fp32_values(graph: onnx.ModelProto) -> int:
    """The number of fp32 values in matrices that are as long as the table in one direction."""
    return sum(
        int(np.prod(tensor.dims))
        for tensor in graph.graph.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and 301 in tensor.dims
    )


@pytest.mark.parametrize("embedding_dim", [8, 16, 32, 64])
@pytest.mark.parametrize("bits", [8, 4])
def test_embedding_tables_use_the_quantised_kernels_alone(exported: Export, embedding_dim: int, bits: int) -> None:
    """Lookup and scoring run on packed integers; of the fp32 table, in either direction, only scales are left."""
    graph = quantize_graph(exported(embedding_dim), linear_bits=32, embedding_bits=bits)

    assert operators(graph)["GatherBlockQuantized"] == 1
    assert operators(graph)["MatMulNBits"] == 1
    assert fp32_values(graph) == 2 * 301


@pytest.mark.parametrize("embedding_dim", [8, 16, 32, 64])
def test_a_tied_table_is_stored_once(exported: Export, embedding_dim: int) -> None:
    """In fp32 there is one table, small or large; quantised, lookup and scoring read the same packed bytes."""
    graph = quantize_graph(exported(embedding_dim), linear_bits=32, embedding_bits=8)

    readers = {node.op_type for node in graph.graph.node if any(name.endswith(".packed") for name in node.input)}
    packed = [tensor for tensor in graph.graph.initializer if tensor.data_type == onnx.TensorProto.UINT8]
    assert fp32_values(exported(embedding_dim)) == 301 * embedding_dim
    assert readers == {"GatherBlockQuantized", "MatMulNBits"}
    assert len(packed) == 1


@pytest.mark.parametrize("embedding_dim", [8, 32])
def test_quantising_linear_layers_leaves_the_scoring_table_alone(exported: Export, embedding_dim: int) -> None:
    """The product with the table belongs to embedding_bits, however small the table is."""
    graph = quantize_graph(exported(embedding_dim), linear_bits=8, embedding_bits=32)

    assert fp32_values(graph) == 301 * embedding_dim
    assert operators(graph)["MatMulInteger"] == 6


@pytest.mark.parametrize("embedding_dim", [8, 16, 40, 64])
@pytest.mark.parametrize("bits", [8, 4])
def test_kernels_compute_with_the_dequantised_table(
    exported: Export, answer: Answer, embedding_dim: int, bits: int
) -> None:
    """The scores are those of the fp32 graph with the rounded table in place, at every width."""
    graph = exported(embedding_dim)
    rounded = onnx.ModelProto()
    rounded.CopyFrom(graph)
    (name,) = table_names(rounded)
    tensor = next(tensor for tensor in rounded.graph.initializer if tensor.name == name)
    table = dequantize_blocks(quantize_blocks(numpy_helper.to_array(tensor), bits))
    tensor.CopyFrom(numpy_helper.from_array(table, name))

    _, scores = answer(quantize_graph(graph, linear_bits=32, embedding_bits=bits))
    _, expected = answer(rounded)

    # MatMulNBits rounds the activations to 8 bits.
    assert np.allclose(scores, expected, atol=0.03 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("linear_bits", "embedding_bits", "overlap"), [(8, 32, 9.0), (32, 8, 9.0), (8, 8, 8.5), (8, 4, 6)]
)
def test_quantised_recommendations_resemble_the_full_ones(
    exported: Export, answer: Answer, linear_bits: int, embedding_bits: int, overlap: float
) -> None:
    """Of ten recommended items, this many are the same on average, even for untrained weights."""
    graph = exported(32)

    items, _ = answer(quantize_graph(graph, linear_bits=linear_bits, embedding_bits=embedding_bits))
    expected, _ = answer(graph)

    shared = [len(set(one) & set(other)) for one, other in zip(items, expected, strict=True)]
    assert np.mean(shared) >= overlap


def test_fewer_bits_make_a_smaller_file(exported: Export) -> None:
    """Bytes fall with each step, by more than the table's share."""
    sizes = [
        quantize_graph(exported(64), linear_bits=linear, embedding_bits=embedding).ByteSize()
        for linear, embedding in [(32, 32), (32, 8), (32, 4), (8, 4)]
    ]

    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("bits", [3, 5, 6, 7, 16, 1, 0])
def test_bits_without_a_kernel_are_refused(bits: int) -> None:
    """A bit-width that no kernel computes with is refused by both dimensions, with those that are."""
    for parameter in quantize().reads:
        with pytest.raises(SpaceError, match=r"no kernel.*32, 8"):
            parameter.check(bits)


def test_a_graph_without_a_table_says_so() -> None:
    """Quantising embeddings where there are none fails with the way out."""
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = onnx.helper.make_model(onnx.helper.make_graph([node], "g", ports[:1], ports[1:]))

    with pytest.raises(CandidateError, match="no embedding table"):
        quantize_tables(graph, 8)
    with pytest.raises(CandidateError, match="no linear layer"):
        quantize_graph(graph, linear_bits=8, embedding_bits=32)


def test_a_broken_table_is_not_quantised(exported: Export) -> None:
    """NaN in a table ends the candidate with the table's name."""
    graph = onnx.ModelProto()
    graph.CopyFrom(exported(16))
    (name,) = table_names(graph)
    tensor = next(tensor for tensor in graph.graph.initializer if tensor.name == name)
    table = numpy_helper.to_array(tensor).copy()
    table[3, 2] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(table, name))

    with pytest.raises(CandidateError, match="holds NaN"):
        quantize_tables(graph, 8)
