"""The names of an exported graph's weights: those that the model gives them, each with a copy of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, numpy_helper

Weights = Mapping[str, NDArray[np.generic]]
"""The model's parameters and buffers by name."""

_SCOPES = "pkg.torch.onnx.name_scopes"


def name_weights(model: onnx.ModelProto, weights: Weights, first_names: Mapping[str, str]) -> None:
    """Give the initializers of ``model`` the names of the model's weights.

    torch's exporter transposes weights under names of its own, and lets weights that are equal by value share one
    initializer: in an untrained model most norms and biases are. Then the file's size would depend on training.

    Args:
        model: Fresh from torch's exporter, which notes each node's module.
        weights: The parameters and buffers.
        first_names: For tied weights, which are in ``weights`` under several names, the one to use.
    """
    graph = model.graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    replaced: set[str] = set()
    for node in graph.node:
        own = _of_module(_module_of(node), weights)
        for position, name in enumerate(node.input):
            tensor = tensors.get(name)
            weight = _matching(tensor, own, taken=node.input) if tensor is not None else None
            proper = first_names.get(weight, weight) if weight is not None else None
            if tensor is None or proper is None or proper == name:
                continue
            there = tensors.setdefault(proper, _renamed(tensor, proper))
            if _is_equal(there, tensor):
                node.input[position] = proper
                replaced.add(name)
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    kept = [tensor for name, tensor in tensors.items() if name in used or name not in replaced]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def strip_notes(model: onnx.ModelProto) -> None:
    """Remove what torch's exporter notes for debugging: source lines and the like, up to two thirds of a small file."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _module_of(node: NodeProto) -> str | None:
    """The path of the module that the node comes from; None where it is not noted."""
    for note in node.metadata_props:
        if note.key == _SCOPES:
            scopes = ast.literal_eval(note.value)
            return str(scopes[-2]) if len(scopes) > 1 else None
    return None


def _of_module(path: str | None, weights: Weights) -> dict[str, NDArray[np.generic]]:
    """The weights of the module at ``path``, without those of modules inside it."""
    if path is None:
        return {}
    return {name: weight for name, weight in weights.items() if name.rpartition(".")[0] == path}


def _matching(tensor: TensorProto, own: Weights, *, taken: Iterator[str] | list[str]) -> str | None:
    """The weight among ``own`` that ``tensor`` holds, as it is or transposed; the tensor's own name first."""
    candidates = [name for name in own if name == tensor.name or name not in taken]
    if not candidates or np.prod(tensor.dims) <= 1:
        return None
    values = numpy_helper.to_array(tensor)
    for name in sorted(candidates, key=lambda name: name != tensor.name):
        if any(np.array_equal(values, layout) for layout in (own[name], own[name].T)):
            return name
    return None


def _renamed(tensor: TensorProto, name: str) -> TensorProto:
    copy = TensorProto()
    copy.CopyFrom(tensor)
    copy.name = name
    return copy


def _is_equal(one: TensorProto, other: TensorProto) -> bool:
    return one.dims == other.dims and np.array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))
