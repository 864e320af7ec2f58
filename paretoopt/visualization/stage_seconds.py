"""Where the time of a study went, and what reusing stages saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.durations import duration_text
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme


@dataclass(frozen=True)
class StageSeconds:
    """One stage or measure over all candidates.

    Attributes:
        name: The stage's name.
        n_run: How many different outputs were made.
        n_reused: How many times an output was there already.
        seconds_run: What making them took.
        seconds_reused: What making the reused ones again would have taken.
    """

    name: str
    n_run: int
    n_reused: int
    seconds_run: float
    seconds_reused: float


def plot_stage_seconds(candidates: ParetoFront | Sequence[Candidate]) -> go.Figure:
    """The time each stage took, beside the time that reusing its outputs saved.

    Args:
        candidates: Those that were evaluated; of a front, all and not its members alone.
    """
    if isinstance(candidates, ParetoFront):
        return draw_stage_seconds(stage_seconds_data(candidates.candidates))
    return draw_stage_seconds(stage_seconds_data(candidates))


def stage_seconds_data(candidates: Sequence[Candidate]) -> tuple[StageSeconds, ...]:
    """What `draw_stage_seconds` draws: one row per stage, in the order that they run in."""
    # A candidate can pass a stage over, so the one with the most stages tells the order best.
    ordered = sorted(candidates, key=lambda candidate: -len(candidate.runs))
    runs = [run for candidate in ordered for run in candidate.runs]
    rows = []
    for name in dict.fromkeys(run.name for run in runs):
        made = [run for run in runs if run.name == name and not run.reused]
        reused = [run for run in runs if run.name == name and run.reused]
        rows.append(
            StageSeconds(
                name=name,
                n_run=len({run.key for run in made}),
                n_reused=len(reused),
                seconds_run=sum(run.seconds for run in made),
                seconds_reused=sum(run.seconds for run in reused),
            )
        )
    return tuple(rows)


def draw_stage_seconds(rows: Sequence[StageSeconds]) -> go.Figure:
    """Stacked bars of ``rows``."""
    names = [row.name.replace("_", " ") for row in rows]
    figure = go.Figure(
        [
            go.Bar(
                y=names,
                x=[row.seconds_run for row in rows],
                orientation="h",
                name="run",
                marker={"color": theme.SPENT},
                hovertext=[f"{row.n_run} run: {duration_text(row.seconds_run)}" for row in rows],
                hoverinfo="text",
            ),
            go.Bar(
                y=names,
                x=[row.seconds_reused for row in rows],
                orientation="h",
                name="saved by reusing",
                marker={"color": theme.SAVED, "pattern": {"shape": "/", "fgcolor": theme.SPENT, "solidity": 0.15}},
                hovertext=[f"{row.n_reused} reused: {duration_text(row.seconds_reused)} saved" for row in rows],
                hoverinfo="text",
            ),
        ]
    )
    figure.update_layout(
        template=theme.LIGHT,
        barmode="stack",
        legend={"traceorder": "normal"},
        xaxis={"title": {"text": "time (s)"}},
        yaxis={"autorange": "reversed", "showline": False, "ticks": ""},
    )
    return figure
