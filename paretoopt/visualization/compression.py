"""What compression costs: the change of quality against how many times smaller a candidate is than the baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.baseline import find_baseline
from paretoopt.front.choice import Choice
from paretoopt.front.feasibility import metrics_of, value_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization import theme
from paretoopt.visualization.labels import hover_text, number_text, short_title
from paretoopt.visualization.scale import check_known, is_log, log_ticks

_SIZES = ("artifact_mib", "memory_mib", "memory_total_mib")


@dataclass(frozen=True)
class CompressedPoint:
    """One candidate.

    Attributes:
        number: The trial's number.
        times: How many times smaller than the baseline it is.
        change: Change of quality against the baseline, in percent of the baseline's; losses are negative.
        low: The lower end of its own interval, likewise; equal to ``change`` where it is not known.
        high: The upper end.
        hover: The text under the pointer.
    """

    number: int
    times: float
    change: float
    low: float
    high: float
    hover: str


@dataclass(frozen=True)
class CompressionData:
    """Every candidate against the baseline.

    Attributes:
        quality: Name of the quality.
        size: Name of the size.
        baseline: The baseline's trial.
        best: The candidates that none beats in both, from the largest on.
        others: All others.
    """

    quality: str
    size: str
    baseline: int
    best: tuple[CompressedPoint, ...]
    others: tuple[CompressedPoint, ...]


def plot_compression(
    front: ParetoFront,
    *,
    baseline: Candidate | Choice | None = None,
    quality: str | None = None,
    size: str | None = None,
) -> go.Figure:
    """The change of quality against how many times smaller each candidate is than the baseline.

    Args:
        front: The front, with every candidate that was evaluated.
        baseline: What the others are compared with; left out, the uncompressed candidate.
        quality: A metric of which more is better; left out, the first objective that is maximised.
        size: A metric of size; left out, the artifact's, or memory where that is not measured.

    Raises:
        ObjectiveError: There is no baseline, or no such metric, or the baseline's is not above 0.
    """
    return draw_compression(compression_data(front, baseline=baseline, quality=quality, size=size))


def compression_data(
    front: ParetoFront,
    *,
    baseline: Candidate | Choice | None = None,
    quality: str | None = None,
    size: str | None = None,
) -> CompressionData:
    """What `draw_compression` draws; the arguments are those of `plot_compression`.

    Raises:
        ObjectiveError: There is no baseline, or no such metric, or the baseline's is not above 0.
    """
    reference = baseline.candidate if isinstance(baseline, Choice) else baseline or find_baseline(front.candidates)
    if reference is None:
        raise ObjectiveError("No candidate is uncompressed, so there is nothing to compare with. Give baseline=.")
    quality = quality or next((one.metric for one in front.objectives if one.direction == "maximize"), None)
    size = size or next((name for name in _SIZES if name in metrics_of(front.candidates)), None)
    if quality is None or size is None:
        raise ObjectiveError(
            "It is not known what is quality and what is size. Name the metrics with quality= and size=."
        )
    for name in (quality, size):
        check_known(front.candidates, name)
        if not value_of(reference, name) > 0:
            raise ObjectiveError(f"{name!r} of the baseline, trial {reference.number}, is not above 0. Give another.")
    points = [_point(one, reference, quality, size) for one in front.candidates]
    drawn = [point for point in points if math.isfinite(point.times) and math.isfinite(point.change)]
    best = _best(drawn)
    others = tuple(point for point in drawn if point not in best)
    return CompressionData(quality, size, reference.number, best, others)


def draw_compression(data: CompressionData) -> go.Figure:
    """The scatter plot of ``data``, the best at each size joined by a line."""
    figure = go.Figure()
    if data.others:
        figure.add_trace(_trace(data.others, "beaten in both", {"size": 7, "color": theme.DOMINATED, "opacity": 0.6}))
    if data.best:
        trace = _trace(data.best, "best at its size", {"size": 10, "color": theme.MEMBER})
        bars = {
            "type": "data",
            "symmetric": False,
            "array": [point.high - point.change for point in data.best],
            "arrayminus": [point.change - point.low for point in data.best],
            "color": theme.INTERVAL,
            "thickness": 1,
            "width": 0,
        }
        # Going to smaller ones, the best quality falls as soon as its candidate is passed.
        line = {"shape": "vh", "dash": "dot", "width": 1.5, "color": theme.DOMINATED}
        trace.update(error_y=bars, mode="lines+markers", line=line)
        figure.add_trace(trace)
    figure.add_hline(y=0, line={"width": 1, "dash": "dash", "color": theme.DOMINATED})
    figure.update_layout(
        template=theme.LIGHT,
        xaxis=_times_axis(data, [point.times for point in (*data.best, *data.others)]),
        yaxis={"title": {"text": f"change of {short_title(data.quality)} (%)"}, "ticksuffix": " %"},
        hovermode="closest",
    )
    return figure


def _point(candidate: Candidate, reference: Candidate, quality: str, size: str) -> CompressedPoint:
    def change(value: float) -> float:
        return 100 * (value / value_of(reference, quality) - 1)

    value = value_of(candidate, quality)
    bytes_taken = value_of(candidate, size)
    measured = candidate.measurements.get(quality)
    low = measured.low if measured is not None and measured.low is not None else value
    high = measured.high if measured is not None and measured.high is not None else value
    return CompressedPoint(
        number=candidate.number,
        times=value_of(reference, size) / bytes_taken if bytes_taken > 0 else math.nan,
        change=change(value),
        low=change(low),
        high=change(high),
        hover=hover_text(candidate),
    )


def _best(points: Sequence[CompressedPoint]) -> tuple[CompressedPoint, ...]:
    """Those with a better quality than all that are as small or smaller, from the largest on."""
    best: list[CompressedPoint] = []
    for point in sorted(points, key=lambda one: (-one.times, -one.change)):
        if not best or point.change > best[-1].change:
            best.append(point)
    return tuple(reversed(best))


def _trace(points: Sequence[CompressedPoint], name: str, marker: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=[point.times for point in points],
        y=[point.change for point in points],
        mode="markers",
        name=name,
        marker=marker,
        hovertext=[point.hover for point in points],
        hoverinfo="text",
    )


def _times_axis(data: CompressionData, times: Sequence[float]) -> dict[str, object]:
    name = f"times smaller ({short_title(data.size)})"
    axis: dict[str, object] = {"title": {"text": name}, "ticksuffix": " ×"}
    if is_log(times):
        ticks = log_ticks(min(times) / 1.5, max(times) * 1.5)
        axis |= {"type": "log", "tickvals": ticks, "ticktext": [f"{number_text(tick)} ×" for tick in ticks]}
    return axis
