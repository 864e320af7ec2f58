"""Trials as rows: their parameters and measurements as columns."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.candidate import Candidate
from paretoopt.cli.output import Column
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.trial_records import TrialRecord

NUMBER: Column[TrialRecord] = Column("trial", "number", lambda one: one.number, is_number=True)


def record_of(candidate: Candidate) -> TrialRecord:
    """The record of a candidate that was evaluated."""
    return TrialRecord(candidate.number, candidate.params, candidate.measurements)


def columns_of(rows: Sequence[TrialRecord], definition: StudyDefinition) -> list[Column[TrialRecord]]:
    """A column per parameter and metric, objectives first, then the ends of the known intervals.

    The table shows the dimensions and the metrics of objectives and constraints; JSON and CSV have all.
    """
    searched = tuple(definition.space.dimensions)
    params = list(dict.fromkeys([*searched, *(name for row in rows for name in row.params)]))
    metrics = list(dict.fromkeys([*definition.metrics, *(name for row in rows for name in row.measurements)]))
    columns = [_param(name, is_shown=name in searched) for name in params]
    columns += [_metric(name, is_shown=name in definition.metrics) for name in metrics]
    ends = [(name, end) for name in metrics for end in ("low", "high")]
    return columns + [_end(*one) for one in ends if any(_part(row, *one) is not None for row in rows)]


def _param(name: str, *, is_shown: bool) -> Column[TrialRecord]:
    return Column(
        name,
        name,
        lambda row: row.params.get(name),
        lambda row: _text(row.params.get(name)),
        is_number=True,
        is_shown=is_shown,
    )


def _metric(name: str, *, is_shown: bool) -> Column[TrialRecord]:
    return Column(
        name,
        name,
        lambda row: _part(row, name, "value"),
        lambda row: _text(_part(row, name, "value")),
        is_number=True,
        is_shown=is_shown,
    )


def _end(metric: str, end: str) -> Column[TrialRecord]:
    name = f"{metric}_{end}"
    return Column(name, name, lambda row: _part(row, metric, end), is_shown=False)


def _part(row: TrialRecord, metric: str, part: str) -> float | None:
    value: float | None = getattr(row.measurements.get(metric), part, None)
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
