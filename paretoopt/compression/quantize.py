"""The quantisation stage: bit-widths of linear layers and embedding tables, each with a real kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import onnx

from paretoopt.artifact.artifact import Artifact, load_artifact, save_graph
from paretoopt.compression.blocks import RANGES, SMALLEST_BLOCK, Range
from paretoopt.compression.embedding_tables import quantize_tables
from paretoopt.compression.linear_form import as_matrix_products
from paretoopt.compression.linear_layers import quantize_dynamically, quantize_in_blocks
from paretoopt.compression.proof import prove_quantized
from paretoopt.compression.static_layers import CALIBRATIONS, Calibration, quantize_statically
from paretoopt.compression.tied_scores import SCORINGS, Scoring
from paretoopt.errors import PipelineError
from paretoopt.pipeline.stage import Context, Requests, Stage, request_count, requests_fingerprint
from paretoopt.space import Parameter, Params, Value

LINEAR_BITS = (32, 8, 4)
EMBEDDING_BITS = (32, 16, 8, 4, 2)

Linear = Literal["dynamic", "static"]
LINEARS: tuple[Linear, ...] = ("dynamic", "static")


@dataclass(frozen=True)
class QuantizationRules:
    """How the bits are made, the same for all candidates of a pipeline.

    Attributes:
        block_size: Values per scale of 8-, 4- and 2-bit tables and of 4-bit linear layers, a power of two from 16 on;
            None for the whole row where the kernels can.
        range: How far a block's integers reach: ``"mse"`` for the least squared error, ``"minmax"`` for the
            block's extreme value.
        linear: How 8-bit linear layers quantise what they are given: ``"dynamic"`` by its range in each
            request, ``"static"`` by a range that is calibrated beforehand.
        calibration: For ``"static"``, how calibrated values become a range.
        scoring: How a table that also scores does so: ``"packed"`` is fast and holds the packed table twice in
            memory, ``"chunks"`` holds it once; ``"auto"`` takes the one that measured best at each width.

    Raises:
        PipelineError: A rule is none of these.
    """

    block_size: int | None = None
    range: Range = "mse"
    linear: Linear = "dynamic"
    calibration: Calibration = "minmax"
    scoring: Scoring = "auto"

    def __post_init__(self) -> None:
        """Refuse what is not offered."""
        _refuse_unknown("range", self.range, RANGES)
        _refuse_unknown("linear", self.linear, LINEARS)
        _refuse_unknown("calibration", self.calibration, CALIBRATIONS)
        _refuse_unknown("scoring", self.scoring, SCORINGS)
        size = self.block_size
        if size is not None and (type(size) is not int or size < SMALLEST_BLOCK or size & (size - 1)):
            raise PipelineError(
                f"block_size={size!r} has no kernel. Use a power of two from {SMALLEST_BLOCK} on, or None."
            )


def quantize(
    *,
    block_size: int | None = None,
    range: Range = "mse",
    linear: Linear = "dynamic",
    calibration: Calibration = "minmax",
    calibration_requests: Requests | None = None,
    scoring: Scoring = "auto",
) -> Stage:
    """The stage that quantises an exported artifact's weights after training.

    It reads ``linear_bits`` (32; 8: ``quantize_dynamic`` of ONNX Runtime, or ``quantize_static``; 4: ``MatMulNBits``)
    and ``embedding_bits`` (32; 16: fp16 rows; 8, 4 or 2: ``GatherBlockQuantized``). Every artifact is proven to hold
    these operators and no copy in full precision. All arguments are for experts; the defaults measured best
    (docs/results/quantisation_ranges.md).

    Args:
        block_size: See :class:`QuantizationRules`, as for the others.
        range: As above.
        linear: As above.
        calibration: As above.
        calibration_requests: For ``linear="static"``, real requests to calibrate on: a hundred or so, and none of
            those that quality is measured on. They are part of the stage's key.
        scoring: As above.

    Raises:
        PipelineError: An argument is not offered, or calibration lacks its requests.
    """
    rules = QuantizationRules(block_size, range, linear, calibration, scoring)
    _refuse_calibration(linear, calibration_requests)

    def run(artifact: Artifact, params: Params, context: Context) -> onnx.ModelProto:
        return quantize_graph(
            onnx.load(artifact.model_path),
            linear_bits=int(params["linear_bits"]),
            embedding_bits=int(params["embedding_bits"]),
            rules=rules,
            calibration_requests=calibration_requests,
        )

    return Stage(
        name="quantize",
        run=run,
        save=save_graph,
        load=load_artifact,
        reads=(
            Parameter("linear_bits", default=32, refuse=_refuse_others(LINEAR_BITS)),
            Parameter("embedding_bits", default=32, refuse=_refuse_others(EMBEDDING_BITS)),
        ),
        is_active=lambda params: params["linear_bits"] != 32 or params["embedding_bits"] != 32,
        settings=_settings(rules, calibration_requests),
        version="2",
    )


def quantize_graph(
    model: onnx.ModelProto,
    *,
    linear_bits: int,
    embedding_bits: int,
    rules: QuantizationRules | None = None,
    calibration_requests: Requests | None = None,
) -> onnx.ModelProto:
    """A copy of ``model`` with the bit-widths stated; 32 leaves that part as it is.

    Raises:
        CandidateError: A part has nothing to quantise, its weights are NaN or infinite, or an fp32 copy of it
            would remain.
        PipelineError: Calibration lacks its requests.
    """
    rules = rules or QuantizationRules()
    _refuse_calibration(rules.linear, calibration_requests)
    full = as_matrix_products(model)
    quantized = full
    if linear_bits == 4:
        quantized = quantize_in_blocks(full, block_size=rules.block_size, scale_range=rules.range)
    elif linear_bits == 8 and calibration_requests is not None:
        quantized = quantize_statically(full, calibration_requests, calibration=rules.calibration)
    elif linear_bits == 8:
        quantized = quantize_dynamically(full)
    if embedding_bits != 32:
        quantized = quantize_tables(
            quantized,
            embedding_bits,
            block_size=rules.block_size,
            scale_range=rules.range,
            scoring=rules.scoring,
        )
    prove_quantized(
        full,
        quantized,
        linear_bits=linear_bits,
        embedding_bits=embedding_bits,
        is_static=linear_bits == 8 and rules.linear == "static",
    )
    return quantized


def _settings(rules: QuantizationRules, calibration_requests: Requests | None) -> dict[str, Value]:
    """What the store's key holds of the rules; the calibration sample by its content."""
    settings: dict[str, Value] = {
        "block_size": rules.block_size or "row",
        "range": rules.range,
        "linear": rules.linear,
        "scoring": rules.scoring,
    }
    if calibration_requests is not None:
        settings |= {"calibration": rules.calibration, "requests": requests_fingerprint(calibration_requests)}
    return settings


def _refuse_calibration(linear: Linear, requests: Requests | None) -> None:
    if linear == "static" and requests is None:
        raise PipelineError("linear='static' calibrates on real requests. Give calibration_requests.")
    if linear == "dynamic" and requests is not None:
        raise PipelineError("calibration_requests are for linear='static' only. Leave them out, or choose 'static'.")
    if requests is not None:
        request_count(requests)


def _refuse_unknown(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise PipelineError(f"{name}={value!r} is not offered. Use {', '.join(map(repr, known))}.")


def _refuse_others(allowed: tuple[int, ...]) -> Callable[[Value], str | None]:
    """Refuses every bit-width but those that have a kernel."""

    def refuse(value: Value) -> str | None:
        if value in allowed and not isinstance(value, bool):
            return None
        return f"ONNX Runtime has no kernel for it. Use {', '.join(map(str, allowed))}."

    return refuse
