"""Linear layers of 8 and 4 bits, run by ONNX Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from paretoopt.compression.blocks import dequantize_blocks, quantize_blocks
from paretoopt.compression.graph_parts import copy_of, weights_of
from paretoopt.compression.linear_form import as_matrix_products, linear_layers
from paretoopt.compression.quantize import QuantizationRules, quantize_graph
from paretoopt.compression.static_layers import CALIBRATIONS, Calibration
from paretoopt.errors import CandidateError

Export = Callable[[int], onnx.ModelProto]
Scores = Callable[[onnx.ModelProto], np.ndarray]
Requests = dict[str, np.ndarray]

STATIC = QuantizationRules(linear="static")


def with_weights(graph: onnx.ModelProto, change: Callable[[np.ndarray], np.ndarray]) -> onnx.ModelProto:
    """``graph`` in the form that is quantised, its linear layers' weights changed."""
    copy = as_matrix_products(graph)
    for layer in linear_layers(copy):
        tensor = next(tensor for tensor in copy.graph.initializer if tensor.name == layer.weights)
        tensor.CopyFrom(
            numpy_helper.from_array(change(numpy_helper.to_array(tensor)).astype(np.float32), layer.weights)
        )
    return copy


def rounded(graph: onnx.ModelProto) -> onnx.ModelProto:
    """``graph`` in fp32 with the values that 4-bit weights have."""
    return with_weights(graph, lambda weights: dequantize_blocks(quantize_blocks(weights.T.copy(), 4)).T)


def operators(graph: onnx.ModelProto) -> Counter[str]:
    """How often each operator occurs."""
    return Counter(node.op_type for node in graph.graph.node)


@pytest.mark.parametrize("embedding_dim", [10, 32])
def test_four_bit_layers_compute_with_the_rounded_weights(
    exported: Export, scores_of: Scores, embedding_dim: int
) -> None:
    """Scores are those of the fp32 graph with the rounded weights in place."""
    graph = exported(embedding_dim)

    scores = scores_of(quantize_graph(graph, linear_bits=4, embedding_bits=32))
    expected = scores_of(rounded(graph))

    # MatMulNBits rounds activations to 8 bits.
    assert np.allclose(scores, expected, atol=0.03 * np.abs(expected).max())


def test_layers_of_odd_widths_are_taken(odd: onnx.ModelProto, scores_of: Scores) -> None:
    """Thirty-seven inputs, or one output, are padded by the kernel; the layers come as Gemm."""
    quantized = quantize_graph(odd, linear_bits=4, embedding_bits=32)

    assert operators(odd)["Gemm"] == 2
    assert operators(quantized)["MatMulNBits"] == 2
    assert np.allclose(scores_of(quantized), scores_of(rounded(odd)), atol=0.01)


def test_the_form_of_matrix_products_computes_the_same(odd: onnx.ModelProto, scores_of: Scores) -> None:
    """Turning Gemm into MatMul and Add changes no number, and stores nothing twice."""
    products = as_matrix_products(odd)

    assert operators(products)["Gemm"] == 0
    assert np.allclose(scores_of(products), scores_of(odd), atol=1e-6)
    assert len(products.graph.initializer) == len(odd.graph.initializer)


