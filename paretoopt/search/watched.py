"""What is known of a trial while it trains, and what a verdict on it says; no Optuna here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paretoopt.objectives import Constraint, Objective


@dataclass(frozen=True)
class Wishes:
    """What a study wants of its candidates."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that an objective or constraint needs, once."""
        names = [objective.metric for objective in self.objectives] + [limit.metric for limit in self.constraints]
        return tuple(dict.fromkeys(names))

    def sign(self, metric: str) -> float:
        """Multiply a value by this to get a cost, by its objective or else by its constraint."""
        for objective in self.objectives:
            if objective.metric == metric:
                return objective.sign
        return next(1.0 if limit.sense == "at_most" else -1.0 for limit in self.constraints if limit.metric == metric)


@dataclass(frozen=True)
class Estimate:
    """A value and its standard error; 0 where it is exact, or where nothing is known of its error."""

    value: float
    standard_error: float = 0.0


@dataclass(frozen=True)
class Watched:
    """A trial as far as it has come.

    Attributes:
        number: The trial's number.
        known: What was known before training, by metric.
        reports: The estimates after each reported epoch, by epoch and metric; epochs rise.
        finals: The objective values that the trial was told with, by metric; None where it is not complete.
        is_feasible: Whether none of the constraints that Optuna was told of is violated.
        is_reference: Whether it goes on whatever its curve looks like.
    """

    number: int
    known: Mapping[str, Estimate] = field(default_factory=dict)
    reports: Mapping[int, Mapping[str, Estimate]] = field(default_factory=dict)
    finals: Mapping[str, float] | None = None
    is_feasible: bool = True
    is_reference: bool = False

    @property
    def reported(self) -> tuple[str, ...]:
        """The metrics that have a curve."""
        return tuple(dict.fromkeys(metric for report in self.reports.values() for metric in report))

    def final(self, metric: str) -> Estimate | None:
        """The value that the trial came to: as told, else as known before, else as reported last."""
        last = self.known.get(metric) or self.latest(metric)
        if self.finals is not None and metric in self.finals:
            return Estimate(self.finals[metric], last.standard_error if last else 0.0)
        return last

    def gains(self, metric: str, looks: Sequence[int], sign: float) -> NDArray[np.float64]:
        """The greatest of ``sign`` times the values so far, at each look; NaN before the first report."""
        found = [[sign * self.reports[at][metric].value for at in self.epochs(metric) if at <= look] for look in looks]
        return np.array([max(values, default=np.nan) for values in found])

    def epochs(self, metric: str) -> list[int]:
        """The epochs at which the metric was reported."""
        return [at for at, report in self.reports.items() if metric in report]

    def latest(self, metric: str) -> Estimate | None:
        """The last report of the metric."""
        epochs = self.epochs(metric)
        return self.reports[epochs[-1]][metric] if epochs else None


@dataclass(frozen=True)
class Verdict:
    """Why a trial is stopped.

    Attributes:
        reason: For a person.
        shortfall: How far it is from being worth going on; more than 0, as a share of what it falls short of.
        dominated_by: Number of the trial that dominates it; None where it breaks a constraint, or is just ranked low.
    """

    reason: str
    shortfall: float
    dominated_by: int | None = None
