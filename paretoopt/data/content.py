"""Content that cannot change, and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ids = NDArray[np.int64] | NDArray[np.object_]
"""Original ids, whole numbers or text; the place of an id is the dense id that stands for it."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


def read_only(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """A copy of ``array`` that cannot be written to."""
    copy = np.array(array)
    copy.setflags(write=False)
    return copy


def counted(repairs: Mapping[str, int], *more: Mapping[str, int]) -> Mapping[str, int]:
    """What was repaired, all in all: counts under the same name add up, and zeros are left out."""
    total: dict[str, int] = {}
    for counts in (repairs, *more):
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
    return MappingProxyType({name: count for name, count in total.items() if count})


def fingerprint_of(kind: str, *parts: NDArray[np.generic] | pd.DataFrame | None) -> str:
    """SHA-256 over ``parts``: the same for the same content, in every process and on every machine."""
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        for piece in _pieces(part):
            digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.hexdigest()


def _pieces(part: NDArray[np.generic] | pd.DataFrame | None) -> tuple[bytes, ...]:
    if part is None:
        return (b"none",)
    if isinstance(part, pd.DataFrame):
        return (b"table", part.to_csv(lineterminator="\n").encode())
    if part.dtype == object:
        return (b"text", json.dumps(part.tolist()).encode())
    little_endian = part.astype(part.dtype.newbyteorder("<"))
    return (little_endian.dtype.str.encode(), little_endian.tobytes())
