"""The members of a front as lines across one axis per parameter and objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.space import Value
from paretoopt.visualization import theme
from paretoopt.visualization.labels import number_text, title, value_text
from paretoopt.visualization.scale import axis_value, is_log, log_ticks

_MOST_TICKS = 8


@dataclass(frozen=True)
class ParallelAxis:
    """One axis.

    Attributes:
        name: Name of the parameter or metric.
        values: Position of each member along the axis.
        ticks: Labelled positions, each with its label; empty where plotly chooses them.
    """

    name: str
    values: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class ParallelCoordinatesData:
    """One line per member.

    Attributes:
        axes: The parameters that differ, then the objectives.
        color: Value of the first objective for each member.
        color_name: Name of the first objective.
    """

    axes: tuple[ParallelAxis, ...]
    color: tuple[float, ...]
    color_name: str


def plot_parallel_coordinates(front: ParetoFront) -> go.Figure:
    """How the members of the front combine parameters and objectives."""
    return draw_parallel_coordinates(parallel_coordinates_data(front))


def parallel_coordinates_data(front: ParetoFront) -> ParallelCoordinatesData:
    """What `draw_parallel_coordinates` draws; parameters that are equal in all members are left out."""
    names = list(dict.fromkeys(name for member in front for name in member.params))
    parameters = [_parameter_axis(front.members, name) for name in names]
    first = front.objectives[0].metric
    return ParallelCoordinatesData(
        axes=(
            *(axis for axis in parameters if len(set(axis.values)) > 1),
            *(_metric_axis(front.members, objective.metric) for objective in front.objectives),
        ),
        color=tuple(axis_value(member, first) for member in front),
        color_name=first,
    )


def draw_parallel_coordinates(data: ParallelCoordinatesData) -> go.Figure:
    """The parallel coordinates of ``data``."""
    line = {"color": data.color, "colorscale": theme.SCALE, "showscale": False}
    figure = go.Figure()
    if data.color:
        dimensions = [_dimension(axis) for axis in data.axes]
        # The ends of the ranges would be written over the labels, and the ticks tell them anyway.
        hidden = {"color": "rgba(0,0,0,0)"}
        figure.add_trace(go.Parcoords(line=line, dimensions=dimensions, rangefont=hidden))
    figure.update_layout(template=theme.LIGHT, margin={"l": 70, "r": 60, "t": 70, "b": 30})
    return figure


def _dimension(axis: ParallelAxis) -> dict[str, Any]:
    low, high = min(axis.values), max(axis.values)
    # A range of no width would draw nothing.
    pad = 0.0 if high > low else (abs(low) or 1.0) / 2
    options: dict[str, Any] = {
        "label": title(axis.name).replace(" (", "<br>("),
        "values": axis.values,
        "range": [low - pad, high + pad],
    }
    if axis.ticks:
        options |= {"tickvals": [tick for tick, _ in axis.ticks], "ticktext": [text for _, text in axis.ticks]}
    return options


def _parameter_axis(members: Sequence[Candidate], name: str) -> ParallelAxis:
    values = [member.params.get(name) for member in members]
    distinct = sorted(set(values), key=_order)
    if len(distinct) > _MOST_TICKS and all(isinstance(value, int | float) for value in distinct):
        return _number_axis(name, [axis_value(member, name) for member in members])
    # Evenly spaced, so that 16, 32, 64 and 128 are told apart as easily as 8 and 4 bits.
    ticks = tuple((float(place), "–" if value is None else value_text(value)) for place, value in enumerate(distinct))
    return ParallelAxis(name, tuple(float(distinct.index(value)) for value in values), ticks)


def _metric_axis(members: Sequence[Candidate], name: str) -> ParallelAxis:
    return _number_axis(name, [axis_value(member, name) for member in members])


def _number_axis(name: str, values: Sequence[float]) -> ParallelAxis:
    if not is_log(values):
        return ParallelAxis(name, tuple(values))
    ticks = tuple((math.log10(tick), number_text(tick)) for tick in log_ticks(min(values), max(values)))
    return ParallelAxis(name, tuple(math.log10(value) for value in values), ticks)


def _order(value: Value | None) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
