"""A chosen candidate and the reason for it, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paretoopt.candidate import Candidate, Measurements
from paretoopt.front.dominance import costs_of, dominates
from paretoopt.front.feasibility import value_of
from paretoopt.objectives import Constraint, Objective
from paretoopt.space import Params


@dataclass(frozen=True)
class Choice:
    """The candidate that was picked.

    Attributes:
        candidate: The candidate itself.
        why: What it was chosen for, its margins, what it beats, and its runner-up; one fact a line.
    """

    candidate: Candidate
    why: str

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.candidate.number

    @property
    def params(self) -> Params:
        """The configuration."""
        return self.candidate.params

    @property
    def measurements(self) -> Measurements:
        """What was measured."""
        return self.candidate.measurements


def explain(
    ranking: Sequence[Candidate],
    criteria: Sequence[Objective],
    limits: Sequence[Constraint],
    *,
    reason: str,
    preferred: Objective | None = None,
) -> str:
    """Why the first of ``ranking`` was chosen, one fact a line.

    Args:
        ranking: The non-dominated candidates within the limits, the chosen one first.
        criteria: What the candidates are compared in.
        limits: What the chosen one satisfies.
        reason: What makes it the first, for example ``"has the best ndcg_at_10"``.
        preferred: What the ranking is by; None where it weighs all criteria.
    """
    chosen, *rivals = ranking
    lines = [f"Trial {chosen.number} {reason} {_among(len(ranking), has_limits=bool(limits))}."]
    lines += [_margin(chosen, limit) for limit in limits]
    if not rivals:
        return "\n".join(lines)
    if preferred is not None:
        lines.append(_lead(chosen, rivals, preferred))
    lines.append(_runner_up(chosen, rivals[0], criteria))
    if preferred is not None and _may_be_chance(chosen, rivals[0], preferred.metric):
        lines.append(f"Their 95 % intervals of {preferred.metric} overlap, so this difference may be chance.")
    return "\n".join(lines)


def explain_off_front(chosen: Candidate, members: Sequence[Candidate], objectives: Sequence[Objective]) -> str:
    """Says that ``chosen`` is no member of the front and which member dominates it; empty where it is one."""
    if any(chosen is member for member in members):
        return ""
    for member, costs in zip(members, costs_of(members, objectives), strict=True):
        if dominates(costs, costs_of([chosen], objectives)[0]):
            beaten = f"trial {member.number} dominates it in the objectives"
            return f"\nIt is not on the front ({beaten}), but what was asked goes beyond the objectives."
    return ""


def _among(n_candidates: int, *, has_limits: bool) -> str:
    place = " within the limits" if has_limits else ""
    if n_candidates == 1:
        return f"as the only non-dominated candidate{place}"
    return f"of {n_candidates} non-dominated candidates{place}"


def _margin(chosen: Candidate, limit: Constraint) -> str:
    value = value_of(chosen, limit.metric)
    return f"It satisfies {limit} with {value:.4g}, a margin of {-limit.violation(value):.4g}."


def _lead(chosen: Candidate, rivals: Sequence[Candidate], preferred: Objective) -> str:
    value = value_of(chosen, preferred.metric)
    leads = sorted(abs(value_of(rival, preferred.metric) - value) for rival in rivals)
    others = "1 other" if len(rivals) == 1 else f"{len(rivals)} others"
    span = f"{leads[0]:.4g}" if len(rivals) == 1 else f"{leads[0]:.4g} to {leads[-1]:.4g}"
    return f"Its {preferred.metric} of {value:.4g} leads the {others} by {span}."


def _runner_up(chosen: Candidate, other: Candidate, objectives: Sequence[Objective]) -> str:
    differences = ", ".join(_difference(chosen, other, objective) for objective in objectives)
    return f"The runner-up is trial {other.number}: {differences}."


def _difference(chosen: Candidate, other: Candidate, objective: Objective) -> str:
    mine, theirs = value_of(chosen, objective.metric), value_of(other, objective.metric)
    if mine == theirs:
        return f"{objective.metric} equal"
    word = "better" if objective.sign * theirs < objective.sign * mine else "worse"
    return f"{objective.metric} {theirs:.4g} ({word} by {abs(theirs - mine):.4g})"


def _may_be_chance(first: Candidate, second: Candidate, metric: str) -> bool:
    one, two = first.measurements[metric], second.measurements[metric]
    if one.low is None or one.high is None or two.low is None or two.high is None or one.value == two.value:
        return False
    return one.low <= two.high and two.low <= one.high
