"""Block-wise quantisation of a table: small unsigned integers with one scale per block of a row.

The rule, in full: a row is cut into blocks of ``block_size`` values; a block has one fp32 ``scale``; a value is
stored as the integer nearest to ``value / scale``, limited to what ``bits`` bits hold, from ``-half`` to
``half - 1`` with ``half = 2 ** (bits - 1)``. The two ranges differ in the scale alone:

- ``"minmax"``: the block's extreme value becomes the integer ``-half``, so ``scale = -extreme / half``;
- ``"mse"``: of that scale times each of :data:`RANGE_FACTORS`, the one of least squared error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Range = Literal["mse", "minmax"]
RANGES: tuple[Range, ...] = ("mse", "minmax")

SMALLEST_BLOCK = 16
_LARGEST_BLOCK = 256
_SMALLEST_SCALE = np.finfo(np.float32).tiny * 16
# A scale that clips a row's extreme values a little rounds all its other values better. Few levels
# gain from clipping more; these factors bracket the best one for 2, 4 and 8 bits.
RANGE_FACTORS = np.linspace(0.6, 1.1, 26)


@dataclass(frozen=True)
class QuantizedTable:
    """A table of shape ``(n_rows, width)`` in blocks of unsigned integers.

    Value ``(row, column)`` is ``(integer - 2 ** (bits - 1)) * scale`` of its block.

    Attributes:
        packed: Shape ``(n_rows, n_blocks, block_size * bits / 8)``, uint8, lower bits first.
        scales: Shape ``(n_rows, n_blocks)``, float32.
        bits: 8, 4 or 2.
        block_size: Values per scale.
        width: Columns of the original table; the last block may hold padding beyond them.
    """

    packed: NDArray[np.uint8]
    scales: NDArray[np.float32]
    bits: int
    block_size: int
    width: int

    @property
    def rows(self) -> NDArray[np.uint8]:
        """The packed integers without the padding: shape ``(n_rows, ceil(width * bits / 8))``."""
        return self.packed.reshape(len(self.packed), -1)[:, : -(-self.width * self.bits // 8)]


def block_size_for(width: int) -> int:
    """The block size for rows of ``width`` values: the whole row where the kernels can, else a part of it.

    Kernels take powers of two from 16 on. This is the largest up to 256 that needs no more padding than
    blocks of 16 do.

    >>> [block_size_for(width) for width in (10, 50, 64, 96, 512)]
    [16, 64, 64, 32, 256]
    """
    padded = -(-width // SMALLEST_BLOCK) * SMALLEST_BLOCK
    block = _LARGEST_BLOCK
    while padded % block:
        block //= 2
    return block


def quantize_blocks(
    table: NDArray[np.float32], bits: int, *, block_size: int | None = None, scale_range: Range = "mse"
) -> QuantizedTable:
    """Quantise ``table`` by the rule of this module.

    Args:
        table: Finite values of shape ``(n_rows, width)``.
        bits: 8, 4 or 2.
        block_size: Values per scale, a power of two from 16 on; None for :func:`block_size_for`.
        scale_range: How far a block's integers reach.
    """
    n_rows, width = table.shape
    block_size = block_size or block_size_for(width)
    n_blocks = -(-width // block_size)
    padded = np.zeros((n_rows, n_blocks * block_size), dtype=np.float32)
    padded[:, :width] = table
    blocks = padded.reshape(n_rows, n_blocks, block_size)
    scales = _minmax_scales(blocks, bits)
    if scale_range == "mse":
        scales = _least_error_scales(blocks, scales, bits)
    integers = _integers(blocks, scales, bits)
    return QuantizedTable(_pack(integers, bits), scales, bits, block_size, width)


def dequantize_blocks(quantized: QuantizedTable) -> NDArray[np.float32]:
    """The table that the kernels compute with, of shape ``(n_rows, width)``."""
    per_byte = 8 // quantized.bits
    shifts = np.arange(per_byte, dtype=np.uint8) * quantized.bits
    mask = np.uint8(2**quantized.bits - 1)
    integers = (quantized.packed[..., None] >> shifts) & mask
    n_rows, n_blocks, _ = quantized.packed.shape
    centred = integers.reshape(n_rows, n_blocks, -1).astype(np.float32) - 2 ** (quantized.bits - 1)
    values: NDArray[np.float32] = (centred * quantized.scales[..., None]).reshape(n_rows, -1)
    return values[:, : quantized.width]


def _minmax_scales(blocks: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    half = 2 ** (bits - 1)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    # The integers reach one step further below zero than above: the sign of the scale puts that
    # step on the side of the block's extreme value.
    scales = -extreme / np.float32(half)
    # Blocks of zeros have no extreme value; whatever their scale, they stay zero.
    kept: NDArray[np.float32] = np.where(np.abs(scales) < _SMALLEST_SCALE, np.float32(_SMALLEST_SCALE), scales)
    return kept


def _least_error_scales(blocks: NDArray[np.float32], full: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    half = 2 ** (bits - 1)
    best, least = full, np.full(full.shape, np.inf, dtype=np.float32)
    # The last factor is the symmetric full range, so that the choice is never worse than that.
    for factor in (*RANGE_FACTORS, half / (half - 1)):
        scales = (full * factor).astype(np.float32)
        rounded = (_integers(blocks, scales, bits).astype(np.float32) - half) * scales[..., None]
        error = np.square(rounded - blocks).sum(-1)
        best, least = np.where(error < least, scales, best), np.minimum(error, least)
    return best


def _integers(blocks: NDArray[np.float32], scales: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    half = 2 ** (bits - 1)
    integers: NDArray[np.uint8] = np.clip(np.rint(blocks / scales[..., None]) + half, 0, 2 * half - 1).astype(np.uint8)
    return integers


def _pack(integers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    per_byte = 8 // bits
    groups = integers.reshape(*integers.shape[:-1], -1, per_byte)
    shifts: NDArray[Any] = np.arange(per_byte, dtype=np.uint8) * np.uint8(bits)
    packed: NDArray[np.uint8] = np.bitwise_or.reduce(groups << shifts, axis=-1).astype(np.uint8)
    return packed
