"""Expected hypervolume improvement against Monte Carlo, closed forms, and moocore."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.front.dominance import hypervolume
from paretoopt.search.cost_first.improvement import (
    expected_improvement,
    expected_joint_improvement,
    is_promising,
    nondominated_boxes,
    positive_part,
)

Floats = NDArray[np.float64]


def sampled_improvement(mean: Floats, deviation: Floats, front: Floats, reference: Floats) -> tuple[float, float]:
    """Mean gain of hypervolume over draws, by moocore, and its standard error."""
    draws = np.random.default_rng(1).standard_normal((3_000, len(mean)))
    before = hypervolume(front, reference=reference)
    gains = [hypervolume(np.vstack([front, mean + deviation * draw]), reference=reference) - before for draw in draws]
    return float(np.mean(gains)), float(np.std(gains) / np.sqrt(len(gains)))


@pytest.mark.parametrize("n_objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("uncertain", ["one", "all"])
def test_closed_form_agrees_with_monte_carlo(n_objectives: int, uncertain: str) -> None:
    """For one uncertain objective and for several, the expectation is that of draws measured by moocore."""
    rng = np.random.default_rng(n_objectives)
    front, reference = rng.uniform(size=(12, n_objectives)), np.full(n_objectives, 1.1)
    mean, deviation = rng.uniform(0.0, 0.6, size=(4, n_objectives)), np.full((4, n_objectives), 0.2)
    deviation[:, 1:] *= uncertain == "all"

    found = expected_improvement(mean, deviation, nondominated_boxes(front, reference))

    for value, centre, spread in zip(found, mean, deviation, strict=True):
        expected, error = sampled_improvement(centre, spread, front, reference)
        assert value == pytest.approx(expected, abs=5 * error + 1e-12)


@pytest.mark.parametrize("n_objectives", [2, 3, 4])
def test_improvement_of_a_known_point_is_that_of_hypervolume(n_objectives: int) -> None:
    """Where nothing is uncertain, the gain is the difference of two exact hypervolumes."""
    rng = np.random.default_rng(0)
    front, reference = rng.dirichlet(np.ones(n_objectives), size=30), np.full(n_objectives, 0.9)
    points = rng.dirichlet(np.ones(n_objectives), size=20) * 0.95

    found = expected_improvement(points, np.zeros_like(points), nondominated_boxes(front, reference))

    before = hypervolume(front, reference=reference)
    gains = [hypervolume(np.vstack([front, point]), reference=reference) - before for point in points]
    assert found == pytest.approx(gains, abs=1e-12)
    assert (is_promising(points, front, reference) == (np.array(gains) > 1e-12)).all()


def test_boxes_of_an_empty_front_reach_to_the_reference() -> None:
    """Before anything is reached, a known point adds the whole box between itself and the reference."""
    boxes = nondominated_boxes(np.zeros((0, 3)), np.array([2.0, 2.0, 2.0]))

    assert expected_improvement(np.array([[1.0, 0.0, 1.0]]), np.zeros((1, 3)), boxes).tolist() == [2.0]


def test_three_objectives_take_few_boxes_per_point() -> None:
    """The number of boxes grows with the front and not with its square, which is what keeps choosing fast."""
    front = np.random.default_rng(0).dirichlet(np.ones(3), size=200)

    assert len(nondominated_boxes(front, np.ones(3)).lower) < 3 * 200


def test_expected_positive_part_of_a_standard_normal() -> None:
    """E[(0 - a)+] of a standard normal is 1 / sqrt(2 pi)."""
    assert positive_part(np.array(0.0), np.array(0.0), np.array(1.0)) == pytest.approx(1 / np.sqrt(2 * np.pi))


def test_known_points_together_gain_their_union() -> None:
    """Two points that share dominated volume are not counted twice."""
    points = np.array([[0.0, 1.0], [1.0, 0.0]])

    together = expected_joint_improvement(points, np.zeros((2, 2)), np.zeros((0, 2)), np.array([2.0, 2.0]))

    assert together == pytest.approx(3.0)  # 2 + 2, less the unit square that both dominate
