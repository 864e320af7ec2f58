"""How the front grew while the study went on."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from paretoopt.errors import ObjectiveError
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
        seconds: What all candidates up to there took, reused outputs not counted; empty where that was not kept.
    """

    numbers: tuple[int, ...]
    shares: tuple[float, ...]
    seconds: tuple[float, ...] = ()


def plot_hypervolume_history(front: ParetoFront, *, over: Literal["trials", "seconds"] = "trials") -> go.Figure:
    """The hypervolume as the study went on; where it is flat, the search finds nothing better.

    Args:
        front: The front, with every candidate that was evaluated.
        over: ``"trials"``, or ``"seconds"`` of compute that the candidates took.

    Raises:
        ObjectiveError: ``over`` is ``"seconds"``, and no candidate tells what it took.
    """
    data = hypervolume_history_data(front)
    if over == "trials":
        return draw_hypervolume_over_trials(data)
    if data.numbers and not data.seconds:
        raise ObjectiveError("No candidate tells what it took, as those of a table do not. Use over='trials'.")
    return draw_hypervolume_over_seconds(data)


def hypervolume_history_data(front: ParetoFront) -> HypervolumeHistoryData:
    """What `draw_hypervolume_over_trials` and `draw_hypervolume_over_seconds` draw."""
    ordered = sorted(front.candidates, key=lambda candidate: candidate.number)
    spent = itertools.accumulate(sum(run.seconds for run in one.runs if not run.reused) for one in ordered)
    feasible = [
        (one, seconds)
        for one, seconds in zip(ordered, spent, strict=True)
        if is_feasible(one, front.objectives, front.constraints)
    ]
    candidates = [one for one, _ in feasible]
    has_seconds = any(one.runs for one in ordered)
    return HypervolumeHistoryData(
        numbers=tuple(one.number for one in candidates),
        shares=tuple(hypervolume_shares(costs_of(candidates, front.objectives))) if candidates else (),
        seconds=tuple(seconds for _, seconds in feasible) if has_seconds else (),
    )


def draw_hypervolume_over_trials(data: HypervolumeHistoryData) -> go.Figure:
    """The step line of ``data`` over the trials."""
    return _step_line(data, data.numbers, "trial", "after trial %{x}: %{y:.3f}")


def draw_hypervolume_over_seconds(data: HypervolumeHistoryData) -> go.Figure:
    """The step line of ``data`` over what the candidates took."""
    return _step_line(data, data.seconds, "compute (s)", "after %{x:,.0f} s, trial %{customdata}: %{y:.3f}")


def _step_line(data: HypervolumeHistoryData, places: Sequence[float], name: str, hover: str) -> go.Figure:
    line = go.Scatter(
        x=places,
        y=data.shares,
        customdata=data.numbers,
        mode="lines+markers",
        line={"shape": "hv", "color": theme.MEMBER, "width": 2},
        marker={"size": 5},
        hovertemplate=f"{hover}<extra></extra>",
    )
    figure = go.Figure(line)
    figure.update_layout(
        template=theme.LIGHT,
        xaxis={"title": {"text": name}, "rangemode": "tozero"},
        yaxis={"title": {"text": "hypervolume (share of the box)"}, "rangemode": "tozero"},
        margin={"t": 20},
    )
    return figure
