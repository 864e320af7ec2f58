"""What a measure is like for each value of each dimension."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.feasibility import value_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme
from paretoopt.visualization.dimensions import coded, levels, varied
from paretoopt.visualization.labels import title, value_text
from paretoopt.visualization.scale import check_known

_MOST_LEVELS = 8


@dataclass(frozen=True)
class Level:
    """The candidates with one value of a dimension, or with values in one range of it.

    Attributes:
        label: The value, or the range, in words.
        mean: Mean of the metric.
        low: Its lower quartile.
        high: Its upper quartile.
        n: How many candidates there are.
    """

    label: str
    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class MarginalEffectsData:
    """One metric over every dimension.

    Attributes:
        metric: The metric.
        dimensions: For each parameter in which candidates differ, its values in order.
    """

    metric: str
    dimensions: tuple[tuple[str, tuple[Level, ...]], ...]


def plot_marginal_effects(front: ParetoFront, *, metric: str | None = None) -> go.Figure:
    """The mean and the quartiles of a measure for each value of each dimension, over all candidates.

    Args:
        front: The front, with every candidate that was evaluated.
        metric: The measure; left out, the first objective.

    Raises:
        ObjectiveError: No candidate has the metric, or all have the same parameters.
    """
    return draw_marginal_effects(marginal_effects_data(front, metric=metric))


def marginal_effects_data(front: ParetoFront, *, metric: str | None = None) -> MarginalEffectsData:
    """What `draw_marginal_effects` draws; numbers of more than eight values are put into as many ranges.

    Raises:
        ObjectiveError: No candidate has the metric, or all have the same parameters.
    """
    name = metric or front.objectives[0].metric
    check_known(front.candidates, name)
    known = [one for one in front.candidates if not math.isnan(value_of(one, name))]
    dimensions = varied(known)
    if not dimensions:
        raise ObjectiveError("No parameter differs between the candidates, so none has an effect. Evaluate others.")
    return MarginalEffectsData(name, tuple((dimension, _levels(known, dimension, name)) for dimension in dimensions))


def draw_marginal_effects(data: MarginalEffectsData) -> go.Figure:
    """One small plot per dimension, all with the same axis upwards."""
    figure = make_subplots(rows=1, cols=len(data.dimensions), shared_yaxes=True, horizontal_spacing=0.02)
    for column, (name, found) in enumerate(data.dimensions, start=1):
        figure.add_trace(_points(found), row=1, col=column)
        axis = {"type": "category", "title": {"text": title(name)}, "showgrid": False}
        figure.update_xaxes(axis, row=1, col=column)
    figure.update_yaxes(title={"text": title(data.metric)}, row=1, col=1)
    figure.update_layout(template=theme.LIGHT, margin={"t": 20}, showlegend=False)
    return figure


def _points(found: Sequence[Level]) -> go.Scatter:
    return go.Scatter(
        x=[level.label for level in found],
        y=[level.mean for level in found],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [max(level.high - level.mean, 0.0) for level in found],
            "arrayminus": [max(level.mean - level.low, 0.0) for level in found],
            "color": theme.DOMINATED,
            "thickness": 1.5,
            "width": 5,
        },
        mode="lines+markers",
        line={"color": theme.MEMBER, "width": 1.5},
        marker={"size": 8, "color": theme.MEMBER},
        customdata=[[level.low, level.high, level.n] for level in found],
        hovertemplate=(
            "%{x}: mean %{y:.4g}<br>quartiles %{customdata[0]:.4g} – %{customdata[1]:.4g}"
            "<br>%{customdata[2]} candidates<extra></extra>"
        ),
    )


def _levels(candidates: Sequence[Candidate], dimension: str, metric: str) -> tuple[Level, ...]:
    values = levels(candidates, dimension)
    places = coded(candidates, [dimension])[:, 0].astype(int)
    metrics = np.array([value_of(one, metric) for one in candidates])
    groups = [[place] for place in range(len(values))]
    if len(values) > _MOST_LEVELS:
        groups = [part.tolist() for part in np.array_split(np.arange(len(values)), _MOST_LEVELS)]
    return tuple(
        _level([values[place] for place in group], metrics[np.isin(places, group)]) for group in groups if group
    )


def _level(values: Sequence[object], metrics: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Level:
    texts = ["–" if value is None else value_text(value) for value in values]
    label = texts[0] if len(texts) == 1 else f"{texts[0]} – {texts[-1]}"
    low, high = np.quantile(metrics, [0.25, 0.75])
    return Level(label, float(metrics.mean()), float(low), float(high), len(metrics))
