"""Figures of how much hypervolume searches have after so many epochs and trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from paretoopt.errors import MissingExtraError
from studies.benchmarks.search_runs import ENOUGH, Run, epochs_alone, epochs_with_store, shares_of
from studies.benchmarks.search_table import Table
from studies.benchmarks.searches import LISTED, SEARCHES

Floats = NDArray[np.float64]
Spending = Callable[[Table, Sequence[int]], Sequence[float]]

PANELS: dict[str, Spending] = {
    "epochs, each trial trained alone": epochs_alone,
    "epochs with the store": epochs_with_store,
    "trials": lambda table, rows: range(1, len(rows) + 1),
}
"""What is spent, by the title of its axis."""
_N_POINTS = 200
_LEAST = 0.5
_ROUND = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
_TICKS = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
# Colours of Okabe and Ito (2008), which people with any colour vision tell apart; kin differ in the dash.
_STYLES = {
    "random without repeats": ("#8A919E", "solid"),
    "quasi-random (QMCSampler)": ("#8A919E", "dot"),
    "TPESampler": ("#009E73", "dot"),
    "TPESampler(multivariate=True)": ("#009E73", "solid"),
    "NSGAIISampler": ("#CC79A7", "solid"),
    "NSGAIIISampler": ("#CC79A7", "dot"),
    "GPSampler": ("#E69F00", "solid"),
    "qLogNEHVI (BoTorch)": ("#D55E00", "solid"),
    "exhausting, cheapest next": ("#000000", "dash"),
    "paretoopt, costs predicted": ("#0072B2", "dot"),
    "paretoopt": ("#0072B2", "solid"),
    "paretoopt, costs known": ("#56B4E9", "solid"),
}


@dataclass(frozen=True)
class Curve:
    """The share of the hypervolume that runs of one search have, in the median and the quartiles.

    Attributes:
        search: The search.
        panel: What is spent.
        spent: Array of shape ``(n_points,)``.
        shares: Array of shape ``(3, n_points)``: the lower quartile, the median and the upper quartile.
    """

    search: str
    panel: str
    spent: Floats
    shares: Floats


def curves_of(table: Table, runs: Sequence[Run]) -> list[Curve]:
    """The curves of all searches of which there are runs on the table.

    A run that reached 99 % stays there; the curve ends where the first run ends that was stopped before.
    """
    curves = []
    for search in SEARCHES:
        own = [run for run in runs if (run.table, run.search) == (table.name, search)]
        shares = [shares_of(table, run.rows, is_log=False) for run in own]
        for panel, spending in PANELS.items():
            if own:
                curves.append(_curve(search, panel, [spending(table, run.rows) for run in own], shares))
    return curves


def _curve(search: str, panel: str, spent: Sequence[Sequence[float]], shares: Sequence[Sequence[float]]) -> Curve:
    pairs = list(zip(spent, shares, strict=True))
    unfinished = [one[-1] for one, reached in pairs if reached[-1] < ENOUGH]
    end = min(unfinished, default=max(one[-1] for one in spent))
    points = np.geomspace(min(one[0] for one in spent), end, _N_POINTS)
    at = [np.array([0.0, *reached])[np.searchsorted(one, points, side="right")] for one, reached in pairs]
    return Curve(search, panel, points, np.quantile(at, (0.25, 0.5, 0.75), axis=0))


def draw_curves(title: str, curves: Sequence[Curve]) -> go.Figure:
    """A panel for each way to count, and the legend in the fourth place."""
    figure = make_subplots(rows=2, cols=2, horizontal_spacing=0.09, vertical_spacing=0.13)
    places = {panel: (place // 2 + 1, place % 2 + 1) for place, panel in enumerate(PANELS)}
    for is_band in (True, False):
        for curve in curves:
            row, column = places[curve.panel]
            is_first = not is_band and curve.panel == next(iter(PANELS))
            figure.add_trace(_band(curve) if is_band else _line(curve, is_named=is_first), row=row, col=column)
    for panel, (row, column) in places.items():
        figure.update_xaxes(title_text=panel, type="log", tickvals=_ROUND, tickformat=",d", row=row, col=column)
    # The axis is the logarithm of what is missing, turned around: the last percents are where searches differ.
    missing = [1 - tick for tick in _TICKS]
    figure.update_yaxes(
        type="log",
        range=[np.log10(1 - _LEAST), np.log10((1 - ENOUGH) * 0.8)],
        tickvals=missing,
        ticktext=[f"{tick:.0%}" for tick in _TICKS],
        title_text="share of the hypervolume",
    )
    figure.update_layout(
        template="plotly_white",
        title={"text": title, "x": 0.5, "xanchor": "center"},
        font={"size": 14, "color": "#1F2430"},
        width=1180,
        height=900,
        margin={"l": 70, "r": 20, "t": 60, "b": 60},
        legend={"x": 0.58, "y": 0.36, "yanchor": "top", "font": {"size": 14}},
    )
    return figure


def write_figure(figure: go.Figure, path: Path) -> None:
    """Write a PNG file, twice as fine as it is shown.

    Raises:
        MissingExtraError: Kaleido is not installed.
    """
    if find_spec("kaleido") is None:
        raise MissingExtraError(
            "Figures need kaleido: pip install 'paretoopt[benchmarks]', or leave them out by --without-figures."
        )
    figure.write_image(path, scale=2)


def _line(curve: Curve, *, is_named: bool) -> go.Scatter:
    colour, dash = _STYLES[curve.search]
    return go.Scatter(
        x=curve.spent,
        y=_missing(curve.shares[1]),
        name=curve.search,
        legendgroup=curve.search,
        showlegend=is_named,
        line={
            "color": colour,
            "dash": dash,
            "shape": "hv",
            "width": 3.5 if curve.search.startswith("paretoopt") else 2,
        },
        mode="lines",
    )


def _band(curve: Curve) -> go.Scatter:
    red, green, blue = (int(_STYLES[curve.search][0][start : start + 2], 16) for start in (1, 3, 5))
    low, _, high = _missing(curve.shares)
    return go.Scatter(
        x=np.concatenate([curve.spent, curve.spent[::-1]]),
        y=np.concatenate([low, high[::-1]]),
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},{0.06 if curve.search in LISTED else 0.13})",
        line={"width": 0},
        showlegend=False,
        hoverinfo="skip",
    )


def _missing(shares: Floats) -> Floats:
    # What is beyond the last tick is drawn at the edge: searches are not followed after they reached 99 %.
    return np.maximum(1 - shares, (1 - ENOUGH) * 0.9)
