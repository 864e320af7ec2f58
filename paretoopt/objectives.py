"""Objectives and constraints: what a study wants of which metric."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from paretoopt.errors import ObjectiveError


@dataclass(frozen=True)
class Objective:
    """A metric and the direction in which it improves.

    Attributes:
        metric: Name of a metric that the pipeline measures, for example ``"latency_p95_ms"``.
        direction: ``"minimize"`` or ``"maximize"``.
    """

    metric: str
    direction: Literal["minimize", "maximize"]

    def __post_init__(self) -> None:
        """Refuse a direction that is neither of the two."""
        if self.direction not in ("minimize", "maximize"):
            raise ObjectiveError(f"direction of {self.metric!r} is {self.direction!r}. Use 'minimize' or 'maximize'.")

    @property
    def sign(self) -> float:
        """Multiply a value by this to get a cost, which is always minimised."""
        return 1.0 if self.direction == "minimize" else -1.0

    def __str__(self) -> str:
        """The metric with an arrow towards better."""
        return f"{self.metric} {'↓' if self.direction == 'minimize' else '↑'}"


@dataclass(frozen=True)
class Constraint:
    """A limit that a metric must respect.

    Attributes:
        metric: Name of a metric that the pipeline measures.
        sense: ``"at_most"`` or ``"at_least"``.
        bound: The limit, in the metric's unit.
    """

    metric: str
    sense: Literal["at_most", "at_least"]
    bound: float

    def __post_init__(self) -> None:
        """Refuse a sense that is neither of the two, or a bound that is not a number."""
        if self.sense not in ("at_most", "at_least"):
            raise ObjectiveError(f"sense of {self.metric!r} is {self.sense!r}. Use 'at_most' or 'at_least'.")
        if math.isnan(self.bound):
            raise ObjectiveError(f"{self.sense}({self.metric!r}, nan) has no bound. Give a number.")

    def violation(self, value: float) -> float:
        """How far ``value`` is beyond the bound, in the metric's unit; 0 or less is feasible."""
        return value - self.bound if self.sense == "at_most" else self.bound - value

    def __str__(self) -> str:
        """The limit as one reads it."""
        return f"{self.metric} {'≤' if self.sense == 'at_most' else '≥'} {self.bound:g}"


def minimize(metric: str) -> Objective:
    """The objective that wants ``metric`` as small as possible."""
    return Objective(metric, "minimize")


def maximize(metric: str) -> Objective:
    """The objective that wants ``metric`` as large as possible."""
    return Objective(metric, "maximize")


def at_most(metric: str, bound: float) -> Constraint:
    """The constraint that ``metric`` is ``bound`` or less."""
    return Constraint(metric, "at_most", float(bound))


def at_least(metric: str, bound: float) -> Constraint:
    """The constraint that ``metric`` is ``bound`` or more."""
    return Constraint(metric, "at_least", float(bound))
