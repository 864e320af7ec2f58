"""The figures of a report, as what plotly.js takes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from paretoopt.front.choice import Choice
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import Objective
from paretoopt.visualization import theme
from paretoopt.visualization.hypervolume_history import plot_hypervolume_history
from paretoopt.visualization.labels import short_title
from paretoopt.visualization.parallel_coordinates import plot_parallel_coordinates
from paretoopt.visualization.pareto_front import pareto_front_data
from paretoopt.visualization.pareto_front_drawing import draw_pareto_front
from paretoopt.visualization.stage_seconds import plot_stage_seconds

# Any: plotly's figures are untyped JSON.
FigureJson = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One view of the front: a pair of objectives.

    Attributes:
        name: What is against what.
        figure: The plot; each of its hover texts is a place in `Panels.hover_texts`.
    """

    name: str
    figure: FigureJson


@dataclass(frozen=True)
class Panels:
    """Every view of the front, and the hover texts that they share: one per candidate, not one per point."""

    panels: tuple[Panel, ...]
    hover_texts: tuple[str, ...]


def make_panels(front: ParetoFront, highlights: Mapping[str, Choice]) -> Panels:
    """One plot of the front per pair of objectives; none where there is but one objective."""
    marks = {label: choice.candidate for label, choice in highlights.items()}
    panels = []
    for first, second in itertools.combinations(front.objectives, 2):
        y, x = _upright(first, second)
        figure = draw_pareto_front(pareto_front_data(front, x=x.metric, y=y.metric, marks=marks))
        panels.append(Panel(f"{short_title(y.metric)} against {short_title(x.metric)}", as_json(figure)))
    traces = [trace for panel in panels for trace in panel.figure["data"]]
    texts = tuple(dict.fromkeys(text for trace in traces for text in trace.get("hovertext", [])))
    places = {text: place for place, text in enumerate(texts)}
    return Panels(tuple(Panel(panel.name, _with_places(panel.figure, places)) for panel in panels), texts)


def make_figures(front: ParetoFront) -> dict[str, FigureJson]:
    """The other plots, by name; those that have nothing to show are left out."""
    figures: dict[str, FigureJson] = {}
    if front.members:
        figures["parallel-coordinates"] = as_json(plot_parallel_coordinates(front))
        figures["hypervolume-history"] = as_json(plot_hypervolume_history(front))
    if any(candidate.runs for candidate in front.candidates):
        figures["stage-seconds"] = as_json(plot_stage_seconds(front.candidates))
    return figures


def templates() -> dict[str, FigureJson]:
    """The light and the dark template, for the page to choose from."""
    return {"light": theme.LIGHT.to_plotly_json(), "dark": theme.DARK.to_plotly_json()}


def as_json(figure: go.Figure) -> FigureJson:
    """The figure without its template, which the page sets."""
    content: FigureJson = json.loads(figure.to_json())
    content["layout"].pop("template", None)
    return content


def _upright(first: Objective, second: Objective) -> tuple[Objective, Objective]:
    """What goes up and what goes across: gains go up, costs across."""
    return (first, second) if first.direction == "maximize" or second.direction == "minimize" else (second, first)


def _with_places(figure: FigureJson, places: Mapping[str, int]) -> FigureJson:
    """The figure with each hover text replaced by its place."""
    traces = [
        trace | {"hovertext": [places[text] for text in trace["hovertext"]]} if "hovertext" in trace else trace
        for trace in figure["data"]
    ]
    return figure | {"data": traces}
