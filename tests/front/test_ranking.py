"""One order of all points: front after front, each spread out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.front.dominance import dominates, is_nondominated
from paretoopt.front.ranking import rank_spread


def fronts_of(costs: NDArray[np.float64]) -> list[int]:
    """The front of each point, by taking off one front after the other."""
    fronts, left, number = np.full(len(costs), -1), np.arange(len(costs)), 0
    while len(left):
        on_front = is_nondominated(costs[left])
        fronts[left[on_front]] = number
        left, number = left[~on_front], number + 1
    return [int(front) for front in fronts]


def test_front_after_front() -> None:
    """Every point of a front comes before all points of the next, and no point before one that dominates it."""
    random = np.random.default_rng(0)
    for n_points in (1, 2, 7, 30):
        costs = random.integers(0, 8, (n_points, 3)).astype(float)
        places = rank_spread(costs)
        fronts = np.array(fronts_of(costs))

        assert sorted(places) == list(range(n_points))
        assert (np.diff(fronts[np.argsort(places)]) >= 0).all()
        assert not any(
            dominates(costs[b], costs[a]) and places[a] < places[b] for a in range(n_points) for b in range(n_points)
        )


def test_a_front_is_spread_out() -> None:
    """After the best in the first objective comes the other end, and then the middle; units do not matter."""
    costs = np.array([[0.0, 400.0], [1.0, 300.0], [2.1, 190.0], [3.0, 100.0], [4.0, 0.0]])

    assert np.argsort(rank_spread(costs))[:3].tolist() == [0, 4, 2]
    assert rank_spread(costs * [1.0, 1e-6]).tolist() == rank_spread(costs).tolist()


def test_equal_points_get_different_places() -> None:
    """Points that are all the same are still put in an order."""
    assert sorted(rank_spread(np.ones((4, 2)))) == [0, 1, 2, 3]
