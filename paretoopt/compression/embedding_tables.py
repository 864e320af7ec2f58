"""Embedding tables of an ONNX graph in 16, 8, 4 or 2 bits, each stored once.

A table of 8, 4 or 2 bits is looked up by ``GatherBlockQuantized``; one of 16 bits by ``Gather``, and a ``Cast`` of
the rows that were looked up. Where a table also scores (tied weights), :mod:`paretoopt.compression.tied_scores`
computes the scores from the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto

from paretoopt.artifact.tables import table_names
from paretoopt.compression.blocks import Range, quantize_blocks
from paretoopt.compression.graph_parts import (
    add_initializers,
    allow_contrib_operators,
    copy_of,
    drop_unread,
    output_ranks,
    replace_nodes,
    weights_of,
)
from paretoopt.compression.stored_tables import StoredTable, in_blocks, in_half, in_rows
from paretoopt.compression.tied_scores import Scoring
from paretoopt.errors import CandidateError


def quantize_tables(
    model: onnx.ModelProto,
    bits: int,
    *,
    block_size: int | None = None,
    scale_range: Range = "mse",
    scoring: Scoring = "auto",
) -> onnx.ModelProto:
    """A copy of ``model`` whose embedding tables have ``bits`` bits.

    Rows so short that their scale would outweigh what the bits save have 16 bits (:func:`bits_for`).

    Args:
        model: In the form of :func:`~paretoopt.compression.linear_form.as_matrix_products`.
        bits: 16, 8, 4 or 2.
        block_size: Values per scale; None for the whole row where the kernels can.
        scale_range: How far a block's integers reach.
        scoring: How a table that also scores does so.

    Raises:
        CandidateError: There is no table, it holds NaN or infinity, or one is used in a way that has
            no quantised kernel.
    """
    names = table_names(model)
    if not names:
        raise CandidateError(
            f"embedding_bits={bits}, but the graph has no embedding table (no Gather over an fp32 matrix). "
            "Leave embedding_bits out of the space."
        )
    copy = copy_of(model)
    ranks = output_ranks(model)
    for name in names:
        table = _checked_table(copy, name, bits)
        kept, is_tied = bits_for(table.shape[1], bits), bool(_products(copy, name))
        if kept == 16:
            stored = in_half(name, table, is_tied=is_tied)
        else:
            quantized = quantize_blocks(table, kept, block_size=block_size, scale_range=scale_range)
            tied = partial(in_blocks, rank_of=ranks, scoring=scoring)
            stored = tied(name, quantized) if is_tied else in_rows(name, quantized)
        _put(copy, name, stored, bits=bits, ranks=ranks)
    allow_contrib_operators(copy)
    return copy


def bits_for(width: int, bits: int) -> int:
    """``bits``, or 16 where a row of ``width`` values with its scale would take as many bytes as in 16 bits.

    >>> [bits_for(width, 8) for width in (1, 4, 5, 64)]
    [16, 16, 8, 8]
    """
    return 16 if -(-width * bits // 8) + 4 >= 2 * width else bits


def _checked_table(model: onnx.ModelProto, name: str, bits: int) -> NDArray[np.float32]:
    table: NDArray[np.float32] = weights_of(model, name)
    if not np.isfinite(table).all():
        raise CandidateError(f"table {name} holds NaN or infinity, so it cannot be quantised. Train it anew.")
    if bits == 16 and np.abs(table).max(initial=0) > np.finfo(np.float16).max:
        raise CandidateError(f"table {name} holds values beyond 65504, the largest of 16 bits. Use other bits.")
    return table


def _put(model: onnx.ModelProto, name: str, stored: StoredTable, *, bits: int, ranks: Mapping[str, int]) -> None:
    """Put ``stored`` in the place of the fp32 table ``name``."""
    products, transposes = _products(model, name), _transposes(model, name)
    add_initializers(model, stored.arrays)
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[0] == name:
            nodes.extend(stored.lookup(node))
        elif stored.score and node.output[0] in products:
            if stored.one_vector and ranks.get(node.input[0]) != 2:
                raise CandidateError(
                    f"embedding_bits={bits}: table {name} scores several vectors of a request at once. Score one "
                    "vector, of shape (batch, width), for each request."
                )
            nodes.extend(stored.score(node))
        elif node.output[0] not in transposes:
            nodes.append(node)
    replace_nodes(model, nodes)
    _refuse_leftovers(model, name, {name, *transposes}, bits)
    drop_unread(model)


def _transposes(model: onnx.ModelProto, name: str) -> set[str]:
    return {node.output[0] for node in model.graph.node if node.op_type == "Transpose" and node.input[0] == name}


def _products(model: onnx.ModelProto, name: str) -> set[str]:
    """The outputs of the products with the transposed table."""
    transposes = _transposes(model, name)
    return {node.output[0] for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in transposes}


def _refuse_leftovers(model: onnx.ModelProto, name: str, values: set[str], bits: int) -> None:
    leftovers = sorted({node.op_type for node in model.graph.node if values & set(node.input)})
    if leftovers:
        raise CandidateError(
            f"embedding_bits={bits}: table {name} is also used by {', '.join(leftovers)}, which has no quantised "
            "kernel, so an fp32 copy would remain. Use nn.Embedding for lookups and `x @ table.weight.T` for scores."
        )
