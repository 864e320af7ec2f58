"""What the page needs to let a reader set limits, and to follow them: every candidate, as columns ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from paretoopt.candidate import Candidate, Measurement
from paretoopt.front.choice import Choice
from paretoopt.front.feasibility import On, metrics_of, value_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Constraint, Objective
from paretoopt.space import Value
from paretoopt.visualization import theme
from paretoopt.visualization.labels import title
from paretoopt.visualization.pareto_front_drawing import axis_options, color_options

LIMITS_ON: On = "bound"
"""What `ParetoFront.pick` applies limits to when nothing is said; the page starts with the same."""

_LOWER_IS_BETTER = ("_ms", "_s", "_seconds", "_mib", "_cost", "_loss", "_gap")


@dataclass(frozen=True)
class Column:
    """One metric of every candidate; None where it is not known.

    Attributes:
        title: What a person calls it.
        sense: Which limit on it a reader will want.
        value: The estimates.
        low: Lower ends of the intervals.
        high: Upper ends of the intervals.
        axis: Options of a plot's axis.
        color: Options of a marker that is coloured by it.
    """

    title: str
    sense: Literal["at_most", "at_least"]
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    axis: Mapping[str, Any]  # Any: plotly's options are untyped JSON
    color: Mapping[str, Any]


@dataclass(frozen=True)
class ExplorerData:
    """Every candidate, and what is wanted of them.

    Attributes:
        numbers: The trials' numbers.
        params: The value of each parameter in every candidate, by its name; None where it has none.
        param_titles: What a person calls each parameter.
        metrics: The metrics by name, objectives first.
        probabilities: How probable it is that each is not dominated; None where that is not known.
        seeds: From how many seeds each was trained.
        labels: What each candidate is highlighted as; often empty.
        baseline: Place of the baseline among the candidates; None where there is none.
        set_aside: Places of the candidates that are kept out of the front.
        objectives: What the candidates are compared in.
        constraints: What the study demands.
        limits_on: What limits apply to at first.
        marks: Colour of each kind of point.
    """

    numbers: tuple[int, ...]
    params: Mapping[str, tuple[Value | None, ...]]
    param_titles: Mapping[str, str]
    metrics: Mapping[str, Column]
    probabilities: tuple[float | None, ...]
    seeds: tuple[int, ...]
    labels: tuple[str, ...]
    baseline: int | None
    set_aside: tuple[int, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    limits_on: On
    marks: Mapping[str, str]


def explorer_data(
    front: ParetoFront, highlights: Mapping[str, Choice], *, baseline: Candidate | None = None
) -> ExplorerData:
    """What the page is made from; the candidates keep their order, by which ties are decided."""
    candidates = front.candidates
    objectives = [objective.metric for objective in front.objectives]
    params = list(dict.fromkeys(name for one in candidates for name in one.params))
    return ExplorerData(
        numbers=tuple(one.number for one in candidates),
        params={name: tuple(one.params.get(name) for one in candidates) for name in params},
        param_titles={name: title(name) for name in params},
        metrics={name: _column(front, name) for name in dict.fromkeys([*objectives, *metrics_of(candidates)])},
        probabilities=tuple(one.probability_nondominated for one in candidates),
        seeds=tuple(one.n_seeds for one in candidates),
        labels=tuple(_labels(one, highlights) for one in candidates),
        baseline=next((place for place, one in enumerate(candidates) if one is baseline), None),
        set_aside=tuple(place for place, one in enumerate(candidates) if one.number in front.set_aside),
        objectives=front.objectives,
        constraints=front.constraints,
        limits_on=LIMITS_ON,
        marks={
            "member": theme.MEMBER,
            "dominated": theme.DOMINATED,
            "infeasible": theme.INFEASIBLE,
            "mark": theme.MARK,
            "interval": theme.INTERVAL,
            "outline": theme.OUTLINE,
        },
    )


def _column(front: ParetoFront, name: str) -> Column:
    values = [value_of(one, name) for one in front.candidates]
    unknown = Measurement(math.nan)
    measured = [one.measurements.get(name, unknown) for one in front.candidates]
    known = [value for value in values if not math.isnan(value)]
    color = color_options(name, known)
    return Column(
        title=title(name),
        sense=_sense(name, front.objectives, front.constraints),
        value=tuple(_finite(value) for value in values),
        low=_ends([one.low for one in measured]),
        high=_ends([one.high for one in measured]),
        axis=axis_options(name, known),
        color={key: value for key, value in color.items() if key != "color"},
    )


def _ends(ends: Sequence[float | None]) -> tuple[float | None, ...]:
    """The ends of intervals; empty where none is known, so that the page stays small."""
    known = tuple(None if end is None else _finite(end) for end in ends)
    return () if all(end is None for end in known) else known


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _sense(
    name: str, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> Literal["at_most", "at_least"]:
    for objective in objectives:
        if objective.metric == name:
            return "at_most" if objective.direction == "minimize" else "at_least"
    for constraint in constraints:
        if constraint.metric == name:
            return constraint.sense
    # Only what the page offers first: a reader can turn it round.
    return "at_most" if name.endswith(_LOWER_IS_BETTER) else "at_least"


def _labels(candidate: Candidate, highlights: Mapping[str, Choice]) -> str:
    return ", ".join(label for label, choice in highlights.items() if choice.candidate is candidate)