def test_a_product_that_is_written_as_gemm_keeps_reading_its_table() -> None:
    """Scoring by ``functional.linear(x, table)`` reads the table that the lookup reads; it is no linear layer."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["rows"]),
        helper.make_node("Gemm", ["rows", "table"], ["scores"], transB=1),
    ]
    ports = (
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"]),
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 40]),
    )
    table = numpy_helper.from_array(np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32), "table")
    model = helper.make_model(
        helper.make_graph(nodes, "tied", ports[:1], ports[1:], [table]),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=10,
    )

    quantized = quantize_graph(model, linear_bits=32, embedding_bits=8)

    assert linear_layers(as_matrix_products(model)) == ()
    assert [tuple(tensor.dims) for tensor in as_matrix_products(model).graph.initializer] == [(40, 16)]
    assert operators(quantized) >= Counter({"GatherBlockQuantized": 1, "MatMulNBits": 1})


@pytest.mark.parametrize("embedding_dim", [10, 32])
@pytest.mark.parametrize(("bits", "kernel"), [(8, "MatMulInteger"), (4, "MatMulNBits")])
def test_quantising_linear_layers_leaves_the_scoring_table_alone(
    exported: Export, embedding_dim: int, bits: int, kernel: str
) -> None:
    """The product with the table belongs to embedding_bits, however small the table is."""
    graph = quantize_graph(exported(embedding_dim), linear_bits=bits, embedding_bits=32)

    assert operators(graph)[kernel] == 6
    assert (301, embedding_dim) in {tuple(tensor.dims) for tensor in graph.graph.initializer}


@pytest.fixture(scope="module")
def calibrated(exported: Export, requests: Requests) -> dict[Calibration, onnx.ModelProto]:
    """The graph with calibrated layers, by calibrator."""
    return {
        calibration: quantize_graph(
            exported(32),
            linear_bits=8,
            embedding_bits=32,
            rules=QuantizationRules(linear="static", calibration=calibration),
            calibration_requests=requests,
        )
        for calibration in CALIBRATIONS
    }


@pytest.mark.parametrize("calibration", CALIBRATIONS)
def test_calibrated_layers_resemble_the_full_ones(
    exported: Export, scores_of: Scores, calibrated: dict[Calibration, onnx.ModelProto], calibration: Calibration
) -> None:
    """With ranges fixed on real requests, by any calibrator, scores are within 3 % of the largest."""
    expected = scores_of(exported(32))

    assert np.allclose(scores_of(calibrated[calibration]), expected, atol=0.03 * np.abs(expected).max())


def test_calibrators_fix_ranges_of_their_own(calibrated: dict[Calibration, onnx.ModelProto]) -> None:
    """Entropy and percentiles cut what minmax keeps; ONNX Runtime's own default for entropy would cut nothing."""
    scales = set()
    for graph in calibrated.values():
        stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
        ranges = [array.item() for name, array in stored.items() if name.endswith("_scale") and array.size == 1]
        scales.add(tuple(ranges))

    assert len(scales) == len(CALIBRATIONS)


def test_calibrated_layers_hold_integers_alone(exported: Export, requests: Requests) -> None:
    """Of each of the six layers the file holds 8-bit weights; calibrating leaves the given graph as it was."""
    before = exported(32).SerializeToString()
    graph = quantize_graph(exported(32), linear_bits=8, embedding_bits=32, rules=STATIC, calibration_requests=requests)

    integers = [tensor for tensor in graph.graph.initializer if tensor.data_type == TensorProto.INT8]
    assert sum(len(tensor.dims) == 2 for tensor in integers) == 6
    assert exported(32).SerializeToString() == before


def test_calibrated_and_packed_go_together(exported: Export, scores_of: Scores, requests: Requests) -> None:
    """Static layers stand beside tables of 4 bits."""
    graph = quantize_graph(exported(32), linear_bits=8, embedding_bits=4, rules=STATIC, calibration_requests=requests)

    expected = scores_of(exported(32))
    assert np.abs(scores_of(graph) - expected).max() < 0.15 * np.abs(expected).max()


@pytest.mark.parametrize("bits", [8, 4])
def test_layers_of_zeros_stay_zero(odd: onnx.ModelProto, scores_of: Scores, bits: int) -> None:
    """Weights that are all zero give the biases, and no NaN."""
    zeros = with_weights(odd, np.zeros_like)

    scores = scores_of(quantize_graph(zeros, linear_bits=bits, embedding_bits=32))

    assert np.allclose(scores, weights_of(odd, "output.bias"), atol=1e-6)


@pytest.mark.parametrize("rules", [QuantizationRules(), STATIC])
@pytest.mark.parametrize("bits", [8, 4])
def test_broken_weights_are_not_quantised(
    odd: onnx.ModelProto, requests: Requests, bits: int, rules: QuantizationRules
) -> None:
    """NaN in a layer ends the candidate with the name of its weights."""
    broken = with_weights(odd, lambda weights: np.full_like(weights, np.nan))
    given = requests if rules is STATIC else None

    with pytest.raises(CandidateError, match=r"the weights .* hold NaN or infinity"):
        quantize_graph(broken, linear_bits=bits, embedding_bits=32, rules=rules, calibration_requests=given)


def test_the_given_graph_is_left_as_it_was(odd: onnx.ModelProto) -> None:
    """Quantising works on a copy."""
    before = copy_of(odd)

    quantize_graph(odd, linear_bits=4, embedding_bits=2)

    assert odd == before
