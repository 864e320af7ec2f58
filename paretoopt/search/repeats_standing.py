"""How sure it is who is on the front, and which further training would tell most."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, Measurement, Measurements
from paretoopt.front.explained import explained_variance
from paretoopt.front.luck import Luck
from paretoopt.front.probability import Draws, draws_of_intervals, nondominated_draws
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.finals_summary import costs_of_draws, probabilities_of
from paretoopt.search.quality_draws import (
    N_DRAWS,
    SEED,
    Trainings,
    draws_of_quality,
    luck_of,
    lucky_draws,
    mean_over_seeds,
)

_TELLING = 0.01
"""A training is worth repeating if it is to tell this share of the variance of some membership."""


@dataclass(frozen=True)
class Standing:
    """What is known of who is on the front.

    Attributes:
        trainings: Of the contenders.
        membership: In which draws each is on the front, of shape ``(n_draws, n_contenders)``.
        looks: What another training of each would show, likewise, by metric.
    """

    trainings: Sequence[Trainings]
    membership: NDArray[np.bool_]
    looks: Mapping[str, NDArray[np.float64]]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """How probable it is that each contender is feasible and not dominated."""
        shares: NDArray[np.float64] = self.membership.mean(axis=0)
        return shares

    def is_open(self, confidence: float) -> NDArray[np.bool_]:
        """Whether it is not decided with that probability who is on the front, and who is not."""
        probabilities = self.probabilities
        return np.maximum(probabilities, 1 - probabilities) < confidence

    def gain(self, training: str, confidence: float) -> float:
        """The variance of open memberships that one more seed of a training is expected to explain.

        0 where it tells next to nothing of any: what is open there is not up to the luck of training.
        """
        is_open = self.is_open(confidence)
        mine = [(index, one.made) for index, one in enumerate(self.trainings) if one.made.training == training]
        columns = [*{how.artifact: index for index, how in mine}.values()]
        looks = np.concatenate([looks[:, columns] for looks in self.looks.values()], axis=1)
        explained = explained_variance(self.membership[:, is_open], looks)
        variances = self.membership[:, is_open].var(axis=0)
        return float(explained.sum()) if (explained >= _TELLING * variances).any() else 0.0


def standing(trainings: Sequence[Trainings], definition: StudyDefinition, quality: Collection[str]) -> Standing:
    """Draw the values of the contenders from all that is uncertain of them.

    Args:
        trainings: Of the contenders.
        definition: What they are compared in.
        quality: The metrics that training moves.
    """
    draws: dict[str, Draws] = draws_of_quality(definition.metrics, trainings)
    looks = {}
    for metric in definition.metrics:
        if metric in quality:
            luck = lucky_draws(metric, luck_of(metric, trainings).to_decide(), trainings)
            draws[metric] = draws[metric] + luck.deviations
            looks[metric] = luck.looks
    costs = costs_of_draws(draws, definition.objectives, definition.constraints)
    return Standing(trainings, nondominated_draws(costs), looks)


def measurements_over_seeds(metric: str, luck: Luck, trainings: Sequence[Trainings]) -> list[Measurement]:
    """The mean of each candidate over its seeds, with a 95 % interval that holds for seeds and users."""
    draws = draws_of_quality([metric], trainings)[metric] + lucky_draws(metric, luck, trainings).deviations
    ends = np.quantile(draws, [0.025, 0.975], axis=0)
    return [
        replace(mean_over_seeds(metric, one), low=float(low), high=float(high))
        for one, low, high in zip(trainings, *ends, strict=True)
    ]


def contenders(
    candidates: Iterable[Candidate], definition: StudyDefinition, quality: Collection[str], known: Collection[int]
) -> list[Candidate]:
    """The candidates that may be on the front, were it not for luck.

    Luck is not known before trainings are repeated. So values are drawn from intervals of quality twice as wide as
    those over users, and whoever is on the front in one of the draws contends; without intervals, everybody does.

    Args:
        candidates: All of the study's.
        definition: What they are compared in.
        quality: The metrics that training moves.
        known: Trials that contend in any case, because they were repeated before.
    """
    measured = [one for one in candidates if set(definition.metrics) <= set(one.measurements)]
    wide = [_widened(one.measurements, quality) for one in measured]
    moved = [metric for metric in definition.metrics if metric in quality]
    if not measured or any(one[metric].low is None for one in wide for metric in moved):
        return measured
    draws = {
        metric: draws_of_intervals(
            [one[metric] for one in wide], N_DRAWS, np.random.default_rng([SEED, *metric.encode()])
        )
        for metric in definition.metrics
    }
    probabilities = probabilities_of(draws, definition.objectives, definition.constraints)
    return [
        one for one, probability in zip(measured, probabilities, strict=True) if probability > 0 or one.number in known
    ]


def _widened(measurements: Measurements, quality: Collection[str]) -> dict[str, Measurement]:
    return {metric: _twice(one) if metric in quality else one for metric, one in measurements.items()}


def _twice(one: Measurement) -> Measurement:
    if one.low is None or one.high is None:
        return one
    return Measurement(one.value, 2 * one.low - one.value, 2 * one.high - one.value)
