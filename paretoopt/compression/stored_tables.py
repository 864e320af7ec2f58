"""The forms in which a quantised embedding table stands in a graph: in 16 bits, in rows, or in blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from paretoopt.compression.block_products import block_arrays, block_product
from paretoopt.compression.blocks import QuantizedTable
from paretoopt.compression.chunks import chunks_of
from paretoopt.compression.graph_parts import CONTRIB, constant
from paretoopt.compression.tied_scores import Scoring, half_scores, integer_scores, scores_in_chunks


@dataclass(frozen=True)
class StoredTable:
    """How a quantised table stands in the graph.

    Attributes:
        arrays: What the graph stores of it.
        lookup: Gives the nodes in the place of a ``Gather``.
        score: Gives the nodes in the place of a product with the transposed table; None where nothing scores by it.
        one_vector: Whether ``score`` takes activations of shape ``(batch, width)`` only.
    """

    arrays: Mapping[str, NDArray[Any]]
    lookup: Callable[[NodeProto], list[NodeProto]]
    score: Callable[[NodeProto], list[NodeProto]] | None = None
    one_vector: bool = False


def in_half(name: str, table: NDArray[np.float32], *, is_tied: bool) -> StoredTable:
    """The table in fp16; a lookup casts the rows that it finds."""
    half, rows = f"{name}.half", table.astype(np.float16)

    def lookup(node: NodeProto) -> list[NodeProto]:
        output = node.output[0]
        return [
            helper.make_node("Gather", [half, node.input[1]], [f"{output}.half"]),
            helper.make_node("Cast", [f"{output}.half"], [output], to=TensorProto.FLOAT),
        ]

    if not is_tied:
        return StoredTable({half: rows}, lookup)
    chunks = chunks_of(*table.shape)
    return StoredTable(
        {half: chunks.padded(rows)},
        lookup,
        score=lambda node: half_scores(node.input[0], node.output[0], half, chunks),
        one_vector=True,
    )


def in_rows(name: str, quantized: QuantizedTable) -> StoredTable:
    """Packed rows without padding, for lookups alone."""
    stored_width = quantized.rows.shape[1] * 8 // quantized.bits

    def lookup(node: NodeProto) -> list[NodeProto]:
        found = f"{node.output[0]}.row"
        return [_gather(name, node, found, quantized), *_narrowed(found, node.output[0], stored_width, quantized.width)]

    return StoredTable({f"{name}.packed": quantized.rows, f"{name}.row_scales": quantized.scales}, lookup)


def in_blocks(name: str, quantized: QuantizedTable, *, rank_of: Mapping[str, int], scoring: Scoring) -> StoredTable:
    """Packed blocks, padded to whole ones, for lookups and scores from the same bytes.

    Args:
        name: The table.
        quantized: Its values.
        rank_of: The number of axes of a lookup's output.
        scoring: How scores are computed. ``MatMulNBits`` reads scales of a shape of its own, so that the graph stores
            these twice.
    """
    stored_width = quantized.packed.shape[1] * quantized.block_size

    def lookup(node: NodeProto) -> list[NodeProto]:
        output = node.output[0]
        found, joined = f"{output}.blocks", f"{output}.joined"
        # A 0 keeps the axis as it is.
        shape = constant(f"{output}.shape", [*[0] * (rank_of[output] - 1), stored_width])
        return [
            _gather(name, node, found, quantized),
            shape,
            helper.make_node("Reshape", [found, shape.output[0]], [joined]),
            *_narrowed(joined, output, stored_width, quantized.width),
        ]

    row_scales: dict[str, NDArray[Any]] = {f"{name}.row_scales": quantized.scales[..., None]}
    chunks = chunks_of(len(quantized.packed), stored_width)
    if not scores_in_chunks(quantized.bits, scoring, chunks):
        return StoredTable(
            block_arrays(name, quantized) | row_scales,
            lookup,
            score=lambda node: [block_product(node.input[0], node.output[0], name, quantized)],
        )
    return StoredTable(
        {key: chunks.padded(array) for key, array in ({f"{name}.packed": quantized.packed} | row_scales).items()},
        lookup,
        score=lambda node: integer_scores(node.input[0], node.output[0], name, quantized, chunks),
        one_vector=True,
    )


def _gather(name: str, node: NodeProto, output: str, quantized: QuantizedTable) -> NodeProto:
    return helper.make_node(
        "GatherBlockQuantized",
        [f"{name}.packed", node.input[1], f"{name}.row_scales"],
        [output],
        domain=CONTRIB,
        bits=quantized.bits,
        block_size=quantized.block_size,
        gather_axis=0,
        quantize_axis=-1,
    )


def _narrowed(given: str, output: str, given_width: int, width: int) -> list[NodeProto]:
    """Nodes that cut padding off the last axis, or pass ``given`` on."""
    if given_width == width:
        return [helper.make_node("Identity", [given], [output])]
    bounds = [constant(f"{output}.{key}", [value]) for key, value in (("start", 0), ("end", width), ("axis", -1))]
    return [*bounds, helper.make_node("Slice", [given, *(bound.output[0] for bound in bounds)], [output])]
