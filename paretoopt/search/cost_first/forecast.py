"""What is expected of every cell's metrics: measured where it was, known where it can be, predicted elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from paretoopt.candidate import Measurement
from paretoopt.objectives import Constraint
from paretoopt.search.cost_first.grid import Grid, relevant_features
from paretoopt.search.cost_first.knowledge import Knowledge
from paretoopt.search.cost_first.surrogate import Observations, Prediction, Surrogate

Floats = NDArray[np.float64]

_Z_95 = 1.959964
_MOST_COSTS = 400
"""Known costs that a prediction of the others is made from."""
_FEW_TRIALS = 20
"""Trials from which on the costs that they measured are enough to predict others."""
_NOT_FINAL = 0.1
"""Relative deviation of costs that training may still change, such as those of globally pruned models."""
_FEWEST = 2


@dataclass(frozen=True)
class Told:
    """A trial that ended with its candidate evaluated, failed, or ruled out by its cost.

    Attributes:
        cell: Its cell.
        measurements: What was measured of it.
        failed: Whether it could not be evaluated.
    """

    cell: int
    measurements: Mapping[str, Measurement]
    failed: bool


@dataclass(frozen=True)
class Forecast:
    """One metric at every cell.

    Attributes:
        value: The values; the expected logarithms where ``is_log``.
        deviation: Their standard deviations; 0 where the value is known.
        is_log: Whether logarithms are forecast.
        error: Median error of measured values, each predicted from the others; relative where ``is_log``; None where
            nothing had to be predicted.
    """

    value: Floats
    deviation: Floats
    is_log: bool
    error: float | None

    def cost(self, sign: float) -> Floats:
        """What is to be minimised."""
        return sign * self.value

    def probability(self, constraint: Constraint) -> Floats:
        """Of satisfying the constraint, by cell."""
        bound = np.log(constraint.bound) if self.is_log and constraint.bound > 0 else constraint.bound
        if self.is_log and constraint.bound <= 0:
            return np.full(len(self.value), float(constraint.sense == "at_least"))
        slack = bound - self.value if constraint.sense == "at_most" else self.value - bound
        with np.errstate(divide="ignore", invalid="ignore"):
            uncertain = ndtr(slack / self.deviation)
        result: Floats = np.where(self.deviation > 0, uncertain, (slack >= 0).astype(np.float64))
        return result


class Forecaster:
    """Forecasts every metric of a grid, and whether a cell can be evaluated at all."""

    def __init__(self, grid: Grid, knowledge: Knowledge) -> None:
        """Prepare; nothing is computed yet."""
        self._knowledge = knowledge
        self._n_cells = len(grid)
        self._cell_features = grid.features
        self._artifact_features = relevant_features(grid, knowledge.artifacts)
        self._surrogates: dict[str, Surrogate] = {}

    def cost(self, metric: str) -> Forecast | None:
        """A metric that is known of some cells without training; None where it is known of fewer than two."""
        known = self._knowledge.costs.get(metric, {})
        cells = np.fromiter(known.keys(), dtype=np.intp)
        values = np.fromiter(known.values(), dtype=np.float64)
        is_log = bool((values > 0).all())
        values = np.log(values) if is_log else values
        deviation = np.where(self._knowledge.is_final, 0.0, _NOT_FINAL * (1.0 if is_log else values.std()))
        error = None
        everything, doubt = np.zeros(self._n_cells), np.zeros(self._n_cells)
        if len(cells) < self._n_cells:
            if len(cells) < _FEWEST:
                return None
            by_cell = dict(zip(cells.tolist(), values.tolist(), strict=True))
            seen = _unweighted({cell: by_cell[cell] for cell in self._telling(known)})
            predicted = self._surrogate(metric, self._cell_features).predict(seen)
            everything, doubt, error = predicted.mean.copy(), predicted.deviation.copy(), predicted.error
        everything[cells], doubt[cells] = values, deviation[cells]
        return Forecast(everything, doubt, is_log, error)

    def _telling(self, known: Mapping[int, float]) -> list[int]:
        """The cells that unknown costs are predicted from: those of trials, in their order, before any others."""
        told = [cell for cell in self._knowledge.told if cell in known]
        if len(told) < _FEW_TRIALS:
            told += sorted(set(known) - set(told))
        return told[:_MOST_COSTS]

    def trained(self, metric: str, told: Sequence[Told], pending: Collection[int]) -> Forecast | None:
        """A metric that only a trained artifact has; None where fewer than two artifacts were measured."""
        artifacts = self._knowledge.artifacts
        seen: dict[int, Measurement] = {}
        for one in told:
            if metric in one.measurements:
                seen.setdefault(int(artifacts[one.cell]), one.measurements[metric])
        if len(seen) < _FEWEST:
            return None
        points = np.array(list(seen), dtype=np.intp)
        values = np.array([measurement.value for measurement in seen.values()])
        variances = np.array([_variance(measurement) for measurement in seen.values()])
        awaited = np.unique(artifacts[list(pending)]) if pending else np.zeros(0, dtype=np.intp)
        predicted = self._surrogate(metric, self._artifact_features).predict(
            Observations(points, values, variances), np.setdiff1d(awaited, points)
        )
        # Variants of one artifact get its very value, not what the model makes of it.
        mean, deviation = predicted.mean.copy(), predicted.deviation.copy()
        mean[points], deviation[points] = values, 0.0
        return Forecast(mean[artifacts], deviation[artifacts], is_log=False, error=predicted.error)

    def success(self, told: Sequence[Told]) -> Floats:
        """Probability that a cell can be evaluated, by a Gaussian process on the outcomes as 1 and 0.

        One deviation below what is expected: else a region that always fails would be tried in every corner.
        """
        outcomes: dict[int, float] = {}
        for one in told:
            outcomes.setdefault(one.cell, float(not one.failed))
        if len(outcomes) < _FEWEST or all(outcomes.values()):
            return np.ones(self._n_cells)
        predicted: Prediction = self._surrogate(" success", self._cell_features).predict(_unweighted(outcomes))
        return np.clip(predicted.mean - predicted.deviation, 0.0, 1.0)

    def _surrogate(self, name: str, features: Floats) -> Surrogate:
        return self._surrogates.setdefault(name, Surrogate(features))


def _unweighted(values: Mapping[int, float]) -> Observations:
    """Values by point, of unknown uncertainty."""
    points = np.fromiter(values.keys(), dtype=np.intp)
    return Observations(points, np.fromiter(values.values(), dtype=np.float64), np.full(len(points), np.nan))


def _variance(measurement: Measurement) -> float:
    """Squared standard error, from a 95 % interval; NaN where there is none."""
    if measurement.low is None or measurement.high is None:
        return float("nan")
    return float(((measurement.high - measurement.low) / (2 * _Z_95)) ** 2)
