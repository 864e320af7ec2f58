"""Linear layers of an ONNX graph in 8 bits with dynamic quantisation, and in 4 bits in blocks."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from paretoopt.compression.block_products import block_arrays, block_product
from paretoopt.compression.blocks import Range, quantize_blocks
from paretoopt.compression.graph_parts import (
    add_initializers,
    allow_contrib_operators,
    copy_of,
    drop_unread,
    replace_nodes,
    weights_of,
)
from paretoopt.compression.linear_form import LinearLayer, linear_layers
from paretoopt.errors import CandidateError


def quantize_dynamically(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of ``model`` whose linear layers have 8-bit weights, one scale per output channel.

    Activations are quantised as they come. Products of two activations (attention) and products
    with an embedding table stay as they are.

    Args:
        model: In the form of :func:`~paretoopt.compression.linear_form.as_matrix_products`.

    Raises:
        CandidateError: There is no linear layer, or its weights hold NaN or infinity.
    """
    layers = checked_layers(model, bits=8)
    with tempfile.TemporaryDirectory() as folder, without_advice():
        path = Path(folder) / "model.onnx"
        quantize_dynamic(
            copy_of(model),
            path,
            nodes_to_quantize=[layer.node for layer in layers],
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(path)


def quantize_in_blocks(
    model: onnx.ModelProto, *, block_size: int | None = None, scale_range: Range = "mse"
) -> onnx.ModelProto:
    """A copy of ``model`` whose linear layers have 4-bit weights (``MatMulNBits``).

    An output channel is a row of :func:`~paretoopt.compression.blocks.quantize_blocks`. Layers of any width are
    taken, pruned ones included: the kernel pads them to whole blocks.

    Args:
        model: In the form of :func:`~paretoopt.compression.linear_form.as_matrix_products`.
        block_size: Inputs per scale; None for the whole channel where kernels can.
        scale_range: How far a block's integers reach.

    Raises:
        CandidateError: There is no linear layer, or its weights hold NaN or infinity.
    """
    layers = checked_layers(model, bits=4)
    copy = copy_of(model)
    quantized = {
        name: quantize_blocks(
            np.ascontiguousarray(weights_of(model, name).T), 4, block_size=block_size, scale_range=scale_range
        )
        for name in {layer.weights for layer in layers}
    }
    for name, table in quantized.items():
        add_initializers(copy, block_arrays(name, table))
    replaced = {layer.node: layer.weights for layer in layers}
    replace_nodes(
        copy,
        [
            block_product(node.input[0], node.output[0], replaced[node.name], quantized[replaced[node.name]])
            if node.name in replaced
            else node
            for node in copy.graph.node
        ],
    )
    drop_unread(copy)
    allow_contrib_operators(copy)
    return copy


def checked_layers(model: onnx.ModelProto, *, bits: int) -> tuple[LinearLayer, ...]:
    """The linear layers of ``model``, at least one, all of finite weights.

    Raises:
        CandidateError: There is no linear layer, or its weights hold NaN or infinity.
    """
    layers = linear_layers(model)
    if not layers:
        raise CandidateError(
            f"linear_bits={bits}, but the graph has no linear layer to quantise (no MatMul or Gemm with constant "
            "weights). Leave linear_bits out of the space."
        )
    for layer in layers:
        if not np.isfinite(weights_of(model, layer.weights)).all():
            raise CandidateError(
                f"linear_bits={bits}: the weights {layer.weights} hold NaN or infinity, so they cannot be quantised. "
                "Train the model anew."
            )
    return layers


@contextmanager
def without_advice() -> Iterator[None]:
    """Keep ONNX Runtime from advising on the root logger to optimise the graph first.

    That would merge nodes which the embedding tables' quantisation looks for; the runtime does the
    same merging itself when it loads the artifact.
    """

    def refuse(record: logging.LogRecord) -> bool:
        return "pre-processing before quantization" not in record.getMessage()

    root = logging.getLogger()
    root.addFilter(refuse)
    try:
        yield
    finally:
        root.removeFilter(refuse)
