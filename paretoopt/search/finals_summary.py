"""From the rounds of the finals to values, intervals, and the probability of each finalist to be on the front."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, Measurement
from paretoopt.front.probability import (
    Draws,
    choose_rounds,
    choose_users,
    draws_of_intervals,
    draws_of_rounds,
    draws_of_users,
    probability_nondominated,
)
from paretoopt.front.rounds import drift_corrected, median_with_interval
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.finals_records import Round

_N_DRAWS = 1000
_SEED = 0

RoundValues = Mapping[str, NDArray[np.float64]]
"""By metric, an array of shape ``(n_rounds, n_finalists)``."""
PerUser = Mapping[str, NDArray[np.float64]]
"""By metric, an array of shape ``(n_finalists, n_users)``."""


def values_of_rounds(
    rounds: Sequence[Round], numbers: Sequence[int], *, anchor: int, timed: Collection[str]
) -> RoundValues:
    """The values of the finalists, those of timed metrics corrected for the drift that the anchor shows.

    Args:
        rounds: What was measured.
        numbers: The finalists' trials, in the order of the columns.
        anchor: The anchor's trial.
        timed: The metrics that the machine's speed of the moment moves.
    """
    values = {
        metric: np.array([[found[number][metric] for number in numbers] for found in rounds])
        for metric in rounds[0][anchor]
    }
    column = numbers.index(anchor)
    return {
        metric: drift_corrected(array, anchor=column) if metric in timed else array for metric, array in values.items()
    }


def measurements_of(values: RoundValues, numbers: Sequence[int]) -> dict[int, dict[str, Measurement]]:
    """The median over rounds with its interval, of each finalist and metric."""
    return {
        number: {metric: median_with_interval(array[:, column]) for metric, array in values.items()}
        for column, number in enumerate(numbers)
    }


def probabilities_of(
    finalists: Sequence[Candidate],
    values: RoundValues,
    per_user: PerUser,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
) -> dict[int, float]:
    """How probable it is that each finalist is feasible and not dominated by another one, by its trial's number.

    Args:
        finalists: What was measured, with the search's measurements.
        values: What the rounds have measured.
        per_user: What the means over users are of.
        objectives: What they are compared in.
        constraints: What they must satisfy.
    """
    metrics = dict.fromkeys([*(wish.metric for wish in objectives), *(limit.metric for limit in constraints)])
    draws = {metric: _draws(metric, finalists, values, per_user) for metric in metrics}
    costs = np.stack([objective.sign * draws[objective.metric] for objective in objectives], axis=2)
    for limit in constraints:
        is_violated = draws[limit.metric] > limit.bound
        if limit.sense == "at_least":
            is_violated = draws[limit.metric] < limit.bound
        costs[is_violated] = np.nan
    shares = probability_nondominated(costs)
    return {finalist.number: float(share) for finalist, share in zip(finalists, shares, strict=True)}


def _draws(metric: str, finalists: Sequence[Candidate], values: RoundValues, per_user: PerUser) -> Draws:
    # Seeded afresh, so that each draw has the same rounds, and the same users, in every metric.
    random = np.random.default_rng(_SEED)
    if metric in values:
        return draws_of_rounds(values[metric], choose_rounds(len(values[metric]), _N_DRAWS, random))
    if metric in per_user:
        return draws_of_users(per_user[metric], choose_users(per_user[metric].shape[1], _N_DRAWS, random))
    # A seed of its own: metrics of which nothing more is known are taken as independent.
    random = np.random.default_rng([_SEED, *metric.encode()])
    return draws_of_intervals([finalist.measurements[metric] for finalist in finalists], _N_DRAWS, random)
