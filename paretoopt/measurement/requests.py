"""Requests of a deployment: named arrays, stacked along their first axis."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError

Requests = Mapping[str, NDArray[np.generic]]
"""Inputs by name; request i is ``{name: array[i : i + 1]}``."""


def count_requests(requests: Requests) -> int:
    """How many requests the arrays hold.

    Raises:
        MeasurementError: There are none, the arrays differ in length, or one holds Python objects.
    """
    lengths = {name: np.shape(array)[0] if np.ndim(array) else 0 for name, array in requests.items()}
    if not lengths or min(lengths.values()) == 0:
        raise MeasurementError(f"there are no requests to serve: the inputs have lengths {lengths}. Give one at least.")
    if len(set(lengths.values())) > 1:
        raise MeasurementError(
            f"all inputs need the same number of requests, but their lengths are {lengths}. Stack them along axis 0."
        )
    for name, array in requests.items():
        if array.dtype.hasobject:
            raise MeasurementError(f"input {name!r} holds Python objects. Give an array of numbers, bools or strings.")
    return next(iter(lengths.values()))


def write_requests(folder: Path, requests: Requests, *, selection: NDArray[np.int64] | None = None) -> None:
    """Write the (selected) requests where ``read_requests`` finds them."""
    for name, array in requests.items():
        chosen = array if selection is None else array[selection]
        np.save(folder / f"request-{name.encode().hex()}.npy", np.ascontiguousarray(chosen), allow_pickle=False)


def read_requests(folder: Path) -> dict[str, NDArray[np.generic]]:
    """Map the written requests into memory; the pages are the file's and count as nobody's private memory."""
    paths = sorted(folder.glob("request-*.npy"))
    return {bytes.fromhex(path.stem.partition("-")[2]).decode(): _mapped(path) for path in paths}


def mapped_bytes(folder: Path) -> int:
    """The memory that ``read_requests`` maps: whole pages of each file."""
    sizes = [path.stat().st_size for path in folder.glob("request-*.npy")]
    return sum(-(-size // mmap.PAGESIZE) * mmap.PAGESIZE for size in sizes)


def _mapped(path: Path) -> NDArray[np.generic]:
    # A plain array, because slicing numpy.memmap itself takes several microseconds.
    stacked = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    # Each page is touched now, because a page that is first touched while a request is timed counts as latency.
    stacked.reshape(-1).view(np.uint8)[:: mmap.PAGESIZE].max(initial=0)
    return stacked
