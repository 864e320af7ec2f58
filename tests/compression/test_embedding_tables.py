"""Embedding tables of 16, 8, 4 and 2 bits, run by ONNX Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import dequantize_blocks, quantize_blocks
from paretoopt.compression.embedding_tables import bits_for, quantize_tables
from paretoopt.compression.graph_parts import copy_of, weights_of
from paretoopt.compression.linear_form import as_matrix_products
from paretoopt.compression.quantize import EMBEDDING_BITS, QuantizationRules, quantize_graph
from paretoopt.compression.tied_scores import Scoring
from paretoopt.errors import CandidateError

Export = Callable[[int], onnx.ModelProto]
Answer = Callable[[onnx.ModelProto], tuple[np.ndarray, np.ndarray]]
Scores = Callable[[onnx.ModelProto], np.ndarray]

QUANTISED = tuple(bits for bits in EMBEDDING_BITS if bits < 32)
TWO_WAYS: tuple[Scoring, ...] = ("packed", "chunks")


def with_table(graph: onnx.ModelProto, name: str, table: np.ndarray) -> onnx.ModelProto:
    """``graph`` with other values, or rows, in one table."""
    copy = copy_of(graph)
    tensor = next(tensor for tensor in copy.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(table.astype(np.float32), name))
    # They state the old number of rows.
    del copy.graph.value_info[:]
    return copy


def rounded(graph: onnx.ModelProto, bits: int) -> onnx.ModelProto:
    """``graph`` in fp32 with the rounded values of all its tables."""
    for name in table_names(graph):
        table = weights_of(graph, name)
        kept = bits_for(table.shape[1], bits)
        values = table.astype(np.float16) if kept == 16 else dequantize_blocks(quantize_blocks(table, kept))
        graph = with_table(graph, name, values)
    return graph


def types_of(graph: onnx.ModelProto, n_rows: int) -> Counter[int]:
    """The types of the stored arrays of two or more columns that have at least ``n_rows`` rows."""
    big = (tensor for tensor in graph.graph.initializer if np.prod(tensor.dims) >= 2 * n_rows)
    return Counter(tensor.data_type for tensor in big if n_rows <= max(tensor.dims) < 2 * n_rows)


@pytest.mark.parametrize("embedding_dim", [10, 32, 48])
@pytest.mark.parametrize("bits", QUANTISED)
@pytest.mark.parametrize("scoring", TWO_WAYS)
def test_kernels_compute_with_the_rounded_table(
    exported: Export, answer: Answer, embedding_dim: int, bits: int, scoring: Scoring
) -> None:
    """Scores are those of the fp32 graph with the rounded table in place, at every width and way of scoring."""
    graph = exported(embedding_dim)

    rules = QuantizationRules(scoring=scoring)
    _, scores = answer(quantize_graph(graph, linear_bits=32, embedding_bits=bits, rules=rules))
    _, expected = answer(rounded(graph, bits))

    # Activations are rounded to 8 bits, or to 7 and a sign.
    assert np.allclose(scores, expected, atol=(0.002 if bits == 16 else 0.03) * np.abs(expected).max())


@pytest.mark.parametrize("bits", QUANTISED)
def test_tables_that_only_look_up_are_exact_at_any_width(odd: onnx.ModelProto, scores_of: Scores, bits: int) -> None:
    """Ten columns, five, or one; fifty rows, or one: lookups give the rounded rows and nothing else."""
    quantized = quantize_graph(odd, linear_bits=32, embedding_bits=bits)

    assert np.allclose(scores_of(quantized), scores_of(rounded(odd, bits)), atol=1e-6)


@pytest.mark.parametrize("scoring", TWO_WAYS)
@pytest.mark.parametrize("bits", QUANTISED)
def test_a_tied_table_is_stored_once(exported: Export, bits: int, scoring: Scoring) -> None:
    """Lookup and scoring read the same bytes, and no other array is as large as the table."""
    rules = QuantizationRules(scoring=scoring)
    graph = quantize_graph(exported(32), linear_bits=32, embedding_bits=bits, rules=rules)

    assert types_of(exported(32), 301) == {TensorProto.FLOAT: 1}
    assert types_of(graph, 301) == {TensorProto.FLOAT16 if bits == 16 else TensorProto.UINT8: 1}


@pytest.mark.parametrize("bits", QUANTISED)
def test_a_table_of_many_chunks_scores_all_its_rows(exported: Export, answer: Answer, bits: int) -> None:
    """Some 10,000 rows are cut into chunks that do not divide them; scores and items are those of the rounded table."""
    graph = exported(48)
    (name,) = table_names(graph)
    table = np.random.default_rng(0).normal(size=(9_973, 48))
    large = with_table(graph, name, table)

    quantized = quantize_graph(large, linear_bits=32, embedding_bits=bits, rules=QuantizationRules(scoring="chunks"))
    items, scores = answer(quantized)
    expected_items, expected = answer(rounded(large, bits))

    assert "Scan" in {node.op_type for node in quantized.graph.node}
    assert np.allclose(scores, expected, atol=0.02 * np.abs(expected).max())
    assert (items == expected_items).mean() > (0.99 if bits == 16 else 0.5)


def test_rows_too_short_for_a_scale_have_16_bits(odd: onnx.ModelProto) -> None:
    """A scale of 4 bytes for a row of one value would make the table larger: it is stored in fp16 instead."""
    graph = quantize_graph(odd, linear_bits=32, embedding_bits=4)

    types = {tensor.name: tensor.data_type for tensor in graph.graph.initializer}
    assert types["biases.weight.half"] == TensorProto.FLOAT16
    assert types["items.weight.packed"] == TensorProto.UINT8


def test_smaller_blocks_lose_less(exported: Export) -> None:
    """``block_size`` sets how many values share a scale: 16 of them store two scales for a row of 32."""
    (name,) = table_names(exported(32))
    graphs = [
        quantize_graph(exported(32), linear_bits=32, embedding_bits=4, rules=QuantizationRules(block_size=size))
        for size in (None, 16)
    ]

    assert [weights_of(graph, f"{name}.scales").shape for graph in graphs] == [(301, 1), (301, 2)]


@pytest.mark.parametrize("bits", QUANTISED)
def test_a_table_of_zeros_stays_zero(exported: Export, answer: Answer, bits: int) -> None:
    """A table that was never trained is no error, and no NaN comes out of it."""
    (name,) = table_names(exported(10))
    graph = with_table(exported(10), name, np.zeros((301, 10)))

    _, scores = answer(quantize_graph(graph, linear_bits=32, embedding_bits=bits))

    assert np.allclose(scores, 0, atol=1e-6)


@pytest.mark.parametrize("bits", QUANTISED)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_broken_table_is_not_quantised(exported: Export, bits: int, value: float) -> None:
    """NaN or infinity in a table ends the candidate with the table's name."""
    (name,) = table_names(exported(10))
    table = weights_of(exported(10), name).copy()
    table[3, 2] = value

    with pytest.raises(CandidateError, match=f"table {name} holds NaN or infinity"):
        quantize_graph(with_table(exported(10), name, table), linear_bits=32, embedding_bits=bits)


def test_values_beyond_16_bits_are_refused(exported: Export) -> None:
    """What fp16 would turn into infinity is told before it does."""
    (name,) = table_names(exported(10))

    with pytest.raises(CandidateError, match="beyond 65504"):
        quantize_tables(with_table(exported(10), name, np.full((301, 10), 1e5)), 16)


def test_a_use_without_a_kernel_is_named(exported: Export) -> None:
    """A table that something else reads as well would stay in fp32 beside its quantised form."""
    graph = as_matrix_products(exported(10))
    (name,) = table_names(graph)
    graph.graph.node.append(onnx.helper.make_node("ReduceSum", [name], ["total"]))

    with pytest.raises(CandidateError, match=r"also used by ReduceSum.*fp32 copy would remain"):
        quantize_tables(graph, 8)
