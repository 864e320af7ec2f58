"""Every candidate of a finite space by its number, and as points that a surrogate can tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from paretoopt.space import Categorical, Params, SearchSpace, Value

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

# Two categories are as far apart as the ends of an ordered dimension: |(1, 0) - (0, 1)| * this is 1.
_ONE_HOT = math.sqrt(0.5)


class Grid:
    """The cells of a space, the last dimension varying fastest.

    Attributes:
        codes: Array of shape ``(n_cells, n_dimensions)``: the position of each cell's value in its dimension.
        features: Array of shape ``(n_cells, n_features)``: an ordered dimension as one column from 0 to 1, its
            positions evenly spaced; a categorical one as a column per value.
        columns: The columns of ``features`` that each dimension has.
    """

    def __init__(self, space: SearchSpace) -> None:
        """List the cells of a space without continuous dimensions."""
        self._values: dict[str, tuple[Value, ...]] = {
            name: dimension.values for name, dimension in space.dimensions.items() if dimension.values is not None
        }
        sizes = [len(values) for values in self._values.values()]
        self.codes: Numbers = np.indices(sizes).reshape(len(sizes), -1).T
        self._strides = np.array([math.prod(sizes[i + 1 :]) for i in range(len(sizes))])
        self._positions: Mapping[str, dict[Value, int]] = {
            name: {value: i for i, value in enumerate(values)} for name, values in self._values.items()
        }
        parts = [
            _features(codes, size, isinstance(dimension, Categorical))
            for codes, size, dimension in zip(self.codes.T, sizes, space.dimensions.values(), strict=True)
        ]
        self.features: Floats = np.hstack(parts)
        ends = np.cumsum([part.shape[1] for part in parts])
        self.columns = tuple(slice(end - part.shape[1], end) for end, part in zip(ends, parts, strict=True))

    def __len__(self) -> int:
        """The number of cells."""
        return len(self.codes)

    def params(self, cell: int) -> dict[str, Value]:
        """The candidate of a cell."""
        codes = self.codes[cell]
        return {name: values[code] for (name, values), code in zip(self._values.items(), codes, strict=True)}

    def cell(self, params: Params) -> int | None:
        """The cell of a candidate, parameters beside the space's ignored; None where it is not in the space."""
        codes = [self._positions[name].get(params[name]) if name in params else None for name in self._values]
        if any(code is None for code in codes):
            return None
        return int(np.dot(np.array(codes, dtype=np.intp), self._strides))

    def neighbours(self, cell: int) -> Numbers:
        """The cells that differ from ``cell`` in exactly one dimension."""
        codes = self.codes[cell]
        found = [
            cell + (np.delete(np.arange(len(values)), codes[i]) - codes[i]) * self._strides[i]
            for i, values in enumerate(self._values.values())
        ]
        return np.concatenate(found)


def relevant_features(grid: Grid, groups: Numbers) -> Floats:
    """The features of the dimensions that tell ``groups`` apart, one row per group.

    A dimension such as ``serving_workers``, which changes no artifact, would only hide from a surrogate that it
    does not matter.

    Args:
        grid: The cells.
        groups: Array of shape ``(n_cells,)``: the number of each cell's group, from 0 without gaps.

    Returns:
        Array of shape ``(n_groups, n_features)``, each row that of the group's first cell.
    """
    first = np.unique(groups, return_index=True)[1]
    shape = tuple(grid.codes.max(axis=0) + 1)
    by_dimension = groups.reshape(shape)
    kept = [
        columns
        for axis, columns in enumerate(grid.columns)
        if (by_dimension != np.take(by_dimension, [0], axis=axis)).any()
    ]
    if not kept:
        return np.zeros((len(first), 1))
    return np.hstack([grid.features[first, columns] for columns in kept])


def _features(codes: Numbers, size: int, is_categorical: bool) -> Floats:
    if is_categorical and size > 1:
        return np.asarray(np.eye(size)[codes] * _ONE_HOT, dtype=np.float64)
    return np.asarray(codes[:, np.newaxis] / max(size - 1, 1), dtype=np.float64)
