"""How probable it is that a candidate is not dominated, given the uncertainty of what was measured.

Values are drawn again and again from their joint uncertainty, and the share of draws in which a candidate is not
dominated is counted. Candidates that were measured on the same rounds, or on the same users, are drawn together: one
draw takes the same rounds and the same users for all, so that what befell all alike (a slow round, a difficult user)
does not pass for a difference between them. Each draw is a bootstrap sample (Efron 1979) of the rounds, of which
:mod:`paretoopt.front.rounds` takes what is typical, and of the users, whose mean is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.front.dominance import is_nondominated

Draws = NDArray[np.float64]
"""Array of shape ``(n_draws, n_candidates)``: one metric of every candidate in every draw."""

_HALF_WIDTH = NormalDist().inv_cdf(0.975)


def probability_nondominated(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of draws in which each candidate is not dominated.

    Args:
        costs: Array of shape ``(n_draws, n_candidates, n_objectives)``; every objective is minimised. A candidate
            that is not feasible in a draw is NaN there: it is not on that draw's front, and dominates nobody.

    >>> probability_nondominated(np.array([[[1.0], [2.0]], [[2.0], [2.0]]])).tolist()
    [1.0, 0.5]
    """
    shares: NDArray[np.float64] = nondominated_draws(costs).mean(axis=0)
    return shares


def nondominated_draws(costs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """In which draws each candidate is not dominated, of shape ``(n_draws, n_candidates)``; ``costs`` are as above."""
    return np.stack([is_nondominated(draw) for draw in costs])


def draws_of_users(values: NDArray[np.float64], chosen: Iterable[NDArray[np.int64]]) -> Draws:
    """Means over the users that each draw has chosen.

    Args:
        values: Array of shape ``(n_candidates, n_users)``.
        chosen: For each draw how often it has chosen each user, of shape ``(n_users,)``.
    """
    means: Draws = np.stack([values @ counts / counts.sum() for counts in chosen])
    return means


def draws_of_intervals(measurements: Sequence[Measurement], n_draws: int, random: np.random.Generator) -> Draws:
    """Normal draws that have the 95 % intervals of the measurements; a value without interval stays as it is.

    Equal measurements are one measurement that candidates share, so they get the same draws.
    """
    drawn = {
        measurement: measurement.value + _deviation(measurement) * random.standard_normal(n_draws)
        for measurement in dict.fromkeys(measurements)
    }
    return np.stack([drawn[measurement] for measurement in measurements], axis=1)


def choose_rounds(n_rounds: int, n_draws: int, random: np.random.Generator) -> NDArray[np.int64]:
    """For each draw, one round fewer than there are, some of them more than once.

    With as many as there are, draws of few rounds would spread less than estimates do (Rao and Wu 1988).

    Returns:
        Array of shape ``(n_draws, n_rounds - 1)``.
    """
    return random.integers(n_rounds, size=(n_draws, n_rounds - 1))


def choose_users(n_users: int, n_draws: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """For each draw, how often it has each user."""
    for _ in range(n_draws):
        yield np.bincount(random.integers(n_users, size=n_users), minlength=n_users)


def _deviation(measurement: Measurement) -> float:
    if measurement.low is None or measurement.high is None:
        return 0.0
    return (measurement.high - measurement.low) / (2 * _HALF_WIDTH)
