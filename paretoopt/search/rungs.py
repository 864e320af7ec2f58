"""The rule of MO-ASHA: at rungs, ever farther apart, the better share of all trials that got there goes on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import StudyError
from paretoopt.front.dominance import dominates
from paretoopt.front.ranking import rank_spread
from paretoopt.search.best_case import judge_best_case
from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes

_SURE = NormalDist().inv_cdf(0.95)
"""Standard errors by which a value that was known before may be off before it decides anything."""


@dataclass(frozen=True)
class Rungs:
    """Stop a trial that is not among the better share of those that came as far, whatever it could still come to.

    Multi-objective asynchronous successive halving (Schmucker et al. 2021), in the variant that stops: at each rung the
    trials that have reached it are ordered by non-dominated sorting with an epsilon-net (``"EpsNet"``), and the first
    ``1 / reduction_factor`` of them go on. It needs no finished trials and saves more than
    :class:`paretoopt.LearningCurves`, but states no risk: slow starters are lost.

    Attributes:
        first: The epoch of the first rung; each later one is ``reduction_factor`` times as late.
        reduction_factor: As said; 3 lets a third go on.
        n_epochs: The last epoch of a whole training, where stopping saves nothing, so that no rung is there or later;
            None where it is not known.

    Raises:
        StudyError: ``first`` is below 1 or not before ``n_epochs``, or ``reduction_factor`` is not above 1.
    """

    first: int = 1
    reduction_factor: float = 3.0
    n_epochs: int | None = None

    def __post_init__(self) -> None:
        """Refuse rungs that do not rise."""
        if self.first < 1:
            raise StudyError(f"first is {self.first!r}. Give the epoch of the first rung, from 1 on.")
        if self.n_epochs is not None and self.n_epochs <= self.first:
            raise StudyError(f"n_epochs is {self.n_epochs!r}, and the first rung at {self.first}. Let it come earlier.")
        if not self.reduction_factor > 1:
            raise StudyError(f"reduction_factor is {self.reduction_factor!r}. Give a number above 1, for example 3.")

    def is_reference(self, number: int, others: Sequence[Watched], to_learn: Collection[str]) -> bool:  # noqa: ARG002
        """No trial goes on for others' sake."""
        return False

    def judge(self, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> Verdict | None:
        """Judge by what is known, and at each rung by the place among those that reached it."""
        broken = judge_best_case(candidate, others, wishes, bounds={}, deviations=_SURE)
        return broken or next(
            filter(None, (self._at(rung, candidate, others, wishes) for rung in self._new(candidate))), None
        )

    def _new(self, candidate: Watched) -> list[float]:
        """The rungs that the last report has reached; those before were decided on before."""
        epochs = list(candidate.reports)
        if not epochs:
            return []
        before, rung, found = epochs[-2] if len(epochs) > 1 else -1, float(self.first), []
        while rung <= epochs[-1] and (self.n_epochs is None or rung < self.n_epochs):
            found += [rung] if rung > before else []
            rung *= self.reduction_factor
        return found

    def _at(self, rung: float, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> Verdict | None:
        own = _costs_at(rung, candidate, wishes)
        ranked = ~np.isnan(own)
        rows = [
            (other, costs) for other in others if not np.isnan(costs := _costs_at(rung, other, wishes))[ranked].any()
        ]
        costs = np.array([own, *(row for _, row in rows)])[:, ranked]
        n_kept = int(len(costs) / self.reduction_factor)
        if not ranked.any() or n_kept == 0:
            return None
        place = int(rank_spread(costs)[0])
        if place < n_kept:
            return None
        better = [other.number for (other, _), row in zip(rows, costs[1:], strict=True) if dominates(row, costs[0])]
        return Verdict(
            f"at the rung of epoch {rung:g} it is number {place + 1} of {len(costs)}, of which {n_kept} go on",
            (place + 1 - n_kept) / n_kept,
            dominated_by=better[0] if better else None,
        )


def _costs_at(rung: float, trial: Watched, wishes: Wishes) -> NDArray[np.float64]:
    """The costs as of the first report at the rung or after it; NaN where there is none."""
    report = next((report for epoch, report in trial.reports.items() if epoch >= rung), None)
    if report is None:
        return np.full(len(wishes.objectives), np.nan)
    estimates = [report.get(goal.metric) or trial.known.get(goal.metric) for goal in wishes.objectives]
    return np.array([_cost(estimate, goal.sign) for estimate, goal in zip(estimates, wishes.objectives, strict=True)])


def _cost(estimate: Estimate | None, sign: float) -> float:
    return np.nan if estimate is None else sign * estimate.value
