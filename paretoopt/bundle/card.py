"""The model card of a bundle: what somebody who was not there must know, as Markdown with plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jinja2

from paretoopt.bundle.card_plots import front_svg, latency_svg
from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization.labels import interval_text, number_text, short_title, title
from paretoopt.visualization.pareto_front import pareto_front_data

CARD_FILE = "MODEL_CARD.md"
_ESCAPED = str.maketrans({character: f"\\{character}" for character in "\\|`*[]<>"})


@dataclass(frozen=True)
class _Row:
    title: str
    value: str
    interval: str
    is_shape: bool


@dataclass(frozen=True)
class _Plot:
    name: str
    text: str
    content: str


def card_files(record: Mapping[str, Any], candidate: Candidate, front: ParetoFront | None) -> dict[str, str]:
    """The card and its plots, by file name.

    Args:
        record: What the manifest records.
        candidate: The candidate of the bundle.
        front: What it was chosen from; None for a card without that plot.
    """
    plots = [plot for plot in (_front_plot(candidate, front), _latency_plot(candidate)) if plot is not None]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("paretoopt.bundle"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown: `line` escapes what comes from data
    )
    environment.filters["line"] = _line
    card = environment.get_template(f"{CARD_FILE}.j2").render(
        record=record, rows=_rows(record, candidate), environments=_environments(record), plots=plots
    )
    return {CARD_FILE: card, **{plot.name: plot.content for plot in plots}}


def _line(value: object) -> str:
    r"""``value`` on one line, without meaning in Markdown or HTML.

    >>> _line("a|b")
    'a\\|b'
    """
    return " ".join(str(value).split()).translate(_ESCAPED)


def _rows(record: Mapping[str, Any], candidate: Candidate) -> list[_Row]:
    shape = set(record["measured_before_training"])
    return [
        _Row(title(metric), number_text(measurement.value), interval_text(measurement), metric in shape)
        for metric, measurement in candidate.measurements.items()
    ]


def _environments(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """The measures of each environment."""
    found: dict[str, list[str]] = {}
    for one in record["measurements"].values():
        if one["environment"] is not None and one["measure"] not in found.setdefault(one["environment"], []):
            found[one["environment"]].append(one["measure"])
    return found


def _front_plot(candidate: Candidate, front: ParetoFront | None) -> _Plot | None:
    if front is None:
        return None
    try:
        data = pareto_front_data(front, marks={"this one": candidate})
    except ObjectiveError:  # fewer than two metrics: nothing to plot
        return None
    text = f"The front: {short_title(data.y)} against {short_title(data.x)}"
    return _Plot("front.svg", text, front_svg(data))


def _latency_plot(candidate: Candidate) -> _Plot | None:
    latencies = {name: one for name, one in candidate.measurements.items() if name.startswith("latency_p")}
    if not latencies:
        return None
    return _Plot("latency.svg", "Percentiles of latency with their 95 % intervals", latency_svg(latencies))
