"""One candidate against another, in words."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.candidate import Candidate
from paretoopt.front.feasibility import value_of
from paretoopt.objectives import Objective


def compared(chosen: Candidate, other: Candidate, objectives: Sequence[Objective]) -> str:
    """What ``other`` has in each objective, and by how much that is better or worse."""
    return ", ".join(_difference(chosen, other, objective) for objective in objectives)


def may_be_chance(first: Candidate, second: Candidate, metric: str) -> bool:
    """Whether the intervals of two different values overlap; False where one is not known."""
    one, two = first.measurements[metric], second.measurements[metric]
    if one.low is None or one.high is None or two.low is None or two.high is None or one.value == two.value:
        return False
    return one.low <= two.high and two.low <= one.high


def _difference(chosen: Candidate, other: Candidate, objective: Objective) -> str:
    mine, theirs = value_of(chosen, objective.metric), value_of(other, objective.metric)
    if mine == theirs:
        return f"{objective.metric} equal"
    word = "better" if objective.sign * theirs < objective.sign * mine else "worse"
    return f"{objective.metric} {theirs:.4g} ({word} by {abs(theirs - mine):.4g})"
