"""Whether an exported graph gives the numbers that torch gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from paretoopt.errors import CandidateError
from paretoopt.pipeline.stage import Requests, request_count

_RELATIVE_TOLERANCE = 1e-3
_ABSOLUTE_TOLERANCE = 1e-4


def check_numbers(graph: onnx.ModelProto, module: nn.Module, requests: Requests, outputs: Sequence[str]) -> None:
    """Compare the graph's floating-point outputs with the module's: for all ``requests`` at once, and for one alone.

    Raises:
        CandidateError: They differ; the message holds the figures.
    """
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    for n_requests in dict.fromkeys((request_count(requests), 1)):
        batch = {name: np.ascontiguousarray(array[:n_requests]) for name, array in requests.items()}
        answers = session.run(list(outputs), batch)
        for name, answer, wanted in zip(outputs, answers, _torch_answers(module, batch), strict=True):
            if np.issubdtype(wanted.dtype, np.floating):
                _refuse_gap(f"{name} of {n_requests} request{'s'[: n_requests - 1]}", answer, wanted, _opset(graph))


def _torch_answers(module: nn.Module, batch: Requests) -> list[NDArray[np.generic]]:
    with torch.no_grad():
        given = module(**{name: torch.from_numpy(np.array(array)) for name, array in batch.items()})
    return [output.numpy() for output in (given if isinstance(given, tuple) else (given,))]


def _refuse_gap(what: str, answer: NDArray[np.generic], wanted: NDArray[np.generic], opset: int) -> None:
    where = f"the ONNX graph (opset {opset})"
    if answer.shape != wanted.shape:
        raise CandidateError(f"{where} gives {what} in the shape {answer.shape}, torch in {wanted.shape}.")
    if np.allclose(answer, wanted, rtol=_RELATIVE_TOLERANCE, atol=_ABSOLUTE_TOLERANCE, equal_nan=False):
        return
    given, expected = answer.astype(np.float64), wanted.astype(np.float64)
    broken = int((~np.isfinite(expected)).sum())
    if broken:
        raise CandidateError(f"torch gives {what} with {broken} of {expected.size} values NaN or infinite.")
    gap = np.abs(given - expected)
    raise CandidateError(
        f"{where} gives {what} that differ from torch's by up to {gap.max():.3g} "
        f"({gap.max() / max(np.abs(expected).max(), 1e-30):.2g} of the largest), where "
        f"{_ABSOLUTE_TOLERANCE:g} + {_RELATIVE_TOLERANCE:g} of the value is allowed."
    )


def _opset(graph: onnx.ModelProto) -> int:
    return int(next(opset.version for opset in graph.opset_import if opset.domain in ("", "ai.onnx")))
