"""A graph's loop over a large table, some rows at a time, so that no decoded copy of the whole table ever exists.

ONNX Runtime folds constants when it loads a graph: a ``Cast`` of an fp16 table would become an fp32 table in
memory, and a ``MatMul`` with a constant table keeps a second, re-ordered one. Inside this loop the table is cut at
places known at run time only, so that it is neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper

from paretoopt.compression.graph_parts import constant

# Decoded rows that stay in a core's cache: on a table of 200,000 x 64 in fp16, 1,000 to 8,000 rows take the same
# time, and the memory for them grows from 28 to 32 MiB.
_CHUNK_BYTES = 2**19


@dataclass(frozen=True)
class Chunks:
    """How the rows of a table are cut into chunks of one size; the table is stored with zeros up to a full chunk.

    Attributes:
        n_rows: Rows of the table.
        size: Rows of a chunk.
        count: Chunks.
    """

    n_rows: int
    size: int
    count: int

    def padded(self, rows: NDArray[Any]) -> NDArray[Any]:
        """``rows`` with rows of zeros up to a full chunk."""
        missing = self.count * self.size - len(rows)
        return np.concatenate([rows, np.zeros((missing, *rows.shape[1:]), dtype=rows.dtype)]) if missing else rows


def chunks_of(n_rows: int, width: int) -> Chunks:
    """The fewest equal chunks whose decoded rows of ``width`` values fit into a core's cache.

    >>> chunks_of(5_000, 64)
    Chunks(n_rows=5000, size=1667, count=3)
    """
    count = -(-n_rows // max(1, _CHUNK_BYTES // (4 * width)))
    return Chunks(n_rows, -(-n_rows // count), count)


def chunk_slice(source: str, output: str, prefix: str) -> NodeProto:
    """The node inside the loop that cuts the current chunk's rows out of ``source``."""
    return helper.make_node("Slice", [source, f"{prefix}.start", f"{prefix}.end", f"{prefix}.rows_axis"], [output])


def loop(chunks: Chunks, prefix: str, body: Sequence[NodeProto], part_shape: Sequence[int | str]) -> list[NodeProto]:
    """Nodes that compute ``{prefix}.parts``, shape ``(count, *part_shape)``: what ``body`` gives for each chunk.

    Args:
        chunks: How the table is cut.
        prefix: Starts every name.
        body: Nodes that compute the fp32 value ``{prefix}.part`` from what :func:`chunk_slice` gives.
        part_shape: Shape of that value.
    """
    cut = [
        constant(f"{prefix}.size", [chunks.size]),
        constant(f"{prefix}.rows_axis", [0]),
        helper.make_node("Add", [f"{prefix}.start", f"{prefix}.size"], [f"{prefix}.end"]),
    ]
    graph = helper.make_graph(
        [*cut, *body],
        f"{prefix}.chunk",
        [helper.make_tensor_value_info(f"{prefix}.start", TensorProto.INT64, [1])],
        [helper.make_tensor_value_info(f"{prefix}.part", TensorProto.FLOAT, list(part_shape))],
    )
    starts = constant(f"{prefix}.starts", [[number * chunks.size] for number in range(chunks.count)])
    scan = helper.make_node("Scan", [starts.output[0]], [f"{prefix}.parts"], body=graph, num_scan_inputs=1)
    return [starts, scan]
