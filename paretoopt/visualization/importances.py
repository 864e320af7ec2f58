"""How much each dimension matters to each measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.feasibility import value_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme
from paretoopt.visualization.dimensions import coded, varied
from paretoopt.visualization.labels import short_title, title

LEAST = 12
"""Fewer candidates tell nothing of a dimension."""

_N_TREES = 100
_N_REPEATS = 10
_STRONG = 0.85
_MOST = 2_000  # more candidates make it slow and change next to nothing


@dataclass(frozen=True)
class MetricImportances:
    """What the dimensions matter to one metric.

    Attributes:
        metric: The metric.
        shares: One per dimension; they sum to 1, or are all 0 where nothing matters.
        fit: Share of the metric's variance that the forest explains in candidates that it was not grown on (R²);
            near 0 or below, the shares mean nothing.
    """

    metric: str
    shares: tuple[float, ...]
    fit: float


@dataclass(frozen=True)
class ImportancesData:
    """The dimensions and what each matters.

    Attributes:
        dimensions: The parameters in which candidates differ.
        metrics: One record per metric.
    """

    dimensions: tuple[str, ...]
    metrics: tuple[MetricImportances, ...]


def plot_importances(front: ParetoFront, *, metrics: Sequence[str] | None = None) -> go.Figure:
    """How much each dimension of the search matters to each measure.

    Args:
        front: The front, with every candidate that was evaluated.
        metrics: What to explain; left out, the objectives.

    Raises:
        ObjectiveError: Too few candidates have a metric, or they differ in no parameter.
    """
    return draw_importances(importances_data(front, metrics=metrics))


def importances_data(front: ParetoFront, *, metrics: Sequence[str] | None = None) -> ImportancesData:
    """What `draw_importances` draws.

    A random forest is grown on all candidates; a dimension matters by how much worse the forest gets when its values
    are shuffled (Breiman 2001, "Random forests"), so that interactions count for each that takes part.

    Raises:
        ObjectiveError: Too few candidates have a metric, or they differ in no parameter.
    """
    dimensions = varied(front.candidates)
    if not dimensions:
        raise ObjectiveError("No parameter differs between the candidates, so none can matter. Evaluate others.")
    names = metrics or [objective.metric for objective in front.objectives]
    return ImportancesData(tuple(dimensions), tuple(_importances(front.candidates, dimensions, name) for name in names))


def draw_importances(data: ImportancesData) -> go.Figure:
    """A field per dimension and metric."""
    shares = np.array([metric.shares for metric in data.metrics]).T
    figure = go.Figure(
        go.Heatmap(
            x=[f"{short_title(metric.metric)}<br>(R² {metric.fit:.2f})" for metric in data.metrics],
            y=[title(name) for name in data.dimensions],
            z=100 * shares,
            zmin=0,
            zmax=100,
            colorscale=theme.SHARES,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y} explains %{z:.1f} % of what is explained of %{x}<extra></extra>",
        )
    )
    for (row, column), share in np.ndenumerate(shares):
        # Faint fields show the page, whose text the template suits; strong ones take white on any page.
        font = {"color": "white"} if share > _STRONG else {}
        figure.add_annotation(x=column, y=row, text=f"{share:.0%}".replace("%", " %"), showarrow=False, font=font)
    figure.update_layout(
        template=theme.LIGHT,
        xaxis={"showgrid": False, "showline": False, "ticks": "", "side": "top"},
        yaxis={"autorange": "reversed", "showgrid": False, "showline": False, "ticks": ""},
        margin={"t": 60, "b": 20},
    )
    return figure


def _importances(candidates: Sequence[Candidate], dimensions: Sequence[str], metric: str) -> MetricImportances:
    known = [one for one in candidates if not math.isnan(value_of(one, metric))]
    if len(known) < LEAST:
        raise ObjectiveError(
            f"{metric!r} is measured in {len(known)} candidates; what matters to it takes at least {LEAST}. "
            "Evaluate more."
        )
    random = np.random.default_rng(0)
    if len(known) > _MOST:
        known = [known[place] for place in random.choice(len(known), _MOST, replace=False)]
    inputs = coded(known, dimensions)
    values = np.array([value_of(one, metric) for one in known])
    forest = RandomForestRegressor(_N_TREES, oob_score=True, random_state=0).fit(inputs, values)
    found = permutation_importance(forest, inputs, values, n_repeats=_N_REPEATS, random_state=0)
    gains = np.maximum(found.importances_mean, 0.0)
    # Where all values are equal, there is nothing to explain.
    shares = gains / gains.sum() if gains.sum() > 0 else gains
    return MetricImportances(metric, tuple(shares.tolist()), float(forest.oob_score_) if gains.any() else 0.0)
