"""Block-wise quantisation of tables."""

from __future__ import annotations

import math

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from onnx import TensorProto, helper

from paretoopt.compression.blocks import Range, block_size_for, dequantize_blocks, quantize_blocks
from paretoopt.compression.graph_parts import CONTRIB, add_initializers
from paretoopt.compression.stored_tables import in_rows

tables = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70), elements=st.floats(-100, 100, width=32)
)
bit_widths = st.sampled_from([8, 4, 2])
block_sizes = st.sampled_from([None, 16, 32, 128])
ranges = st.sampled_from(["mse", "minmax"])


def range_ends(quantized_scales: np.ndarray, bits: int, block_size: int, width: int) -> tuple[np.ndarray, ...]:
    """The step of every value's block, and the least and largest value that its integers reach."""
    steps = np.repeat(np.abs(quantized_scales), block_size, axis=1)[:, :width]
    signs = np.repeat(np.sign(quantized_scales), block_size, axis=1)[:, :width]
    half = 2 ** (bits - 1)
    ends = np.stack([-half * signs * steps, (half - 1) * signs * steps])
    return steps, ends.min(0), ends.max(0)


@given(table=tables, bits=bit_widths, block_size=block_sizes, scale_range=ranges)
def test_a_value_is_off_by_half_a_step_or_clipped_to_its_range(
    table: np.ndarray, bits: int, block_size: int | None, scale_range: Range
) -> None:
    """Inside its block's range a value comes back within half a step; beyond it, as the nearest end of the range."""
    quantized = quantize_blocks(table, bits, block_size=block_size, scale_range=scale_range)

    steps, low, high = range_ends(quantized.scales, bits, quantized.block_size, table.shape[1])
    error = np.abs(dequantize_blocks(quantized) - np.clip(table, low, high))
    assert (error <= steps / 2 * (1 + 1e-5) + 1e-4 * np.abs(table)).all()


@given(table=tables, bits=bit_widths, block_size=block_sizes)
def test_by_minmax_the_extreme_value_of_a_block_is_kept(table: np.ndarray, bits: int, block_size: int | None) -> None:
    """The value of largest size in each row is an end of its range, so it comes back as it was."""
    restored = dequantize_blocks(quantize_blocks(table, bits, block_size=block_size, scale_range="minmax"))

    at = np.abs(table).argmax(1)[:, None]
    extreme = np.take_along_axis(table, at, 1)
    assert np.allclose(np.take_along_axis(restored, at, 1), extreme, rtol=1e-6, atol=1e-30)


@given(bits=bit_widths, seed=st.integers(0, 1_000), block_size=block_sizes)
def test_the_scale_of_least_error_beats_the_full_range(bits: int, seed: int, block_size: int | None) -> None:
    """The squared error of the whole table is no larger than by minmax, and than of a symmetric range."""
    table = np.random.default_rng(seed).normal(size=(20, 64)).astype(np.float32)

    def error(scale_range: Range) -> float:
        restored = dequantize_blocks(quantize_blocks(table, bits, block_size=block_size, scale_range=scale_range))
        return float(np.square(restored - table).sum())

    half = 2 ** (bits - 1)
    scale = np.abs(table).max(axis=1, keepdims=True) / (half - 1)
    symmetric = np.clip(np.rint(table / scale), -half, half - 1) * scale
    assert error("mse") <= error("minmax") * 1.0001
    assert block_size in (16, 32) or error("mse") <= np.square(symmetric - table).sum() * 1.0001


@given(table=tables, bits=bit_widths, block_size=block_sizes)
def test_stored_bytes_follow_the_closed_form(table: np.ndarray, bits: int, block_size: int | None) -> None:
    """A row of d values takes b d / 8 bytes, rounded up, and 4 for the scale of each block."""
    quantized = quantize_blocks(table, bits, block_size=block_size)

    n_rows, width = table.shape
    stored = sum(array.nbytes for array in in_rows("table", quantized).arrays.values())
    assert stored == n_rows * (math.ceil(width * bits / 8) + 4 * math.ceil(width / quantized.block_size))


@pytest.mark.parametrize(
    ("bits", "width", "percent"), [(8, 16, 31.25), (8, 64, 26.5625), (4, 16, 18.75), (4, 128, 13.28125), (2, 32, 9.375)]
)
def test_a_table_shrinks_to_what_arithmetic_says(bits: int, width: int, percent: float) -> None:
    """With 4 bytes of scale for each row the ratio to fp32 is b / 32 + 4 / (4 d)."""
    table = np.ones((50, width), dtype=np.float32)
    arrays_stored = in_rows("table", quantize_blocks(table, bits)).arrays.values()

    assert 100 * sum(array.nbytes for array in arrays_stored) / table.nbytes == percent
    assert percent == 100 * (bits / 32 + 4 / (4 * width))


@settings(max_examples=50, deadline=None)
@given(table=tables, bits=bit_widths, block_size=block_sizes)
def test_the_operator_looks_up_what_we_dequantise(table: np.ndarray, bits: int, block_size: int | None) -> None:
    """``GatherBlockQuantized`` gives bit for bit the rows of ``dequantize_blocks``, at every width and block size."""
    quantized = quantize_blocks(table, bits, block_size=block_size)
    stored = in_rows("table", quantized)
    gather = helper.make_node("Gather", ["table", "ids"], ["rows"])
    ports = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"]), onnx.ValueInfoProto(name="rows")
    graph = helper.make_graph(stored.lookup(gather), "lookup", ports[:1], ports[1:])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(CONTRIB, 1)], ir_version=10
    )
    add_initializers(model, stored.arrays)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    (rows,) = session.run(None, {"ids": np.arange(len(table))})

    assert np.array_equal(rows, dequantize_blocks(quantized))


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_a_row_of_zeros_stays_zero(bits: int) -> None:
    """The padding row, and a table that is all zero, have no extreme value to scale by, and still mean zero."""
    table = np.zeros((2, 16), dtype=np.float32)

    assert (dequantize_blocks(quantize_blocks(table, bits)) == 0).all()


@pytest.mark.parametrize(
    ("width", "block"), [(16, 16), (48, 16), (50, 64), (64, 64), (96, 32), (256, 256), (512, 256), (10, 16)]
)
def test_a_block_is_the_whole_row_where_kernels_can(width: int, block: int) -> None:
    """The largest power of two from 16 to 256 that needs no more padding than blocks of 16 do."""
    assert block_size_for(width) == block
