"""Candidates as a table."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from paretoopt.candidate import Candidate
from paretoopt.front.feasibility import metrics_of
from paretoopt.objectives import Objective

if TYPE_CHECKING:
    import pandas as pd


def make_frame(rows: Mapping[str, Sequence[object]] | Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The table of columns by name, or of rows.

    pandas is loaded here and not before: whoever lists trials in a terminal would wait for it, which is a third of
    the whole time (docs/results/start_time.md).
    """
    frame: pd.DataFrame = importlib.import_module("pandas").DataFrame(rows)
    return frame


def to_frame(candidates: Sequence[Candidate], objectives: Sequence[Objective] = ()) -> pd.DataFrame:
    """One row per candidate, one column per parameter and metric.

    Returns:
        Columns ``number``, the parameters, the metrics with the objectives first, and at the end
        ``<metric>_low`` and ``<metric>_high`` for each metric with a known interval, and
        ``probability_nondominated`` where some candidate has it, and ``n_seeds`` where one has several.
    """
    params = list(dict.fromkeys(name for candidate in candidates for name in candidate.params))
    metrics = list(dict.fromkeys([*(objective.metric for objective in objectives), *metrics_of(candidates)]))
    columns: dict[str, list[object]] = {"number": [candidate.number for candidate in candidates]}
    columns |= {name: [candidate.params.get(name) for candidate in candidates] for name in params}
    columns |= {metric: _values(candidates, metric, "value") for metric in metrics}
    for metric in metrics:
        for end in ("low", "high"):
            values = _values(candidates, metric, end)
            if any(value is not None for value in values):
                columns[f"{metric}_{end}"] = values
    probabilities: list[object] = [candidate.probability_nondominated for candidate in candidates]
    if any(probability is not None for probability in probabilities):
        columns["probability_nondominated"] = probabilities
    if any(candidate.n_seeds > 1 for candidate in candidates):
        columns["n_seeds"] = [candidate.n_seeds for candidate in candidates]
    return make_frame(columns)


def _values(candidates: Sequence[Candidate], metric: str, end: str) -> list[object]:
    return [getattr(candidate.measurements.get(metric), end, None) for candidate in candidates]
