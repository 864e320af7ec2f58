"""What a plot of the Pareto front shows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

Interval = tuple[float, float]
"""Lower and upper end."""


@dataclass(frozen=True)
class Point:
    """One candidate in the plot.

    Attributes:
        number: The trial's number.
        x: Value across.
        y: Value up.
        color: Value of the colour; NaN where there is none.
        x_interval: The interval of ``x``, where it is known.
        y_interval: The interval of ``y``, where it is known.
        hover: The text under the pointer.
    """

    number: int
    x: float
    y: float
    color: float
    x_interval: Interval | None
    y_interval: Interval | None
    hover: str


@dataclass(frozen=True)
class Mark:
    """A point that is highlighted, with its label."""

    label: str
    point: Point


@dataclass(frozen=True)
class ParetoFrontData:
    """Every candidate by group.

    Attributes:
        x: Name of the metric across.
        y: Name of the metric up.
        color: Name of what colours the members; None where nothing does.
        members: The members of the front.
        dominated: The feasible candidates that are no members.
        infeasible: The candidates that break a constraint or lack an objective.
        line: Corners of the step line, the best ``y`` for each ``x``; empty where an axis is no objective.
        marks: The highlighted candidates.
        n_not_shown: How many candidates have no value on an axis.
    """

    x: str
    y: str
    color: str | None
    members: tuple[Point, ...]
    dominated: tuple[Point, ...]
    infeasible: tuple[Point, ...]
    line: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    n_not_shown: int
