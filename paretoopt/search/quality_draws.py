"""Draws of the quality of candidates that were trained from one seed or several: users, and the luck of training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, Measurement, Measurements, UserStatistic
from paretoopt.front.luck import Luck, LuckDraws, Made, Values, draw_luck, spread_of_artifacts, spread_of_trainings
from paretoopt.front.probability import Draws, choose_users, draws_of_intervals, draws_of_users

N_DRAWS = 1000
SEED = 0


@dataclass(frozen=True)
class Trained:
    """What one training of a candidate gave.

    Attributes:
        measurements: Its measurements.
        per_user: The values of users, by metric.
        user_statistics: How other metrics come from them.
    """

    measurements: Measurements
    per_user: Mapping[str, NDArray[np.float64]]
    user_statistics: Mapping[str, UserStatistic]


@dataclass(frozen=True)
class Trainings:
    """All trainings of one candidate.

    Attributes:
        candidate: As the search measured it.
        made: How it came about.
        by_seed: What each training gave, by its seed; that of the search among them.
    """

    candidate: Candidate
    made: Made
    by_seed: Mapping[int, Trained]

    def values(self, metric: str, seeds: Sequence[int]) -> NDArray[np.float64]:
        """The metric by seed and user, of shape ``(n_seeds, n_users)``; one user where users are not known."""
        trained = [self.by_seed[seed] for seed in seeds]
        if all(metric in one.per_user for one in trained):
            return np.stack([one.per_user[metric] for one in trained])
        return np.array([[one.measurements[metric].value] for one in trained])


def draws_of_quality(metrics: Collection[str], trainings: Sequence[Trainings]) -> dict[str, Draws]:
    """Draws of means over the seeds that there are, by metric: what another sample of users would have shown.

    Each draw has the same users for every candidate, metric and seed.
    """
    return {metric: _draws(metric, trainings) for metric in metrics}


def luck_of(metric: str, trainings: Sequence[Trainings]) -> Luck:
    """What the seeds that there are tell of the luck of training."""
    groups = _by_training(metric, trainings)
    values = [one.candidate.measurements[metric].value for one in trainings]
    # Where nothing was repeated, luck may be all that tells candidates apart.
    unknown = float(np.ptp(values)) or abs(values[0]) or 1.0
    return Luck(spread_of_trainings(groups), spread_of_artifacts(groups), unknown)


def lucky_draws(metric: str, luck: Luck, trainings: Sequence[Trainings]) -> LuckDraws:
    """How far luck has led the means over seeds astray, in each draw."""
    return draw_luck(luck, [one.made for one in trainings], N_DRAWS, [SEED, *metric.encode()])


def mean_over_seeds(metric: str, trainings: Trainings) -> Measurement:
    """The mean of the metric over the seeds that have it, with an interval as wide as theirs are on average."""
    every = [trained.measurements for trained in trainings.by_seed.values()]
    found = [measurements[metric] for measurements in every if metric in measurements]
    if len(found) == 1:
        return found[0]
    ends = [[one.low, one.high] for one in found if one.low is not None and one.high is not None]
    low, high = np.mean(ends, axis=0).tolist() if len(ends) == len(found) else (None, None)
    return Measurement(float(np.mean([one.value for one in found])), low, high)


def _draws(metric: str, trainings: Sequence[Trainings]) -> Draws:
    # Seeded afresh, so that each draw has the same users in every metric.
    random = np.random.default_rng(SEED)
    every = [trained for one in trainings for trained in one.by_seed.values()]
    if all(metric in trained.per_user for trained in every):
        values = np.stack([one.values(metric, [*one.by_seed]).mean(axis=0) for one in trainings])
        return draws_of_users(values, choose_users(values.shape[1], N_DRAWS, random))
    if all(metric in trained.user_statistics for trained in every):
        statistics = [[trained.user_statistics[metric] for trained in one.by_seed.values()] for one in trainings]
        chosen = choose_users(len(next(iter(every[0].per_user.values()))), N_DRAWS, random)
        return np.array(
            [[np.mean([statistic(counts) for statistic in one]) for one in statistics] for counts in chosen]
        )
    # A seed of its own: metrics of which nothing more is known are taken as independent.
    random = np.random.default_rng([SEED, *metric.encode()])
    return draws_of_intervals([mean_over_seeds(metric, one) for one in trainings], N_DRAWS, random)


def _by_training(metric: str, trainings: Sequence[Trainings]) -> list[Values]:
    """The artifacts of each training at the seeds that all of them have."""
    groups: dict[str, dict[str, Trainings]] = {}
    for one in trainings:
        if one.made.training is not None:
            groups.setdefault(one.made.training, {})[one.made.artifact] = one
    found = []
    for artifacts in groups.values():
        seeds = sorted(set.intersection(*(set(one.by_seed) for one in artifacts.values())))
        found.append(np.stack([one.values(metric, seeds) for one in artifacts.values()]))
    return found
