"""Cells of a space and their features."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.search.cost_first.grid import Grid, relevant_features
from paretoopt.space import Categorical, Float, Int, Ordered, SearchSpace

SPACE = SearchSpace(
    dim=Ordered(16, 64, 256),
    allocation=Categorical("uniform", "global"),
    ratio=Float(0.0, 0.5, step=0.25),
    workers=Int(1, 2),
)


def test_cells_are_those_of_the_space() -> None:
    """Each cell's candidate is the space's in the same place, and leads back to the cell."""
    grid = Grid(SPACE)

    assert [grid.params(cell) for cell in range(len(grid))] == list(SPACE.grid())
    assert [grid.cell(params) for params in SPACE.grid()] == list(range(len(grid)))
    assert grid.cell({**grid.params(7), "unit": "kg"}) == 7
    assert grid.cell({**grid.params(7), "dim": 17}) is None
    assert grid.cell({"dim": 16}) is None


def test_categories_are_as_far_apart_as_the_ends_of_an_order() -> None:
    """An ordered dimension spans 0 to 1 in even steps; two categories are at distance 1."""
    grid = Grid(SPACE)
    dims, kinds = (grid.features[:, columns] for columns in grid.columns[:2])

    assert sorted(set(dims[:, 0])) == [0.0, 0.5, 1.0]
    assert np.linalg.norm(np.unique(kinds, axis=0)[0] - np.unique(kinds, axis=0)[1]) == pytest.approx(1.0)


def test_neighbours_differ_in_one_dimension() -> None:
    """A cell has as many neighbours as its dimensions have other values."""
    grid = Grid(SPACE)

    found = grid.codes[grid.neighbours(20)]

    assert len(found) == 2 + 1 + 2 + 1
    assert ((found != grid.codes[20]).sum(axis=1) == 1).all()


def test_dimensions_that_change_no_artifact_are_left_out() -> None:
    """Workers share an artifact, so its features do not tell them apart."""
    grid = Grid(SPACE)
    artifacts = np.arange(len(grid)) // 2  # the last dimension, workers, makes no artifact of its own

    assert relevant_features(grid, artifacts).tolist() == grid.features[::2, :-1].tolist()
