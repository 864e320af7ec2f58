"""The Pareto front as a scatter plot of two metrics, with a third as colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.choice import Choice
from paretoopt.front.dominance import costs_of, is_nondominated
from paretoopt.front.feasibility import is_feasible, metrics_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective
from paretoopt.visualization.labels import hover_text
from paretoopt.visualization.pareto_front_drawing import draw_pareto_front
from paretoopt.visualization.pareto_front_record import Interval, Mark, ParetoFrontData, Point
from paretoopt.visualization.scale import axis_value, check_known


def plot_pareto_front(
    front: ParetoFront,
    *,
    x: str | None = None,
    y: str | None = None,
    color: str | None = None,
    baseline: Candidate | Choice | None = None,
    chosen: Candidate | Choice | None = None,
) -> go.Figure:
    """A scatter plot of every candidate, the front's members emphasised.

    Args:
        front: The front to draw.
        x: Metric across; left out, the first objective that is minimised.
        y: Metric up; left out, the first objective that is maximised.
        color: Metric or numeric parameter of the members' colour; left out, the next objective.
        baseline: A candidate to mark as the baseline.
        chosen: A candidate to mark as the pick.

    Raises:
        ObjectiveError: A name that no candidate has a number for.
    """
    marks = {"baseline": baseline, "pick": chosen}
    given = {label: _candidate(marked) for label, marked in marks.items() if marked is not None}
    return draw_pareto_front(pareto_front_data(front, x=x, y=y, color=color, marks=given))


def pareto_front_data(
    front: ParetoFront,
    *,
    x: str | None = None,
    y: str | None = None,
    color: str | None = None,
    marks: Mapping[str, Candidate] | None = None,
) -> ParetoFrontData:
    """What `draw_pareto_front` draws: candidates by group, the step line, and the marked points.

    Args:
        front: The front to draw.
        x: As in `plot_pareto_front`.
        y: As in `plot_pareto_front`.
        color: As in `plot_pareto_front`.
        marks: A candidate for each label, for example ``{"knee": front.knee().candidate}``.

    Raises:
        ObjectiveError: A name that no candidate has a number for.
    """
    x, y, color = axes_of(front, x, y, color)
    for name in {x, y, color} - {None, *(objective.metric for objective in front.objectives)}:
        check_known(front.candidates, str(name))
    shown = [one for one in front.candidates if not math.isnan(axis_value(one, x) + axis_value(one, y))]
    groups = _groups(front, shown)
    return ParetoFrontData(
        x=x,
        y=y,
        color=color,
        members=tuple(_point(one, x, y, color) for one in groups["member"]),
        dominated=tuple(_point(one, x, y, color) for one in groups["dominated"]),
        infeasible=tuple(_point(one, x, y, color) for one in groups["infeasible"]),
        line=_line(groups["member"], front.objectives, x, y),
        marks=_marks(marks or {}, x, y, color),
        n_not_shown=len(front.candidates) - len(shown),
    )


def _candidate(marked: Candidate | Choice) -> Candidate:
    return marked.candidate if isinstance(marked, Choice) else marked


def axes_of(
    front: ParetoFront, x: str | None = None, y: str | None = None, color: str | None = None
) -> tuple[str, str, str | None]:
    """What goes across, up, and into the colour; what is left out is chosen as `plot_pareto_front` says.

    Raises:
        ObjectiveError: Only one metric is measured.
    """
    costs = [objective.metric for objective in front.objectives if objective.direction == "minimize"]
    gains = [objective.metric for objective in front.objectives if objective.direction == "maximize"]
    everything = list(dict.fromkeys([*(one.metric for one in front.objectives), *metrics_of(front.candidates)]))
    y = y or next((name for name in [*gains, *everything] if name != x), None)
    x = x or next((name for name in [*costs, *everything] if name != y), None)
    if x is None or y is None:
        raise ObjectiveError(f"A scatter plot needs two metrics, but only {everything[0]!r} is measured.")
    objectives = [objective.metric for objective in front.objectives]
    return x, y, color or next((name for name in objectives if name not in (x, y)), None)


def _groups(front: ParetoFront, shown: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    members = {id(member) for member in front.members}
    groups: dict[str, list[Candidate]] = {"member": [], "dominated": [], "infeasible": []}
    for candidate in shown:
        if id(candidate) in members:
            groups["member"].append(candidate)
        elif is_feasible(candidate, front.objectives, front.constraints):
            groups["dominated"].append(candidate)
        else:
            groups["infeasible"].append(candidate)
    return groups


def _point(candidate: Candidate, x: str, y: str, color: str | None) -> Point:
    return Point(
        number=candidate.number,
        x=axis_value(candidate, x),
        y=axis_value(candidate, y),
        color=math.nan if color is None else axis_value(candidate, color),
        x_interval=_interval(candidate, x),
        y_interval=_interval(candidate, y),
        hover=hover_text(candidate),
    )


def _interval(candidate: Candidate, name: str) -> Interval | None:
    measurement = candidate.measurements.get(name)
    if measurement is None or measurement.low is None or measurement.high is None:
        return None
    return measurement.low, measurement.high


def _line(
    members: Sequence[Candidate], objectives: Sequence[Objective], x: str, y: str
) -> tuple[tuple[float, float], ...]:
    """The front of the two axes alone, best in x first; empty where an axis is no objective."""
    direction = {objective.metric: objective for objective in objectives}
    if x not in direction or y not in direction or not members:
        return ()
    costs = costs_of(members, [direction[x], direction[y]])
    corners = sorted({tuple(row) for row in costs[is_nondominated(costs)].tolist()})
    return tuple((direction[x].sign * one, direction[y].sign * two) for one, two in corners)


def _marks(marks: Mapping[str, Candidate], x: str, y: str, color: str | None) -> tuple[Mark, ...]:
    labels: dict[int, list[str]] = {}
    for label, candidate in marks.items():
        labels.setdefault(id(candidate), []).append(label)
    distinct = {id(candidate): candidate for candidate in marks.values()}
    points = {key: _point(candidate, x, y, color) for key, candidate in distinct.items()}
    return tuple(
        Mark(", ".join(labels[key]), point) for key, point in points.items() if not math.isnan(point.x + point.y)
    )
