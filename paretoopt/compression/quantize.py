"""The quantisation stage: bit-widths of linear layers and embedding tables, each with a real kernel."""

from __future__ import annotations

from collections.abc import Callable

import onnx

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.artifact.tables import table_names
from paretoopt.compression.embedding_tables import quantize_tables
from paretoopt.compression.linear_layers import quantize_linear_layers
from paretoopt.errors import CandidateError
from paretoopt.pipeline.stage import Context, Stage
from paretoopt.space import Parameter, Params, Value

LINEAR_BITS = (32, 8)
EMBEDDING_BITS = (32, 8, 4)


def quantize() -> Stage:
    """The stage that quantises an exported artifact's weights after training.

    It reads ``linear_bits`` (32 or 8: ``quantize_dynamic`` of ONNX Runtime) and ``embedding_bits``
    (32, 8 or 4: ``GatherBlockQuantized``, and ``MatMulNBits`` where the table also scores).
    """
    return Stage(
        name="quantize",
        run=_run,
        save=save_graph,
        load=load_artifact,
        reads=(
            Parameter("linear_bits", default=32, refuse=_refuse_others(LINEAR_BITS)),
            Parameter("embedding_bits", default=32, refuse=_refuse_others(EMBEDDING_BITS)),
        ),
        is_active=lambda params: params["linear_bits"] != 32 or params["embedding_bits"] != 32,
    )


def quantize_graph(model: onnx.ModelProto, *, linear_bits: int, embedding_bits: int) -> onnx.ModelProto:
    """A copy of ``model`` with the bit-widths stated; 32 leaves that part as it is.

    Raises:
        CandidateError: A part has nothing to quantise, or an fp32 copy of it would remain.
    """
    if linear_bits == 8:
        model = quantize_linear_layers(model)
    if embedding_bits != 32:
        model = quantize_tables(model, embedding_bits)
        _refuse_full_tables(model, embedding_bits)
    return model


def _run(artifact: Artifact, params: Params, context: Context) -> onnx.ModelProto:
    return quantize_graph(
        onnx.load(artifact.model_path),
        linear_bits=int(params["linear_bits"]),
        embedding_bits=int(params["embedding_bits"]),
    )


def _refuse_full_tables(model: onnx.ModelProto, bits: int) -> None:
    kernels = {node.op_type for node in model.graph.node}
    if table_names(model) or "GatherBlockQuantized" not in kernels:
        raise CandidateError(f"embedding_bits={bits} left an embedding table in fp32. Please report this graph.")


def _refuse_others(allowed: tuple[int, ...]) -> Callable[[Value], str | None]:
    """Refuses every bit-width but those that have a kernel."""

    def refuse(value: Value) -> str | None:
        if value in allowed and not isinstance(value, bool):
            return None
        return f"ONNX Runtime has no kernel for it. Use {', '.join(map(str, allowed))}."

    return refuse
