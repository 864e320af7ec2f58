"""Linear layers of an ONNX graph in 8 bits, with ONNX Runtime's dynamic quantisation."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

from paretoopt.errors import CandidateError

_LINEAR = ("MatMul", "Gemm")
_INTEGER_KERNEL = "MatMulInteger"


def quantize_linear_layers(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of ``model`` whose linear layers have 8-bit weights, one scale per output channel.

    Activations are quantised as they come. Products of two activations (attention) and products
    with an embedding table stay as they are.

    Raises:
        CandidateError: No layer could be quantised.
    """
    with tempfile.TemporaryDirectory() as folder, _without_advice():
        path = Path(folder) / "model.onnx"
        quantize_dynamic(model, path, op_types_to_quantize=list(_LINEAR), per_channel=True, weight_type=QuantType.QInt8)
        quantized = onnx.load(path)
    if all(node.op_type != _INTEGER_KERNEL for node in quantized.graph.node):
        raise CandidateError(
            "linear_bits=8, but the graph has no linear layer to quantise (no MatMul or Gemm with constant weights). "
            "Leave linear_bits out of the space."
        )
    return quantized


@contextmanager
def _without_advice() -> Iterator[None]:
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
