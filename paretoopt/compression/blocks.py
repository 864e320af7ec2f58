"""Block-wise quantisation of a table: small unsigned integers with one scale per block of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALLEST_BLOCK = 16
_LARGEST_BLOCK = 256
_SMALLEST_SCALE = np.finfo(np.float32).tiny * 16
# A scale that clips a row's extreme values a little rounds all its other values better. Few levels
# gain from clipping more; these factors bracket the best one for 2, 4 and 8 bits.
_RANGE_FACTORS = np.linspace(0.6, 1.1, 26)


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


def block_size_for(width: int) -> int:
    """The block size for rows of ``width`` values: the whole row where the kernels can, else a part of it.

    Kernels take powers of two from 16 on. A row that no such block divides is padded to one.
    """
    block = _LARGEST_BLOCK
    while block > _SMALLEST_BLOCK and width % block:
        block //= 2
    return block


def quantize_blocks(table: NDArray[np.float32], bits: int) -> QuantizedTable:
    """Quantise ``table`` with the scale of least squared error for each block.

    Args:
        table: Finite values of shape ``(n_rows, width)``.
        bits: 8, 4 or 2.
    """
    n_rows, width = table.shape
    block_size = block_size_for(width)
    n_blocks = -(-width // block_size)
    padded = np.zeros((n_rows, n_blocks * block_size), dtype=np.float32)
    padded[:, :width] = table
    blocks = padded.reshape(n_rows, n_blocks, block_size)
    scales = _best_scales(blocks, bits)
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


def _best_scales(blocks: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    half = 2 ** (bits - 1)
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(-1)[..., None], -1)[..., 0]
    # The integers reach one step further below zero than above: the sign of the scale puts that
    # step on the side of the block's extreme value.
    full = -extreme / np.float32(half)
    # Rows of zeros, and of values so small that a scale for them is none, round to zero.
    full = np.where(np.abs(full) < _SMALLEST_SCALE, np.float32(1), full)
    best, least = full, np.full(full.shape, np.inf, dtype=np.float32)
    # The last factor is the symmetric full range, so that the choice is never worse than that.
    for factor in (*_RANGE_FACTORS, half / (half - 1)):
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
