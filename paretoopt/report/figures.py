"""The figures of a report, as what plotly.js takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme
from paretoopt.visualization.compression import plot_compression
from paretoopt.visualization.dimensions import varied
from paretoopt.visualization.hypervolume_history import plot_hypervolume_history
from paretoopt.visualization.importances import LEAST, plot_importances
from paretoopt.visualization.labels import hover_text
from paretoopt.visualization.marginal_effects import plot_marginal_effects
from paretoopt.visualization.parallel_coordinates import plot_parallel_coordinates
from paretoopt.visualization.pareto_front_3d import plot_pareto_front_3d
from paretoopt.visualization.stage_seconds import plot_stage_seconds

# Any: plotly's figures are untyped JSON.
FigureJson = dict[str, Any]

EFFECTS = "effects-"
"""What the names of figures of marginal effects start with; the metric follows."""

_AXES_OF_3D = 3


def make_figures(front: ParetoFront, *, baseline: Candidate | None = None) -> dict[str, FigureJson]:
    """The figures that do not follow the reader's limits, by name; those with nothing to show are left out."""
    figures: dict[str, go.Figure] = {}
    has_runs = any(candidate.runs for candidate in front.candidates)
    if front.members:
        figures["parallel-coordinates"] = plot_parallel_coordinates(front)
        figures["hypervolume-history"] = plot_hypervolume_history(front)
        if has_runs:
            figures["hypervolume-seconds"] = plot_hypervolume_history(front, over="seconds")
        if len(front.objectives) >= _AXES_OF_3D:
            figures["front-3d"] = plot_pareto_front_3d(front, baseline=baseline)
    figures |= _effects(front)
    if has_runs:
        figures["stage-seconds"] = plot_stage_seconds(front)
    if baseline is not None:
        figures |= _compression(front, baseline)
    places = {hover_text(candidate): place for place, candidate in enumerate(front.candidates)}
    return {name: as_json(figure, places) for name, figure in figures.items()}


def templates() -> dict[str, FigureJson]:
    """The light and the dark template, for the page to choose from."""
    return {"light": theme.LIGHT.to_plotly_json(), "dark": theme.DARK.to_plotly_json()}


def as_json(figure: go.Figure, places: Mapping[str, int]) -> FigureJson:
    """The figure without its template, which the page sets, and with candidates' places for their hover texts.

    A candidate's text is long, and the page makes it from what it has; ``places`` tells where each text's candidate is.
    """
    content: FigureJson = json.loads(figure.to_json())
    content["layout"].pop("template", None)
    for trace in content["data"]:
        if isinstance(trace.get("hovertext"), list):
            trace["hovertext"] = [places.get(text, text) for text in trace["hovertext"]]
    return content


def _effects(front: ParetoFront) -> dict[str, go.Figure]:
    measured = {name for one in front.candidates for name in one.measurements}
    metrics = [one.metric for one in front.objectives if one.metric in measured]
    if len(front.candidates) < LEAST or not varied(front.candidates):
        return {}
    figures = {}
    try:
        figures["importances"] = plot_importances(front, metrics=metrics)
        figures |= {f"{EFFECTS}{metric}": plot_marginal_effects(front, metric=metric) for metric in metrics}
    except ObjectiveError:
        # Enough candidates, but too few of them with a measured objective: a report shows what there is.
        return figures
    return figures


def _compression(front: ParetoFront, baseline: Candidate) -> dict[str, go.Figure]:
    try:
        return {"compression": plot_compression(front, baseline=baseline)}
    except ObjectiveError:
        # Nothing says what is size or quality, or the baseline has no such value.
        return {}
