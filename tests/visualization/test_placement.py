"""Labels keep clear of points and of each other."""

from __future__ import annotations

import numpy as np

from paretoopt.visualization.placement import text_positions


def test_a_label_avoids_the_point_above() -> None:
    """Where the top is taken, the label goes elsewhere."""
    marked = np.array([[0.5, 0.5]])

    (position,) = text_positions(["knee"], marked, np.array([[0.5, 0.55]]))

    assert not position.startswith("top")


def test_a_label_at_the_edge_stays_inside() -> None:
    """A label of a point at the left edge stands right of it."""
    marked = np.array([[0.0, 0.5]])

    (position,) = text_positions(["smallest memory"], marked, np.empty((0, 2)))

    assert position.endswith("right")


def test_labels_of_neighbours_take_different_places() -> None:
    """Two labels side by side do not cover each other."""
    first, second = text_positions(["baseline", "knee"], np.array([[0.5, 0.5], [0.51, 0.5]]), np.empty((0, 2)))

    assert first != second
