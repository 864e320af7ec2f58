"""The front as a table of texts that a browser can sort."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from paretoopt.candidate import Candidate
from paretoopt.front.choice import Choice
from paretoopt.front.feasibility import metrics_of, value_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.visualization.labels import interval_text, number_text, title, value_text


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: What is shown.
        order: What it is sorted by.
        note: A smaller text beneath; often empty.
    """

    text: str
    order: float | str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Column titles and rows."""

    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def make_table(front: ParetoFront, highlights: Mapping[str, Choice]) -> Table:
    """The members, best in the first objective first; objectives, then parameters, then other metrics."""
    first = front.objectives[0]
    members = sorted(front.members, key=lambda member: first.sign * value_of(member, first.metric))
    objectives = [objective.metric for objective in front.objectives]
    params = list(dict.fromkeys(name for member in members for name in member.params))
    others = [metric for metric in metrics_of(members) if metric not in objectives]
    has_probability = any(member.probability_nondominated is not None for member in members)
    probability = ("probability of being non-dominated",) if has_probability else ()
    seeds = ("seeds",) if any(member.n_seeds > 1 for member in members) else ()
    return Table(
        headers=("trial", *probability, *seeds, *(title(name) for name in [*objectives, *params, *others])),
        rows=tuple(
            (
                _number_cell(member, highlights),
                *(_probability_cell(member) for _ in probability),
                *(Cell(str(member.n_seeds), member.n_seeds) for _ in seeds),
                *(_metric_cell(member, name) for name in objectives),
                *(_param_cell(member, name) for name in params),
                *(_metric_cell(member, name) for name in others),
            )
            for member in members
        ),
    )


def _number_cell(member: Candidate, highlights: Mapping[str, Choice]) -> Cell:
    labels = ", ".join(label for label, choice in highlights.items() if choice.candidate is member)
    return Cell(str(member.number), member.number, labels)


def _probability_cell(member: Candidate) -> Cell:
    if member.probability_nondominated is None:
        return Cell("–", "")
    return Cell(f"{member.probability_nondominated:.0%}", member.probability_nondominated)


def _param_cell(member: Candidate, name: str) -> Cell:
    value = member.params.get(name)
    if value is None:
        return Cell("–", "")
    return Cell(value_text(value), float(value) if isinstance(value, int | float) else str(value))


def _metric_cell(member: Candidate, name: str) -> Cell:
    value = value_of(member, name)
    if math.isnan(value):
        return Cell("–", "")
    return Cell(number_text(value), value, interval_text(member.measurements[name]))
