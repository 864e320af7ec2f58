"""A candidate as a card: its configuration, and its objectives beside those of the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from paretoopt.candidate import Candidate
from paretoopt.front.choice import Choice
from paretoopt.front.feasibility import value_of
from paretoopt.objectives import Objective
from paretoopt.space import Params
from paretoopt.visualization.labels import interval_text, number_text, title, value_text

_MANIFOLD = 3.0


@dataclass(frozen=True)
class Fact:
    """One objective on a card.

    Attributes:
        name: The metric's title.
        value: Its value in words.
        interval: Its interval in words; empty where it is not known.
        change: The difference to the baseline in words; empty where there is none.
        verdict: Whether that difference is for the better.
    """

    name: str
    value: str
    interval: str
    change: str
    verdict: Literal["better", "worse", "same"]


@dataclass(frozen=True)
class Card:
    """One highlighted candidate.

    Attributes:
        label: What it is, for example ``"knee, smallest memory"``.
        number: The trial's number.
        params: Each parameter's title and value.
        facts: One per objective.
        why: Why it is here, one fact a line.
        is_pick: Whether it is the one that was picked.
    """

    label: str
    number: int
    params: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    why: tuple[str, ...]
    is_pick: bool


def make_cards(
    highlights: Mapping[str, Choice], objectives: Sequence[Objective], baseline: Candidate | None
) -> tuple[Card, ...]:
    """One card per highlighted candidate; labels of the same candidate share one."""
    labels: dict[int, list[str]] = {}
    for label, choice in highlights.items():
        labels.setdefault(choice.number, []).append(label)
    first = {number: highlights[names[0]] for number, names in labels.items()}
    return tuple(
        Card(
            label=", ".join(labels[number]),
            number=number,
            params=params_text(choice.params),
            facts=tuple(_fact(choice.candidate, objective, baseline) for objective in objectives),
            why=tuple(choice.why.splitlines()),
            is_pick="pick" in labels[number],
        )
        for number, choice in first.items()
    )


def params_text(params: Params) -> tuple[tuple[str, str], ...]:
    """Each parameter's title and value."""
    return tuple((title(name), value_text(value)) for name, value in params.items())


def change_text(value: float, reference: float) -> str:
    """The difference of ``value`` to ``reference`` in words.

    >>> change_text(80.0, 100.0), change_text(450.0, 100.0), change_text(100.0, 100.0), change_text(99.96, 100.0)
    ('−20 %', '4.5 ×', '', '−0.04 %')
    """
    # Written so that a NaN on either side is refused too.
    if not (reference > 0 and value >= 0) or value == reference:
        return ""
    if value >= _MANIFOLD * reference:
        return f"{value / reference:.2g} ×"
    percent = 100 * (value - reference) / reference
    digits = 0 if abs(percent) >= 10 else 1 if abs(percent) >= 0.1 else 2
    return f"{'+' if percent > 0 else '−'}{abs(percent):.{digits}f} %"


def _fact(candidate: Candidate, objective: Objective, baseline: Candidate | None) -> Fact:
    metric = objective.metric
    value = value_of(candidate, metric)
    reference = value if baseline is None or baseline is candidate else value_of(baseline, metric)
    gain = objective.sign * (reference - value)
    measurement = candidate.measurements.get(metric)
    return Fact(
        name=title(metric),
        value=number_text(value),
        interval="" if measurement is None else interval_text(measurement),
        change=change_text(value, reference),
        verdict="better" if gain > 0 else "worse" if gain < 0 else "same",
    )
