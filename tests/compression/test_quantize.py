"""Quantised graphs, run by ONNX Runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest

from paretoopt.compression.quantize import EMBEDDING_BITS, LINEAR_BITS, quantize, quantize_graph
from paretoopt.errors import CandidateError, PipelineError, SpaceError

Export = Callable[[int], onnx.ModelProto]
Answer = Callable[[onnx.ModelProto], tuple[np.ndarray, np.ndarray]]


def operators(graph: onnx.ModelProto) -> Counter[str]:
    """How often each operator occurs."""
    return Counter(node.op_type for node in graph.graph.node)


@pytest.mark.parametrize("linear_bits", LINEAR_BITS)
@pytest.mark.parametrize("embedding_bits", EMBEDDING_BITS)
def test_every_pair_of_widths_has_its_kernels(
    exported: Export, odd: onnx.ModelProto, linear_bits: int, embedding_bits: int
) -> None:
    """Six layers and a table that is tied, or two layers and three tables that are not: each in its operator."""
    quantized = quantize_graph(exported(32), linear_bits=linear_bits, embedding_bits=embedding_bits)
    of_odd = quantize_graph(odd, linear_bits=linear_bits, embedding_bits=embedding_bits)

    linear = {32: {}, 8: {"MatMulInteger": 6}, 4: {"MatMulNBits": 6}}[linear_bits]
    tables = {32: {}, 16: {"Scan": 1}}.get(embedding_bits, {"GatherBlockQuantized": 1, "MatMulNBits": 1})
    assert operators(quantized) >= Counter(linear) + Counter(tables)
    # Of the three tables the one of width 1 has 16 bits.
    assert operators(of_odd)["GatherBlockQuantized"] == (2 if embedding_bits < 16 else 0)


@pytest.mark.parametrize(
    ("linear_bits", "embedding_bits", "overlap"),
    [(8, 32, 9.0), (4, 32, 8.5), (32, 16, 9.9), (32, 8, 9.0), (8, 8, 8.5), (8, 4, 6), (4, 2, 2)],
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


@pytest.mark.parametrize("change", ["linear", "embedding"])
def test_fewer_bits_make_a_smaller_file(exported: Export, change: str) -> None:
    """Bytes fall with each step of either dimension."""
    widths = [(bits, 32) for bits in LINEAR_BITS] if change == "linear" else [(32, bits) for bits in EMBEDDING_BITS]
    sizes = [
        quantize_graph(exported(48), linear_bits=linear, embedding_bits=embedding).ByteSize()
        for linear, embedding in widths
    ]

    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sizes)


@pytest.mark.parametrize("bits", [3, 5, 6, 7, 1, 0, True, 64])
def test_bits_without_a_kernel_are_refused(bits: int) -> None:
    """A bit-width that no kernel computes with is refused by both dimensions, with those that are."""
    for parameter in quantize().reads:
        with pytest.raises(SpaceError, match=r"no kernel.*32, (16, )?8, 4"):
            parameter.check(bits)


def test_a_graph_without_tables_or_layers_says_so() -> None:
    """Quantising what is not there fails with the way out."""
    node = onnx.helper.make_node("Relu", ["x"], ["y"])
    ports = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 4]) for name in ("x", "y")]
    graph = onnx.helper.make_model(onnx.helper.make_graph([node], "g", ports[:1], ports[1:]))

    for bits in (16, 8, 4, 2):
        with pytest.raises(CandidateError, match=r"no embedding table.*Leave embedding_bits out"):
            quantize_graph(graph, linear_bits=32, embedding_bits=bits)
    for bits in (8, 4):
        with pytest.raises(CandidateError, match=r"no linear layer.*Leave linear_bits out"):
            quantize_graph(graph, linear_bits=bits, embedding_bits=32)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"block_size": 24}, "block_size=24 has no kernel. Use a power of two from 16 on"),
        ({"block_size": 8}, "block_size=8 has no kernel"),
        ({"range": "entropy"}, "range='entropy' is not offered. Use 'mse', 'minmax'"),
        ({"linear": "qat"}, "linear='qat' is not offered. Use 'dynamic', 'static'"),
        ({"scoring": "fast"}, "scoring='fast' is not offered"),
        ({"linear": "static"}, "Give calibration_requests"),
        ({"calibration_requests": {"x": np.zeros(3)}}, "for linear='static' only"),
        ({"linear": "static", "calibration_requests": {}}, "at least one request"),
    ],
)
def test_rules_that_are_not_offered_are_refused_at_once(rule: dict[str, Any], message: str) -> None:
    """An expert's option that cannot be used fails when the pipeline is written, with what can."""
    with pytest.raises(PipelineError, match=message):
        quantize(**rule)


def test_the_key_holds_the_calibration_sample() -> None:
    """Stages that were calibrated on other requests, or by other rules, are told apart."""
    samples = [{"x": np.zeros((3, 2))}, {"x": np.ones((3, 2))}]
    stages = [
        quantize(),
        quantize(range="minmax"),
        quantize(block_size=16),
        *(quantize(linear="static", calibration_requests=sample) for sample in samples),
        quantize(linear="static", calibration="entropy", calibration_requests=samples[0]),
    ]

    assert len({str(stage.identity()) for stage in stages}) == len(stages)
    assert quantize(linear="static", calibration_requests=samples[0]).identity() == stages[3].identity()
