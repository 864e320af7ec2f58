"""Block-wise quantisation of tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from paretoopt.compression.blocks import block_size_for, dequantize_blocks, quantize_blocks

tables = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=70), elements=st.floats(-100, 100, width=32)
)


@given(table=tables, bits=st.sampled_from([8, 4, 2]))
def test_no_value_is_off_by_more_than_a_step_and_a_clip(table: np.ndarray, bits: int) -> None:
    """Each value comes back within the width of one level of the row's extreme value."""
    restored = dequantize_blocks(quantize_blocks(table, bits))

    level = np.abs(table).max(axis=1, keepdims=True) / 2 ** (bits - 1)
    # The scale of least squared error may cut up to 40 % off the range.
    tolerance = level + 0.4 * np.abs(table).max(axis=1, keepdims=True)
    assert (np.abs(restored - table) <= tolerance * 1.01 + 1e-6).all()


@given(bits=st.sampled_from([8, 4, 2]), seed=st.integers(0, 1_000))
def test_the_chosen_scale_beats_the_full_range(bits: int, seed: int) -> None:
    """The squared error is no larger than that of scales which span the whole range."""
    table = np.random.default_rng(seed).normal(size=(20, 64)).astype(np.float32)

    restored = dequantize_blocks(quantize_blocks(table, bits))

    half = 2 ** (bits - 1)
    scale = np.abs(table).max(axis=1, keepdims=True) / (half - 1 if bits > 2 else 1)
    by_range = np.clip(np.rint(table / scale), -half, half - 1) * scale
    assert np.square(restored - table).sum() <= np.square(by_range - table).sum() * 1.0001


def test_a_row_of_zeros_stays_zero() -> None:
    """The padding row has no extreme value to scale by, and still means zero."""
    table = np.zeros((2, 16), dtype=np.float32)

    assert (dequantize_blocks(quantize_blocks(table, 4)) == 0).all()


@pytest.mark.parametrize(("bits", "ratio"), [(8, 0.25), (4, 0.125), (2, 0.0625)])
def test_the_integers_are_packed_tightly(bits: int, ratio: float) -> None:
    """Packed integers take bits/32 of the fp32 table's bytes."""
    table = np.ones((10, 64), dtype=np.float32)

    assert quantize_blocks(table, bits).packed.nbytes == table.nbytes * ratio


@pytest.mark.parametrize(("width", "block"), [(16, 16), (48, 16), (64, 64), (96, 32), (256, 256), (512, 256), (10, 16)])
def test_a_block_is_the_whole_row_where_kernels_can(width: int, block: int) -> None:
    """The largest power of two from 16 to 256 that divides the row, or 16 with padding."""
    assert block_size_for(width) == block
