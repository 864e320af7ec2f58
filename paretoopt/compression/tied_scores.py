"""Scores of every row of an embedding table, computed from the bytes that the lookups read.

What measured best (docs/results/tied_tables.md): at 8 and 4 bits ``MatMulNBits``, which holds the packed table a
second time in its own order and is several times as fast as all else; at 16 bits, and at 2 for large tables, chunk by
chunk, because fp16 products would keep an fp32 copy, and ``MatMulNBits`` unpacks 2 bits into more memory than 4 bits
take.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from onnx import NodeProto, TensorProto, helper

from paretoopt.compression.blocks import QuantizedTable
from paretoopt.compression.chunks import Chunks, chunk_slice, loop
from paretoopt.compression.graph_parts import constant

Scoring = Literal["auto", "packed", "chunks"]
SCORINGS: tuple[Scoring, ...] = ("auto", "packed", "chunks")

# Seven bits of activation: the product of an unsigned and a signed byte, twice, fits into the 16 bits in which
# processors without VNNI instructions add them up.
_LARGEST_ACTIVATION = 63
_SMALLEST_PEAK = float(np.finfo(np.float32).tiny)


def scores_in_chunks(bits: int, scoring: Scoring, chunks: Chunks) -> bool:
    """Whether the scores of a table that is cut into ``chunks`` are computed chunk by chunk."""
    if scoring == "auto":
        # What is held twice of a table that is one chunk is less than half a MiB.
        return bits == 2 and chunks.count > 1
    return scoring == "chunks"


def half_scores(given: str, output: str, table: str, chunks: Chunks) -> list[NodeProto]:
    """Nodes for ``output = given @ table.T`` over fp16 rows; ``given`` has shape ``(batch, width)``."""
    prefix = f"{output}.chunks"
    body = [
        chunk_slice(table, f"{prefix}.half_rows", prefix),
        helper.make_node("Cast", [f"{prefix}.half_rows"], [f"{prefix}.full_rows"], to=TensorProto.FLOAT),
        helper.make_node("Gemm", [given, f"{prefix}.full_rows"], [f"{prefix}.part"], transB=1),
    ]
    together = [
        helper.make_node("Transpose", [f"{prefix}.parts"], [f"{prefix}.by_request"], perm=[1, 0, 2]),
        constant(f"{prefix}.shape", [-1, chunks.count * chunks.size]),
        helper.make_node("Reshape", [f"{prefix}.by_request", f"{prefix}.shape"], [f"{prefix}.all"]),
        *_without_padding(f"{prefix}.all", output, prefix, chunks),
    ]
    return [*loop(chunks, prefix, body, ["batch", chunks.size]), *together]


def integer_scores(given: str, output: str, name: str, quantized: QuantizedTable, chunks: Chunks) -> list[NodeProto]:
    """Nodes for ``output = given @ table.T`` from packed integers; ``given`` has shape ``(batch, width)``.

    A byte holds ``8 / bits`` values of a row. Masked one after the other, each multiplies the activations that
    belong to it: integers times integers, the sums rescaled. Activations have 7 bits and a sign.

    Args:
        given: The activations' name.
        output: The scores' name.
        name: The table; the graph holds ``{name}.packed`` of shape ``(n_rows, n_blocks, bytes)`` and
            ``{name}.row_scales`` of shape ``(n_rows, n_blocks, 1)``, both padded to full chunks.
        quantized: The table.
        chunks: How it is cut.
    """
    prefix = f"{output}.chunks"
    body = [
        chunk_slice(f"{name}.packed", f"{prefix}.packed_rows", prefix),
        helper.make_node("Transpose", [f"{prefix}.packed_rows"], [f"{prefix}.packed_blocks"], perm=[1, 0, 2]),
        *_block_sums(prefix, quantized.bits),
        chunk_slice(f"{name}.row_scales", f"{prefix}.scale_rows", prefix),
        helper.make_node("Transpose", [f"{prefix}.scale_rows"], [f"{prefix}.scale_blocks"], perm=[1, 0, 2]),
        helper.make_node("Mul", [f"{prefix}.sums", f"{prefix}.scale_blocks"], [f"{prefix}.scaled"]),
        helper.make_node("ReduceSum", [f"{prefix}.scaled", f"{prefix}.rows_axis"], [f"{prefix}.part"], keepdims=0),
    ]
    together = [
        constant(f"{prefix}.shape", [chunks.count * chunks.size, -1]),
        helper.make_node("Reshape", [f"{prefix}.parts", f"{prefix}.shape"], [f"{prefix}.by_row"]),
        helper.make_node("Transpose", [f"{prefix}.by_row"], [f"{prefix}.all"], perm=[1, 0]),
        *_without_padding(f"{prefix}.all", f"{prefix}.integer_scores", prefix, chunks),
        helper.make_node("Mul", [f"{prefix}.integer_scores", f"{prefix}.unit"], [output]),
    ]
    activations = _integer_activations(given, prefix, quantized)
    return [*activations, *loop(chunks, prefix, body, [chunks.size, "batch"]), *together]


def _integer_activations(given: str, prefix: str, quantized: QuantizedTable) -> list[NodeProto]:
    """Nodes for ``{prefix}.unit`` and, for each place in a byte, ``{prefix}.activations_0`` and so on.

    Activations have shape ``(n_blocks, bytes, batch)``; the unit is what an integer of 1 means, ``(batch, 1)``.
    """
    per_byte = 8 // quantized.bits
    _, n_blocks, n_bytes = quantized.packed.shape
    padding = n_blocks * quantized.block_size - quantized.width
    places = [f"{prefix}.place_{place}" for place in range(per_byte)]
    last = constant(f"{prefix}.last_axis", [1])
    place_axis = constant(f"{prefix}.place_axis", [2])
    return [
        last,
        place_axis,
        constant(f"{prefix}.padding", [0, 0, 0, padding]),
        helper.make_node("Pad", [given, f"{prefix}.padding"], [f"{prefix}.given"]),
        helper.make_node("Abs", [f"{prefix}.given"], [f"{prefix}.sizes"]),
        helper.make_node("ReduceMax", [f"{prefix}.sizes", last.output[0]], [f"{prefix}.largest"], keepdims=1),
        constant(f"{prefix}.smallest", _SMALLEST_PEAK, np.float32),
        helper.make_node("Max", [f"{prefix}.largest", f"{prefix}.smallest"], [f"{prefix}.peak"]),
        constant(f"{prefix}.levels", _LARGEST_ACTIVATION, np.float32),
        helper.make_node("Div", [f"{prefix}.peak", f"{prefix}.levels"], [f"{prefix}.unit"]),
        helper.make_node("Div", [f"{prefix}.given", f"{prefix}.unit"], [f"{prefix}.in_units"]),
        helper.make_node("Round", [f"{prefix}.in_units"], [f"{prefix}.rounded"]),
        helper.make_node("Cast", [f"{prefix}.rounded"], [f"{prefix}.integers"], to=TensorProto.INT8),
        helper.make_node("Transpose", [f"{prefix}.integers"], [f"{prefix}.columns"], perm=[1, 0]),
        constant(f"{prefix}.block_shape", [n_blocks, n_bytes, per_byte, -1]),
        helper.make_node("Reshape", [f"{prefix}.columns", f"{prefix}.block_shape"], [f"{prefix}.blocks"]),
        helper.make_node("Split", [f"{prefix}.blocks"], places, axis=2, num_outputs=per_byte),
        *(
            helper.make_node("Squeeze", [place, place_axis.output[0]], [f"{prefix}.activations_{number}"])
            for number, place in enumerate(places)
        ),
    ]


def _block_sums(prefix: str, bits: int) -> list[NodeProto]:
    """Nodes inside the loop for ``{prefix}.sums``: (n_blocks, rows, batch), the sum over each block in scales."""
    nodes, terms = [], []
    for place in range(8 // bits):
        at, weight = f"{prefix}.{place}", 1 << (bits * place)
        field = f"{at}.field" if bits < 8 else f"{prefix}.packed_blocks"
        if bits < 8:
            mask = constant(f"{at}.mask", (2**bits - 1) * weight, np.uint8)
            nodes += [mask, helper.make_node("BitwiseAnd", [f"{prefix}.packed_blocks", mask.output[0]], [field])]
        nodes += [
            # Masked where it stands, the field is `weight` times the integer, and so is the integer for zero.
            constant(f"{at}.zero", 2 ** (bits - 1) * weight, np.uint8),
            helper.make_node(
                "MatMulInteger", [field, f"{prefix}.activations_{place}", f"{at}.zero"], [f"{at}.product"]
            ),
            helper.make_node("Cast", [f"{at}.product"], [f"{at}.weighted"], to=TensorProto.FLOAT),
            constant(f"{at}.weight", 1 / weight, np.float32),
            helper.make_node("Mul", [f"{at}.weighted", f"{at}.weight"], [f"{at}.term"]),
        ]
        terms.append(f"{at}.term")
    return [*nodes, helper.make_node("Sum", terms, [f"{prefix}.sums"])]


def _without_padding(given: str, output: str, prefix: str, chunks: Chunks) -> list[NodeProto]:
    """Nodes that cut the scores of the rows that fill up the last chunk; ``given`` has shape ``(batch, rows)``."""
    bounds = [constant(f"{prefix}.{key}", [value]) for key, value in (("first", 0), ("n", chunks.n_rows), ("by", 1))]
    return [*bounds, helper.make_node("Slice", [given, *(bound.output[0] for bound in bounds)], [output])]
