"""The Pareto front in three metrics, with a fourth as colour."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme
from paretoopt.visualization.pareto_front import pareto_front_data
from paretoopt.visualization.pareto_front_drawing import Options, axis_options, color_options
from paretoopt.visualization.pareto_front_record import ParetoFrontData, Point
from paretoopt.visualization.scale import axis_value, check_known

_N_AXES = 3


@dataclass(frozen=True)
class ParetoFront3DData:
    """Every candidate by group, in three metrics.

    Attributes:
        plane: The candidates in the first two metrics, x and y.
        z: Name of the third metric.
        heights: Value of the third metric, by trial; a candidate without one is not drawn.
    """

    plane: ParetoFrontData
    z: str
    heights: Mapping[int, float]


def plot_pareto_front_3d(
    front: ParetoFront,
    *,
    x: str | None = None,
    y: str | None = None,
    z: str | None = None,
    baseline: Candidate | Choice | None = None,
    chosen: Candidate | Choice | None = None,
) -> go.Figure:
    """Every candidate in three metrics, the front's members emphasised; the next objective is their colour.

    Args:
        front: The front to draw.
        x: Metric of the first axis; what is left out is an objective that is not drawn yet.
        y: Metric of the second axis.
        z: Metric of the third axis.
        baseline: A candidate to mark as the baseline.
        chosen: A candidate to mark as the pick.

    Raises:
        ObjectiveError: There are fewer than three objectives to draw, or a name that no candidate has a number for.
    """
    given = {"baseline": baseline, "pick": chosen}
    marks = {name: one.candidate if isinstance(one, Choice) else one for name, one in given.items() if one is not None}
    return draw_pareto_front_3d(pareto_front_3d_data(front, x=x, y=y, z=z, marks=marks))


def pareto_front_3d_data(
    front: ParetoFront,
    *,
    x: str | None = None,
    y: str | None = None,
    z: str | None = None,
    marks: Mapping[str, Candidate] | None = None,
) -> ParetoFront3DData:
    """What `draw_pareto_front_3d` draws; the arguments are those of `plot_pareto_front_3d`.

    Raises:
        ObjectiveError: There are fewer than three objectives to draw, or a name that no candidate has a number for.
    """
    rest = [one.metric for one in front.objectives if one.metric not in (x, y, z)]
    names = [name or (rest.pop(0) if rest else None) for name in (x, y, z)]
    if None in names:
        raise ObjectiveError(
            f"A plot in three dimensions needs {_N_AXES} metrics, but only "
            f"{', '.join(name for name in names if name)} are given or objectives. Name the others with x, y and z."
        )
    across, along, up = (str(name) for name in names)
    check_known(front.candidates, up)
    color = rest[0] if rest else None
    plane = pareto_front_data(front, x=across, y=along, color=color or up, marks=marks)
    heights = {one.number: axis_value(one, up) for one in front.candidates}
    return ParetoFront3DData(
        plane, up, {number: height for number, height in heights.items() if not math.isnan(height)}
    )


def draw_pareto_front_3d(data: ParetoFront3DData) -> go.Figure:
    """The points of ``data``; without WebGL, a browser shows a note in their place."""
    plane = data.plane
    member: Options = {"size": 6, "color": theme.MEMBER, "line": {"width": 1, "color": theme.OUTLINE}}
    if plane.color is not None:
        member |= color_options(plane.color, [point.color for point in _drawn(data, plane.members)])
        member["colorbar"] |= {"len": 0.7}
    figure = go.Figure()
    for points, name, marker in (
        (plane.infeasible, "infeasible", {"symbol": "x", "size": 3, "color": theme.INFEASIBLE}),
        (plane.dominated, "dominated", {"size": 4, "color": theme.DOMINATED, "opacity": 0.5}),
        (plane.members, "Pareto front", member),
    ):
        if _drawn(data, points):
            figure.add_trace(_points(data, points, name, marker))
    for mark in plane.marks:
        if mark.point.number in data.heights:
            figure.add_trace(_mark(data, mark.point, mark.label))
    everything = [*plane.members, *plane.dominated, *plane.infeasible]
    figure.update_layout(
        template=theme.LIGHT,
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
        scene={
            "camera": {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}},
            "xaxis": axis_options(plane.x, [point.x for point in everything]),
            "yaxis": axis_options(plane.y, [point.y for point in everything]),
            "zaxis": axis_options(data.z, list(data.heights.values())),
        },
    )
    return figure


def _drawn(data: ParetoFront3DData, points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.number in data.heights]


def _points(data: ParetoFront3DData, points: Sequence[Point], name: str, marker: Options) -> go.Scatter3d:
    drawn = _drawn(data, points)
    return go.Scatter3d(
        x=[point.x for point in drawn],
        y=[point.y for point in drawn],
        z=[data.heights[point.number] for point in drawn],
        mode="markers",
        name=name,
        marker=marker,
        hovertext=[point.hover for point in drawn],
        hoverinfo="text",
    )


def _mark(data: ParetoFront3DData, point: Point, label: str) -> go.Scatter3d:
    marker = {"symbol": "circle-open", "size": 10, "color": theme.MARK, "line": {"width": 3, "color": theme.MARK}}
    trace = _points(data, [point], label, marker)
    trace.update(mode="markers+text", text=[f"<b>{label}</b>"], textposition="top center", showlegend=False)
    return trace
