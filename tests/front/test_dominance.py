"""Dominance and hypervolume agree with their definitions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paretoopt.candidate import Candidate, Measurement
from paretoopt.front.dominance import Costs, costs_of, dominates, hypervolume, is_nondominated, reference_point
from paretoopt.objectives import maximize, minimize

# Few distinct values, so that equal costs and equal points are common.
_costs = st.integers(1, 4).flatmap(
    lambda n_objectives: st.integers(1, 8).flatmap(
        lambda n_points: arrays(np.float64, (n_points, n_objectives), elements=st.integers(0, 4).map(float))
    )
)


def _is_nondominated_by_definition(costs: Costs) -> list[bool]:
    return [
        not any(
            all(o <= p for o, p in zip(other, point, strict=True)) and tuple(other) != tuple(point) for other in costs
        )
        for point in costs
    ]


def _hypervolume_by_inclusion_and_exclusion(costs: Costs, reference: Costs) -> float:
    total = 0.0
    for size in range(1, len(costs) + 1):
        for subset in itertools.combinations(costs, size):
            total -= (-1) ** size * float(np.prod(reference - np.max(subset, axis=0)))
    return total


@given(_costs)
def test_nondominated_points_are_those_that_no_other_beats(costs: Costs) -> None:
    """A point stays exactly when no other is at least as good everywhere and different."""
    assert is_nondominated(costs).tolist() == _is_nondominated_by_definition(costs)


@given(_costs)
def test_hypervolume_is_the_volume_of_the_union_of_boxes(costs: Costs) -> None:
    """The volume equals inclusion and exclusion over the boxes that the points dominate."""
    reference = reference_point(costs)

    assert hypervolume(costs, reference=reference) == pytest.approx(
        _hypervolume_by_inclusion_and_exclusion(costs, reference)
    )


@given(_costs)
def test_dominated_points_add_no_hypervolume(costs: Costs) -> None:
    """The front alone has the volume of all points."""
    reference = reference_point(costs)

    assert hypervolume(costs[is_nondominated(costs)], reference=reference) == pytest.approx(
        hypervolume(costs, reference=reference)
    )


@given(_costs)
def test_every_point_dominates_the_reference_point(costs: Costs) -> None:
    """The reference is strictly worse than each point, so that the extreme points count."""
    assert (costs < reference_point(costs)).all()


def test_equal_points_are_all_kept() -> None:
    """Two equal points do not dominate each other, so both stay on the front."""
    costs = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 3.0]])

    assert is_nondominated(costs).tolist() == [True, True, False]


def test_a_point_with_a_nan_is_on_no_front_and_dominates_nothing() -> None:
    """What is not known to be good is left out, and beats nobody."""
    costs = np.array([[np.nan, 0.0], [1.0, 1.0]])

    assert is_nondominated(costs).tolist() == [False, True]


def test_no_points_have_no_front_and_no_hypervolume() -> None:
    """An empty array is answered, not refused."""
    nothing = np.empty((0, 2))

    assert is_nondominated(nothing).tolist() == []
    assert hypervolume(nothing, reference=np.array([1.0, 1.0])) == 0.0


def test_a_point_beyond_the_reference_adds_no_hypervolume() -> None:
    """Only what is better than the reference in every objective counts."""
    costs = np.array([[1.0, 2.0], [4.0, 0.0], [np.nan, 0.0]])

    assert hypervolume(costs, reference=np.array([3.0, 3.0])) == 2.0


def test_a_reference_point_needs_points() -> None:
    """No point and no number give no reference."""
    with pytest.raises(ValueError, match="at least one point, and no NaN"):
        reference_point(np.empty((0, 2)))
    with pytest.raises(ValueError, match="Leave unmeasured points out"):
        reference_point(np.array([[np.nan]]))


def test_costs_turn_what_is_maximised() -> None:
    """A maximised value is negated, a minimised one kept, and a missing one NaN."""
    candidates = [Candidate(0, {}, {"quality": Measurement(0.5), "cost": Measurement(3.0)}), Candidate(1, {}, {})]

    costs = costs_of(candidates, [maximize("quality"), minimize("cost")])

    np.testing.assert_array_equal(costs, [[-0.5, 3.0], [np.nan, np.nan]])


def test_a_point_does_not_dominate_its_equal() -> None:
    """Dominance needs one strict difference."""
    assert dominates(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    assert not dominates(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
