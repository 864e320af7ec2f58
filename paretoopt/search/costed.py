"""Evaluators whose measurements have the metrics of costs as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import (
    Candidate,
    Evaluation,
    Measurement,
    Measurements,
    ProgressListener,
    RemainingStage,
    Remeasurement,
    UserStatistic,
)
from paretoopt.errors import ObjectiveError
from paretoopt.front.costs import Cost, cost_metrics, costs_of_measured, training_seconds
from paretoopt.front.total_cost import TRAINING_SECONDS
from paretoopt.search.evaluator import CostFirst, Evaluator, FunctionEvaluator, Remeasurer
from paretoopt.space import Params, SearchSpace, Value


@runtime_checkable
class _CostFirstEvaluator(Evaluator, CostFirst, Protocol):
    """Knows costs before training."""


@runtime_checkable
class _RemeasuringEvaluator(Evaluator, Remeasurer, Protocol):
    """Can measure again."""


@runtime_checkable
class _FullEvaluator(Evaluator, CostFirst, Remeasurer, Protocol):
    """Knows costs before training, and can measure again."""


def with_cost_metrics(evaluator: Evaluator, costs: Sequence[Cost]) -> Evaluator:
    """``evaluator`` with the metrics of ``costs``; itself where there are none.

    What it knows before training and what it can measure again, the result knows and can, too.
    """
    if not costs:
        return evaluator
    if isinstance(evaluator, _FullEvaluator):
        return _CostedFull(evaluator, costs)
    if isinstance(evaluator, _CostFirstEvaluator):
        return _CostedCostFirst(evaluator, costs)
    if isinstance(evaluator, _RemeasuringEvaluator):
        return _CostedRemeasurer(evaluator, costs)
    return _Costed(evaluator, costs)


class _Costed:
    """An :class:`Evaluator`."""

    def __init__(self, inner: Evaluator, costs: Sequence[Cost]) -> None:
        self._inner = inner
        self._costs = tuple(costs)
        self.fingerprint = inner.fingerprint
        self.metrics = tuple(dict.fromkeys((*inner.metrics, *cost_metrics(costs))))
        self.canonical: Callable[[Params], Mapping[str, Value]] = inner.canonical

    def check(self, space: SearchSpace, metrics: Sequence[str]) -> None:
        """Raise where the evaluator would, or where it does not measure what a cost is reckoned from."""
        derived = cost_metrics(self._costs)
        self._inner.check(space, [metric for metric in metrics if metric not in derived])
        if isinstance(self._inner, FunctionEvaluator):
            return  # what a function measures is known when it is called
        for cost in self._costs:
            for needed in cost.inputs(self.metrics):
                if needed not in (*self.metrics, TRAINING_SECONDS):
                    raise ObjectiveError(
                        f"{type(cost).__name__} is reckoned from {needed!r}, which the pipeline does not measure. "
                        f"It measures: {', '.join(self._inner.metrics)}. Add that measure, or name another metric."
                    )

    def evaluate(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Measure, and reckon."""
        evaluation = self._inner.evaluate(params, listener)
        measured = training_seconds(evaluation.runs, self._costs) | dict(evaluation.measurements)
        return replace(evaluation, measurements=self._with_costs(params, measured))

    def _with_costs(self, params: Params, measured: Measurements) -> Measurements:
        return {**measured, **costs_of_measured(params, measured, self._costs)}


class _CostedCostFirst(_Costed):
    """A :class:`CostFirst` evaluator."""

    def __init__(self, inner: _CostFirstEvaluator, costs: Sequence[Cost]) -> None:
        super().__init__(inner, costs)
        known = list(inner.shape_metrics)
        for cost in costs:
            if set(cost.inputs(known)) <= set(known):
                known += cost.metrics
        self.shape_metrics: Collection[str] = tuple(known)
        self._cost_first = inner
        self.costs_are_final: Callable[[Params], bool] = inner.costs_are_final
        self.artifact_key: Callable[[Params], str] = inner.artifact_key
        self.remaining: Callable[[Params], tuple[RemainingStage, ...]] = inner.remaining

    def costs(self, params: Params, listener: ProgressListener, /) -> Evaluation:
        """Measure the shape, and reckon what follows from it."""
        evaluation = self._cost_first.costs(params, listener)
        return replace(evaluation, measurements=self._with_costs(params, evaluation.measurements))

    def known_costs(self, params: Params, /) -> Measurements | None:
        """What :meth:`costs` gives, where it was measured before."""
        known = self._cost_first.known_costs(params)
        return None if known is None else self._with_costs(params, known)


class _CostedRemeasurer(_Costed):
    """An evaluator that is a :class:`Remeasurer`."""

    def __init__(self, inner: _RemeasuringEvaluator, costs: Sequence[Cost]) -> None:
        super().__init__(inner, costs)
        self._remeasurer = inner
        self.timed_metrics: Collection[str] = inner.timed_metrics
        self.device: Callable[[], str] = inner.device
        self.per_user: Callable[[Params, ProgressListener], Mapping[str, NDArray[np.float64]]] = inner.per_user
        self.user_statistics: Callable[[Params, ProgressListener], Mapping[str, UserStatistic]] = inner.user_statistics

    def remeasure(self, params: Params, listener: ProgressListener, /) -> Remeasurement:
        """Measure anew, and reckon what follows from that."""
        found = self._remeasurer.remeasure(params, listener)
        measured = dict(self._with_costs(params, found.measurements))
        for cost in self._costs:
            if set(cost.inputs(found.measurements)) <= set(found.measurements):
                for metric in cost.metrics:
                    # Rounds have the same metrics: where no throughput was held, no number of replicas would do.
                    measured.setdefault(metric, Measurement(math.inf))
        return replace(found, measurements=measured)

    def reckoned_anew(self, candidate: Candidate, measurements: Measurements) -> Measurements:
        """``measurements``, of all rounds, with the costs that follow from them and from what else is known."""
        derived = cost_metrics(self._costs)
        measured = {name: value for name, value in measurements.items() if name not in derived}
        costs = costs_of_measured(candidate.params, {**candidate.measurements, **measured}, self._costs)
        return {**measured, **costs}


class _CostedFull(_CostedCostFirst, _CostedRemeasurer):
    """An evaluator that is both."""


def reckoned_anew(evaluator: Evaluator, candidate: Candidate, measurements: Measurements) -> Measurements:
    """What all rounds together have measured of ``candidate``, its costs reckoned from that and not round by round."""
    return (
        evaluator.reckoned_anew(candidate, measurements) if isinstance(evaluator, _CostedRemeasurer) else measurements
    )
