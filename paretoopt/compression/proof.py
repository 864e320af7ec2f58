"""The proof, taken of every candidate, that the bits are real: operators, and no fp32 copy left anywhere."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from paretoopt.artifact.artifact import MODEL_FILE
from paretoopt.artifact.tables import table_names
from paretoopt.compression.embedding_tables import bits_for
from paretoopt.compression.graph_parts import graphs_in, weights_of
from paretoopt.compression.linear_form import linear_layers
from paretoopt.errors import CandidateError

_FULL_TYPES = (TensorProto.FLOAT, TensorProto.DOUBLE)
_ERRORS_ONLY = 3
# Weights of 2 bits still correlate with the full ones by 0.9. Unrelated ones correlate by 0.8 with a probability
# below 1e-14 from 64 values on; a copy of fewer is less than 256 bytes.
_ALIKE, _FEW_VALUES = 0.8, 64
# As ONNX Runtime names the scales that it makes, and as we name ours.
_SCALES = ("_scale", ".scales", ".row_scales")


def prove_quantized(
    before: onnx.ModelProto, after: onnx.ModelProto, *, linear_bits: int, embedding_bits: int, is_static: bool = False
) -> None:
    """Raise where ``after`` is not ``before`` in the bits stated.

    The operators are counted in the graph that is saved. Copies in full precision are looked for there, and once more
    in the graph that ONNX Runtime makes of it when it loads: it works out beforehand what is constant.

    Args:
        before: The fp32 graph, in the form of :func:`~paretoopt.compression.linear_form.as_matrix_products`.
        after: The quantised graph.
        linear_bits: 32, 8 or 4.
        embedding_bits: 32, 16, 8, 4 or 2.
        is_static: Whether the linear layers were calibrated.

    Raises:
        CandidateError: An operator is missing, or a copy is left.
    """
    bits = f"linear_bits={linear_bits}, embedding_bits={embedding_bits}"
    loaded = _as_loaded(after)
    wanted = expected_operators(before, linear_bits=linear_bits, embedding_bits=embedding_bits, is_static=is_static)
    found = Counter(node.op_type for node in (loaded if is_static else after).graph.node)
    found["GatherBlockQuantized"] = sum(node.op_type == "GatherBlockQuantized" for node in after.graph.node)
    missing = {name: count - found[name] for name, count in wanted.items() if found[name] < count}
    if missing:
        raise CandidateError(f"{bits}: the graph lacks {missing}, which compute in these bits. Please report it.")
    quantized = _quantized_weights(before, linear_bits=linear_bits, embedding_bits=embedding_bits)
    # The bias and the scales of a trained layer may well go with the one column of weights that reads the layer.
    full = dict(_full_tensors(before))
    beside = [tensor for tensor in full.values() if tensor.ndim == 1]
    beside += [tensor for name, tensor in _full_tensors(after) if name.endswith(_SCALES) and name not in full]
    for where, graph in (("saved", after), ("loaded", loaded)):
        copies = full_copies(graph, quantized, beside=beside)
        if copies:
            raise CandidateError(
                f"{bits}: the {where} graph holds {', '.join(copies)} in full precision. Please report it."
            )


def expected_operators(
    before: onnx.ModelProto, *, linear_bits: int, embedding_bits: int, is_static: bool = False
) -> Counter[str]:
    """How often each quantised operator must stand in the graph for ``before`` at least."""
    wanted: Counter[str] = Counter()
    if linear_bits != 32:
        kernel = "MatMulNBits" if linear_bits == 4 else "QLinearMatMul" if is_static else "MatMulInteger"
        wanted[kernel] += len(linear_layers(before))
    if embedding_bits != 32:
        for name in table_names(before):
            lookups = sum(node.op_type == "Gather" and node.input[0] == name for node in before.graph.node)
            is_half = bits_for(weights_of(before, name).shape[1], embedding_bits) == 16
            wanted["Gather" if is_half else "GatherBlockQuantized"] += lookups
    return wanted


def full_copies(
    model: onnx.ModelProto,
    quantized: Mapping[str, NDArray[np.float32]],
    *,
    beside: Sequence[NDArray[np.floating]] = (),
) -> tuple[str, ...]:
    """The names of those ``quantized`` weights of which ``model`` holds a copy in full precision, rounded or not.

    Args:
        model: Where to look.
        quantized: Weights by name.
        beside: Biases and scales that ``model`` may hold, however much they resemble weights.
    """
    known = {tensor.tobytes() for tensor in beside}
    tensors = [tensor for _, tensor in _full_tensors(model) if tensor.tobytes() not in known]
    return tuple(name for name, weights in quantized.items() if any(_is_copy(tensor, weights) for tensor in tensors))


def _quantized_weights(
    before: onnx.ModelProto, *, linear_bits: int, embedding_bits: int
) -> dict[str, NDArray[np.float32]]:
    names = [layer.weights for layer in linear_layers(before)] if linear_bits != 32 else []
    names += table_names(before) if embedding_bits != 32 else ()
    return {name: weights_of(before, name) for name in names}


def _full_tensors(model: onnx.ModelProto) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Every stored fp32 or fp64 tensor of more than one value, by name; inner graphs and constants included."""
    for graph in graphs_in(model.graph):
        constants = (attribute.t for node in graph.node for attribute in node.attribute if attribute.HasField("t"))
        for tensor in (*graph.initializer, *constants):
            if tensor.data_type in _FULL_TYPES and np.prod(tensor.dims) > 1:
                yield tensor.name, numpy_helper.to_array(tensor)


def _is_copy(tensor: NDArray[np.floating], weights: NDArray[np.float32]) -> bool:
    """Whether ``tensor`` holds ``weights``, in either direction, rounded, scaled, or with rows of padding."""
    if weights.size < _FEW_VALUES or tensor.size < weights.size or weights.std() == 0:
        return False
    return any(
        abs(np.corrcoef(tensor.reshape(-1)[: weights.size], either.reshape(-1))[0, 1]) > _ALIKE
        for either in (weights, weights.T)
        if tensor.shape[-1] == either.shape[-1]
    )


def _as_loaded(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` as ONNX Runtime has it in memory."""
    with tempfile.TemporaryDirectory() as folder:
        given, loaded = Path(folder) / MODEL_FILE, Path(folder) / "loaded.onnx"
        onnx.save(model, given)
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(loaded)
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = 1
        onnxruntime.InferenceSession(str(given), options, providers=["CPUExecutionProvider"])
        return onnx.load(loaded)
