"""The rule that extrapolates learning curves: stop what even its upper bound does not bring onto the front."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from paretoopt.errors import StudyError
from paretoopt.front.learning_curve import extrapolation, greatest_final, least_known
from paretoopt.search.best_case import judge_best_case
from paretoopt.search.watched import Verdict, Watched, Wishes

_GROWTH = 1.5
"""Each look comes this many times later than the one before: more looks would widen all bounds for little gain."""


@dataclass(frozen=True)
class LearningCurves:
    """Stop a trial that cannot join the front, by an upper bound on what its curve will come to.

    The bound comes from reference trials, which always finish. The first ones are as many as ``risk`` needs, 19 at
    0.05 and 9 at 0.1; later ones are drawn at random. Were the bound taken from all trials that finished, those that
    were stopped would be missing in it, and it would become tighter than the risk allows
    (:mod:`paretoopt.front.learning_curve` tells how it is computed).

    Attributes:
        risk: Probability that a trial which would have joined the front is stopped. Where several metrics are reported,
            they share it.
        reference_share: Probability that a trial is a reference trial once there are enough of them.
        seed: Of the draw of reference trials.

    Raises:
        StudyError: ``risk`` or ``reference_share`` is no probability.
    """

    risk: float = 0.05
    reference_share: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no probability."""
        if not 0 < self.risk < 1:
            raise StudyError(f"risk is {self.risk!r}. Give a probability between 0 and 1, for example 0.05.")
        if not 0 <= self.reference_share <= 1:
            raise StudyError(f"reference_share is {self.reference_share!r}. Give a share from 0 to 1, for example 0.1.")

    def is_reference(self, number: int, others: Sequence[Watched], to_learn: Collection[str]) -> bool:
        """Whether the trial is one of the first, or drawn."""
        needed = least_known(self.risk / max(len(to_learn), 1))
        if sum(other.is_reference for other in others) < needed:
            return True
        return bool(np.random.default_rng([self.seed, number]).random() < self.reference_share)

    def judge(self, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> Verdict | None:
        """Judge by what is known, and unless it is a reference trial by the bounds of what is reported."""
        bounds = {} if candidate.is_reference else self._bounds(candidate, others, wishes)
        deviations = NormalDist().inv_cdf(1 - self.risk)
        return judge_best_case(candidate, others, wishes, bounds=bounds, deviations=max(deviations, 0.0))

    def _bounds(self, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> dict[str, float]:
        metrics = candidate.reported
        return {metric: self._bound(metric, candidate, others, wishes, self.risk / len(metrics)) for metric in metrics}

    @staticmethod
    def _bound(metric: str, candidate: Watched, others: Sequence[Watched], wishes: Wishes, risk: float) -> float:
        """The best value that the metric can come to; infinitely good where too little is known."""
        sign = -wishes.sign(metric)
        finished = [other for other in others if other.is_reference and other.finals is not None]
        references = [other for other in finished if other.epochs(metric)]
        looks = looks_of(references, metric)
        curves = np.array([reference.gains(metric, looks, sign) for reference in references])
        finals = [reference.final(metric) for reference in references]
        known = extrapolation(curves, sign * np.array([final.value for final in finals if final]), risk=risk)
        if known is None:
            return sign * math.inf
        reached = max(candidate.epochs(metric))
        so_far = candidate.gains(metric, [look for look in looks if look <= reached], sign)
        return sign * greatest_final(known, so_far)


def looks_of(references: Sequence[Watched], metric: str) -> list[int]:
    """The epochs at which curves are compared: ever farther apart, from where all have begun to before the last."""
    epochs = sorted({epoch for reference in references for epoch in reference.epochs(metric)})
    first = max((reference.epochs(metric)[0] for reference in references), default=0)
    usable = [epoch for epoch in epochs if epoch >= first][:-1]
    n_looks = math.floor(math.log(len(usable), _GROWTH)) + 1 if usable else 0
    return [usable[place] for place in dict.fromkeys(math.ceil(_GROWTH**power) - 1 for power in range(n_looks))]
