"""How the front grew while the study went on."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from paretoopt.front.dominance import costs_of
from paretoopt.front.feasibility import is_feasible
from paretoopt.front.hypervolume_share import hypervolume_shares
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme


@dataclass(frozen=True)
class HypervolumeHistoryData:
    """The hypervolume after each feasible candidate.

    Attributes:
        numbers: The trials' numbers, ascending.
        shares: Hypervolume so far, as a share of the box between the best values and the reference
            point of all feasible candidates; in [0, 1].
    """

    numbers: tuple[int, ...]
    shares: tuple[float, ...]


def plot_hypervolume_history(front: ParetoFront) -> go.Figure:
    """The hypervolume over the trials; where it is flat, the search finds nothing better."""
    return draw_hypervolume_history(hypervolume_history_data(front))


def hypervolume_history_data(front: ParetoFront) -> HypervolumeHistoryData:
    """What `draw_hypervolume_history` draws."""
    feasible = [one for one in front.candidates if is_feasible(one, front.objectives, front.constraints)]
    feasible.sort(key=lambda candidate: candidate.number)
    numbers = tuple(candidate.number for candidate in feasible)
    shares = hypervolume_shares(costs_of(feasible, front.objectives)) if feasible else ()
    return HypervolumeHistoryData(numbers, tuple(shares))


def draw_hypervolume_history(data: HypervolumeHistoryData) -> go.Figure:
    """The step line of ``data``."""
    line = go.Scatter(
        x=data.numbers,
        y=data.shares,
        mode="lines+markers",
        line={"shape": "hv", "color": theme.MEMBER, "width": 2},
        marker={"size": 5},
        hovertemplate="after trial %{x}: %{y:.3f}<extra></extra>",
    )
    figure = go.Figure(line)
    figure.update_layout(
        template=theme.LIGHT,
        xaxis={"title": {"text": "trial"}},
        yaxis={"title": {"text": "hypervolume (share of the box)"}, "rangemode": "tozero"},
        margin={"t": 20},
    )
    return figure
