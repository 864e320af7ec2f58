"""The knee and the point nearest to the ideal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.front.knee import ideal_distances, knee_distances, normalized


def test_the_knee_is_farthest_from_the_line_between_the_extremes() -> None:
    """With two objectives the distance is that of a point to a line, in the normalised front."""
    costs = np.array([[0.0, 10.0], [2.0, 3.0], [10.0, 0.0]])

    # The line x + y = 1 through (0, 1) and (1, 0); (0.2, 0.3) is 0.5 / sqrt(2) in front of it.
    np.testing.assert_allclose(knee_distances(costs), [0.0, 0.5 / np.sqrt(2), 0.0], atol=1e-12)


def test_the_knee_is_not_the_nearest_to_the_ideal() -> None:
    """A lopsided bend can be the knee, while a more even member is nearer to the ideal."""
    costs = np.array([[0.0, 1.0], [0.05, 0.60], [0.35, 0.35], [1.0, 0.0]])

    assert knee_distances(costs).argmax() == 1
    assert ideal_distances(costs).argmin() == 2


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 5])
@pytest.mark.parametrize("n_points", [1, 2])
def test_one_or_two_points_have_finite_distances(n_points: int, n_objectives: int) -> None:
    """Small fronts are answered for any number of objectives."""
    costs = np.arange(n_points * n_objectives, dtype=np.float64).reshape(n_points, n_objectives)

    assert np.isfinite(knee_distances(costs)).all()
    assert np.isfinite(ideal_distances(costs)).all()


def test_an_objective_that_does_not_differ_has_no_say() -> None:
    """A column of equal costs normalises to 0 and moves neither choice."""
    costs = np.array([[0.0, 10.0, 7.0], [2.0, 3.0, 7.0], [10.0, 0.0, 7.0]])

    assert knee_distances(costs).argmax() == knee_distances(costs[:, :2]).argmax()
    assert normalized(costs)[:, 2].tolist() == [0.0, 0.0, 0.0]


@given(st.floats(0.001, 1000.0), st.floats(-1000.0, 1000.0))
def test_the_units_of_an_objective_do_not_matter(scale: float, shift: float) -> None:
    """Seconds or milliseconds: the distances are the same."""
    costs = np.array([[0.0, 10.0], [2.0, 3.0], [10.0, 0.0]])

    np.testing.assert_allclose(knee_distances(costs * scale + shift), knee_distances(costs), atol=1e-6)
