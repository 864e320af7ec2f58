"""Drawing a Pareto front's record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from paretoopt.visualization import theme
from paretoopt.visualization.labels import number_text, title
from paretoopt.visualization.pareto_front_record import Interval, Mark, ParetoFrontData, Point
from paretoopt.visualization.placement import text_positions
from paretoopt.visualization.scale import is_log, log_ticks

Options = dict[str, Any]
"""What plotly takes and gives: untyped dictionaries."""


def draw_pareto_front(data: ParetoFrontData) -> go.Figure:
    """The scatter plot of ``data``."""
    figure = go.Figure()
    if data.infeasible:
        figure.add_trace(_scatter(data.infeasible, "infeasible", {"symbol": "x", "size": 7, "color": theme.INFEASIBLE}))
    if data.dominated:
        figure.add_trace(_scatter(data.dominated, "dominated", {"size": 7, "color": theme.DOMINATED, "opacity": 0.6}))
    if len(data.line) > 1:
        figure.add_trace(_step_line(data.line))
    if data.members:
        figure.add_trace(_members(data))
    if data.marks:
        figure.add_trace(_marks(data))
    points = _all_points(data)
    figure.update_layout(
        template=theme.LIGHT,
        xaxis=axis_options(data.x, [point.x for point in points]),
        yaxis=axis_options(data.y, [point.y for point in points]),
        hovermode="closest",
    )
    return figure


def _all_points(data: ParetoFrontData) -> list[Point]:
    return [*data.members, *data.dominated, *data.infeasible, *(mark.point for mark in data.marks)]


def axis_options(name: str, values: Sequence[float]) -> Options:
    """An axis with its title and unit; logarithmic where the values span a decade."""
    options: Options = {"title": {"text": title(name)}}
    if is_log(values):
        ticks = log_ticks(min(values) / 1.5, max(values) * 1.5)
        options |= {"type": "log", "tickvals": ticks, "ticktext": [number_text(tick) for tick in ticks]}
    return options


def _scatter(points: Sequence[Point], name: str, marker: Options) -> go.Scatter:
    return go.Scatter(
        x=[point.x for point in points],
        y=[point.y for point in points],
        mode="markers",
        name=name,
        marker=marker,
        hovertext=[point.hover for point in points],
        hoverinfo="text",
    )


def _members(data: ParetoFrontData) -> go.Scatter:
    # The best are drawn larger and outlined, so that they stand out without colour too.
    marker: Options = {"size": 11, "color": theme.MEMBER, "line": {"width": 1, "color": theme.OUTLINE}}
    if data.color is not None:
        marker |= color_options(data.color, [point.color for point in data.members])
    trace = _scatter(data.members, "Pareto front", marker)
    trace.update(error_x=_error_bars(data.members, "x"), error_y=_error_bars(data.members, "y"))
    return trace


def color_options(name: str, values: Sequence[float]) -> Options:
    """A marker's colours by value, with a bar that names it; logarithmic as the axis would be."""
    bar: Options = {"title": {"text": title(name), "side": "right"}, "thickness": 12, "outlinewidth": 0}
    colors = list(values)
    if is_log(values):
        known = [value for value in values if not math.isnan(value)]
        ticks = log_ticks(min(known), max(known))
        bar |= {"tickvals": [math.log10(tick) for tick in ticks], "ticktext": [number_text(tick) for tick in ticks]}
        colors = [math.log10(value) for value in values]
    return {"color": colors, "colorscale": theme.SCALE, "colorbar": bar, "showscale": len(set(values)) > 1}


def _error_bars(points: Sequence[Point], axis: str) -> Options:
    pairs = [_interval_and_value(point, axis) for point in points]
    if all(interval is None for interval, _ in pairs):
        return {"visible": False}
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(interval[1] - value, 0.0) if interval else 0.0 for interval, value in pairs],
        "arrayminus": [max(value - interval[0], 0.0) if interval else 0.0 for interval, value in pairs],
        "color": theme.INTERVAL,
        "thickness": 1,
        "width": 0,
    }


def _interval_and_value(point: Point, axis: str) -> tuple[Interval | None, float]:
    return (point.x_interval, point.x) if axis == "x" else (point.y_interval, point.y)


def _step_line(line: Sequence[tuple[float, float]]) -> go.Scatter:
    return go.Scatter(
        x=[corner[0] for corner in line],
        y=[corner[1] for corner in line],
        mode="lines",
        # From the best x onwards: until the next corner is reached, nothing better in y is to be had.
        line={"shape": "hv", "width": 1.5, "dash": "dot", "color": theme.DOMINATED},
        hoverinfo="skip",
        name="front of these two",
    )


def _marks(data: ParetoFrontData) -> go.Scatter:
    points = [mark.point for mark in data.marks]
    trace = _scatter(
        points, "marked", {"symbol": "circle-open", "size": 19, "color": theme.MARK, "line": {"width": 2.5}}
    )
    trace.update(
        mode="markers+text",
        text=[f"<b>{mark.label}</b>" for mark in data.marks],
        textposition=_label_positions(data, data.marks),
        cliponaxis=False,
        showlegend=False,
    )
    return trace


def _label_positions(data: ParetoFrontData, marks: Sequence[Mark]) -> Sequence[str]:
    points = _all_points(data)
    places = np.column_stack([_placed([point.x for point in points]), _placed([point.y for point in points])])
    first_mark = len(points) - len(marks)
    return text_positions([mark.label for mark in marks], places[first_mark:], places[:first_mark])


def _placed(values: Sequence[float]) -> NDArray[np.float64]:
    """Where values are along their axis, in [0, 1]."""
    known = np.array(values, dtype=np.float64)
    along = np.log10(known) if is_log(values) else known
    span = along.max() - along.min()
    result: NDArray[np.float64] = 0.05 + 0.9 * (along - along.min()) / (span if span > 0 else 1.0)
    return result
