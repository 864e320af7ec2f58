"""The layers of an ONNX graph: what each holds, in how many bits, and which kernels compute with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import onnx
from onnx import NodeProto, TensorProto, helper

Kind = Literal["table", "linear", "other"]

# ``tower.0.weight``, ``tower.0.bias``, ``tower.0.weight.packed`` and ``tower.0.weight_scale`` belong to ``tower.0``.
_LAYER = re.compile(r"(?P<layer>.+?)\.(?:weight|bias)(?=$|[._])")
_LOOKUPS = ("Gather", "GatherBlockQuantized")
_PRODUCTS = ("MatMul", "Gemm", "MatMulInteger", "MatMulNBits", "QLinearMatMul", "DynamicQuantizeMatMul")
# What hands a tensor on to the operator that computes with it.
_TRANSPARENT = ("Transpose", "Reshape", "DequantizeLinear", "Cast", "Identity")
_SMALLEST_PART = 16


@dataclass(frozen=True)
class Part:
    """One layer of a graph.

    Attributes:
        layer: Its name in the model.
        kind: ``"table"`` where rows are looked up, ``"linear"`` where a matrix is multiplied.
        shape: ``(rows, width)`` of a table, ``(inputs, outputs)`` of a linear layer, of others that of its largest
            tensor. The width of a quantised table that does not score includes its padding.
        kernels: The ONNX Runtime operators that compute with its largest tensor.
        bits: Of each value in that tensor.
        n_bytes: Of all its tensors in the file.
    """

    layer: str
    kind: Kind
    shape: tuple[int, ...]
    kernels: tuple[str, ...]
    bits: int
    n_bytes: int


def parts_of(model: onnx.ModelProto) -> tuple[Part, ...]:
    """The layers of ``model`` in the order in which they are used; constants of a few values belong to none."""
    consumers = _consumers(model.graph)
    layers: dict[str, list[TensorProto]] = {}
    for tensor in model.graph.initializer:
        layer = _LAYER.match(tensor.name)
        if layer is not None or math.prod(tensor.dims) >= _SMALLEST_PART:
            layers.setdefault(layer["layer"] if layer else tensor.name, []).append(tensor)
    order = {name: position for position, name in enumerate(consumers)}
    parts = {layer: _part(layer, tensors, consumers) for layer, tensors in layers.items()}
    first = {layer: min(order.get(tensor.name, len(order)) for tensor in layers[layer]) for layer in layers}
    return tuple(parts[layer] for layer in sorted(parts, key=lambda layer: first[layer]))


def n_operators(graph: onnx.GraphProto) -> int:
    """The operators of the graph, those of its subgraphs included."""
    return sum(1 for _ in _nodes(graph))


def _part(layer: str, tensors: Sequence[TensorProto], consumers: Mapping[str, Sequence[NodeProto]]) -> Part:
    largest = max(tensors, key=lambda tensor: tensor.ByteSize())
    users = list(_users(largest.name, consumers))
    bits = next((bits for node in users if (bits := _attribute(node, "bits"))), _stored_bits(largest))
    kind: Kind = "other"
    if any(node.op_type in _LOOKUPS for node in users) and len(largest.dims) > 1:
        kind = "table"
    elif any(node.op_type in _PRODUCTS for node in users):
        kind = "linear"
    return Part(
        layer=layer,
        kind=kind,
        shape=_shape(largest, kind, users, bits),
        kernels=tuple(dict.fromkeys(node.op_type for node in users)),
        bits=bits,
        n_bytes=sum(tensor.ByteSize() for tensor in tensors),
    )


def _shape(tensor: TensorProto, kind: Kind, users: Sequence[NodeProto], bits: int) -> tuple[int, ...]:
    product = next((node for node in users if node.op_type == "MatMulNBits"), None)
    if product is not None:
        shape = (_attribute(product, "K"), _attribute(product, "N"))
        return shape[::-1] if kind == "table" else shape
    dims = tuple(tensor.dims)
    if kind == "table":
        return dims[0], math.prod(dims[1:]) * _stored_bits(tensor) // bits
    gemm = next((node for node in users if node.op_type == "Gemm"), None)
    return dims[::-1] if gemm is not None and _attribute(gemm, "transB") else dims


def _users(name: str, consumers: Mapping[str, Sequence[NodeProto]]) -> Iterator[NodeProto]:
    """The operators that compute with the value ``name``."""
    for node in consumers.get(name, ()):
        if node.op_type in _TRANSPARENT:
            yield from _users(node.output[0], consumers)
        else:
            yield node


def _consumers(graph: onnx.GraphProto) -> dict[str, list[NodeProto]]:
    """The operators that take each value, by its name."""
    consumers: dict[str, list[NodeProto]] = {}
    for node in _nodes(graph):
        for name in node.input:
            consumers.setdefault(name, []).append(node)
    return consumers


def _nodes(graph: onnx.GraphProto) -> Iterator[NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def _attribute(node: NodeProto, name: str) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == name), 0)


def _stored_bits(tensor: TensorProto) -> int:
    if tensor.data_type in (TensorProto.INT4, TensorProto.UINT4):
        return 4
    return int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize) * 8
