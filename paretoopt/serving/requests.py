"""From the body of a request to arrays that the model can take, or the reason why it cannot.

Nothing goes to the runtime unchecked: its quantised tables answer ids beyond their end without an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = {"i": "iu", "u": "iu", "f": "iuf", "b": "b", "U": "U"}
"""The kinds of arrays from JSON that make an input of a kind."""
_NAMES = {"i": "whole numbers", "u": "whole numbers", "f": "numbers", "b": "true or false", "U": "texts"}


class RefusalError(Exception):
    """A request that cannot be answered, with the HTTP status that says whose fault it is."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        """Say in ``message`` what is wrong; ``retry_after`` is in seconds."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True)
class InputPort:
    """What the model takes under one name.

    Attributes:
        name: Its name.
        dtype: Type of its values.
        sizes: Sizes of one request's array; None where requests differ.
        least: The least whole number; None where any will do.
        most: The greatest, or one for each place along the last axis; None where any will do.
    """

    name: str
    dtype: np.dtype[Any]
    sizes: tuple[int | None, ...]
    least: int | None = None
    most: int | tuple[int, ...] | None = None


def input_port(name: str, described: Mapping[str, Any]) -> InputPort:
    """The port that a manifest describes."""
    sizes = tuple(size if isinstance(size, int) and size > 0 else None for size in described["shape"][1:])
    held = described["range"]
    dtype: np.dtype[Any] = np.dtype(described["dtype"])
    if held is None:
        return InputPort(name, dtype, sizes)
    most = tuple(held["most"]) if isinstance(held["most"], list) else held["most"]
    return InputPort(name, dtype, sizes, held["least"], most)


def parse_inputs(body: bytes, ports: Sequence[InputPort], *, max_rows: int) -> dict[str, NDArray[Any]]:
    """The arrays of the body ``{"inputs": {name: one array per request}}``.

    Raises:
        RefusalError: 400 where the body is no JSON, 422 where it is not what the model takes.
    """
    given = _inputs(body)
    names = [port.name for port in ports]
    if given.keys() != set(names):
        raise RefusalError(
            422, f"inputs holds {[name[:40] for name in sorted(given)[:8]]}, but the model takes {names}"
        )
    arrays = {port.name: _array(given[port.name], port) for port in ports}
    rows = {name: len(array) for name, array in arrays.items()}
    if len(set(rows.values())) > 1:
        raise RefusalError(422, f"inputs differ in their number of requests: {rows}")
    n_rows = next(iter(rows.values()))
    if not 1 <= n_rows <= max_rows:
        raise RefusalError(422, f"there are {n_rows} requests, but a body may hold 1 to {max_rows}")
    return arrays


def _inputs(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RefusalError(400, f"the body is no JSON: {reason}") from error
    inputs = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(inputs, dict):
        raise RefusalError(422, 'the body must be {"inputs": {name: [one array per request, ...], ...}}')
    return inputs


def _array(values: object, port: InputPort) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError, RecursionError) as error:
        raise RefusalError(422, f"{port.name} must be an array whose rows have one shape") from error
    # Among numbers, numpy takes true for 1.
    mixes = array.dtype.kind in "iuf" and _holds_truth(values)
    if mixes or (array.dtype.kind not in _KINDS[port.dtype.kind] and not (array.size == 0 and array.ndim)):
        raise RefusalError(422, f"{port.name} must hold {_NAMES[port.dtype.kind]}")
    _refuse_shape(array, port)
    _refuse_range(array, port)
    return _converted(array, port)


def _holds_truth(values: object) -> bool:
    if isinstance(values, list):
        return (
            any(map(_holds_truth, values)) if values and isinstance(values[0], list) else bool in set(map(type, values))
        )
    return isinstance(values, bool)


def _refuse_shape(array: NDArray[Any], port: InputPort) -> None:
    fits = array.ndim == 1 + len(port.sizes)
    if not fits or any(size not in (None, actual) for size, actual in zip(port.sizes, array.shape[1:], strict=True)):
        wanted = ", ".join(["requests", *("any" if size is None else str(size) for size in port.sizes)])
        raise RefusalError(422, f"{port.name} has shape {list(array.shape)}, but the model takes [{wanted}]")


def _refuse_range(array: NDArray[Any], port: InputPort) -> None:
    if port.least is None or port.most is None or array.size == 0:
        return
    most = np.asarray(port.most)
    if most.ndim and array.shape[-1:] != most.shape:
        raise RefusalError(422, f"{port.name} needs {len(most)} values along its last axis")
    if (array < port.least).any() or (array > most).any():
        raise RefusalError(422, f"{port.name} must hold whole numbers from {port.least} to {_listed(port.most)}")


def _listed(most: int | tuple[int, ...]) -> str:
    return str(most) if isinstance(most, int) else f"{list(most)}, place by place"


def _converted(array: NDArray[Any], port: InputPort) -> NDArray[Any]:
    if port.dtype.kind in "iu" and array.size:
        limits = np.iinfo(port.dtype)
        if int(array.min()) < limits.min or int(array.max()) > limits.max:
            raise RefusalError(422, f"{port.name} must hold whole numbers from {limits.min} to {limits.max}")
    with np.errstate(over="ignore"):
        converted: NDArray[Any] = array.astype(port.dtype)
    if port.dtype.kind == "f" and not np.isfinite(converted).all():
        raise RefusalError(422, f"{port.name} must hold finite numbers that fit into {port.dtype}")
    return np.ascontiguousarray(converted)
