"""Whether a best case can still join a front."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.front.dominance import dominates
from paretoopt.front.prospects import dominator

NO_MARGIN = np.zeros((2, 2))
POINTS = np.array([[1.0, 2.0], [2.0, 1.0]])


def test_a_point_is_found_where_and_only_where_one_dominates() -> None:
    """On random points without margins, the definition of dominance decides."""
    random = np.random.default_rng(0)
    for _ in range(300):
        points, best_case = random.integers(0, 4, (5, 3)).astype(float), random.integers(0, 4, 3).astype(float)
        found = dominator(best_case, points, np.zeros((5, 3)))
        dominating = [index for index, point in enumerate(points) if dominates(point, best_case)]

        assert (found is None) == (not dominating)
        assert found is None or found.index in dominating


def test_nothing_known_of_an_objective_leaves_hope() -> None:
    """A cost that may be anything is never too high."""
    assert dominator(np.array([-np.inf, 9.0]), POINTS, NO_MARGIN) is None


def test_an_equal_best_case_may_join() -> None:
    """Equal points are both on a front."""
    assert dominator(np.array([1.0, 2.0]), POINTS, NO_MARGIN) is None


def test_margins_leave_hope() -> None:
    """What is better only within the margin of an objective decides nothing; in the other objective it does."""
    margins = np.array([[0.5, 0.0], [0.5, 0.0]])

    assert dominator(np.array([1.4, 3.0]), POINTS, margins) is None
    assert dominator(np.array([1.6, 3.0]), POINTS, margins) is not None


def test_the_point_that_is_missed_by_most_is_named() -> None:
    """Both dominate; the first is missed by a half in its second cost, the other by a quarter in its first."""
    found = dominator(np.array([2.5, 3.0]), POINTS, NO_MARGIN)

    assert found is not None
    assert found.index == 0
    assert found.shortfall == pytest.approx(0.5)
