"""The dimensions of a search, as far as candidates differ in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.space import Value


def varied(candidates: Sequence[Candidate]) -> list[str]:
    """The parameters that are not the same in all candidates, in the order of first appearance."""
    names = dict.fromkeys(name for candidate in candidates for name in candidate.params)
    return [name for name in names if len({candidate.params.get(name) for candidate in candidates}) > 1]


def levels(candidates: Sequence[Candidate], name: str) -> list[Value | None]:
    """The values of a parameter: numbers ascending, then words, then none at all."""
    return sorted({candidate.params.get(name) for candidate in candidates}, key=_order)


def coded(candidates: Sequence[Candidate], names: Sequence[str]) -> NDArray[np.float64]:
    """Each value as its place among the parameter's values, of shape ``(n_candidates, n_parameters)``."""
    places = [{value: place for place, value in enumerate(levels(candidates, name))} for name in names]
    rows = [[where[one.params.get(name)] for name, where in zip(names, places, strict=True)] for one in candidates]
    return np.array(rows, dtype=np.float64).reshape(len(candidates), len(names))


def _order(value: Value | None) -> tuple[int, float, str]:
    if value is None:
        return 2, 0.0, ""
    return (0, float(value), "") if isinstance(value, int | float) else (1, 0.0, str(value))
