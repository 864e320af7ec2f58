"""What is said of a trial whose best case is known: that it breaks a constraint, or that another trial dominates it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from paretoopt.front.prospects import Dominator, dominator
from paretoopt.objectives import Constraint
from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes

# A tie in one objective leaves no shortfall, and a sampler takes what is not above 0 for feasible.
_LEAST_SHORTFALL = 1e-6


def judge_best_case(
    candidate: Watched, others: Sequence[Watched], wishes: Wishes, *, bounds: Mapping[str, float], deviations: float
) -> Verdict | None:
    """Judge a trial by the best values that it can have.

    Args:
        candidate: The trial.
        others: All other trials; those that are complete and satisfy the constraints may dominate it.
        wishes: Objectives and constraints.
        bounds: The best values that metrics can still reach, by metric; known ones are taken as they are.
        deviations: How many standard errors values may be off before that decides anything.

    Returns:
        None where the trial may still be worth going on with.
    """
    best = dict(candidate.known)
    for metric, bound in bounds.items():
        latest = candidate.latest(metric)
        best[metric] = Estimate(bound, latest.standard_error if latest else 0.0)
    for limit in wishes.constraints:
        if limit.metric in best and (excess := _excess(limit, best[limit.metric], deviations)) > 0:
            reason = f"{_phrase(limit.metric, best, bounds)}, which breaks {limit}"
            return Verdict(reason, max(excess, _LEAST_SHORTFALL))
    members = [other for other in others if _is_member(other, wishes)]
    found = _dominator(best, members, wishes, deviations) if members else None
    if found is None:
        return None
    winner = members[found.index]
    own = ", ".join(_phrase(objective.metric, best, bounds) for objective in wishes.objectives)
    return Verdict(
        f"{own}; trial {winner.number} has {_values(winner, wishes)}",
        max(found.shortfall, _LEAST_SHORTFALL),
        dominated_by=winner.number,
    )


def _excess(limit: Constraint, best: Estimate, deviations: float) -> float:
    """How far even a lucky error leaves the value beyond the limit, as a share of the limit."""
    violation = limit.violation(best.value) - deviations * best.standard_error
    return violation / (abs(limit.bound) or 1.0)


def _is_member(other: Watched, wishes: Wishes) -> bool:
    """Whether the trial is complete and known to satisfy every constraint."""
    if other.finals is None or not other.is_feasible:
        return False
    finals = [(limit, other.final(limit.metric)) for limit in wishes.constraints]
    return all(final is not None and limit.violation(final.value) <= 0 for limit, final in finals)


def _dominator(
    best: Mapping[str, Estimate], members: Sequence[Watched], wishes: Wishes, deviations: float
) -> Dominator | None:
    unknown = [Estimate(-objective.sign * math.inf) for objective in wishes.objectives]
    own = [best.get(objective.metric, none) for objective, none in zip(wishes.objectives, unknown, strict=True)]
    finals = [[member.final(objective.metric) for objective in wishes.objectives] for member in members]
    signs = np.array([objective.sign for objective in wishes.objectives])
    costs = signs * np.array([[final.value if final else np.nan for final in row] for row in finals])
    errors = np.array([[final.standard_error if final else 0.0 for final in row] for row in finals])
    best_costs = signs * np.array([estimate.value for estimate in own])
    own_errors = np.array([estimate.standard_error for estimate in own])
    # A value with its error that both have, as candidates of one shape do, is one measurement: a tie.
    is_shared = (costs == best_costs) & (errors == own_errors)
    margins = np.where(is_shared, 0.0, deviations * np.hypot(errors, own_errors))
    return dominator(best_costs, costs, margins)


def _phrase(metric: str, best: Mapping[str, Estimate], bounds: Mapping[str, float]) -> str:
    verb = "can come to" if metric in bounds else "is"
    return f"{metric} {verb} {best[metric].value:.4g}"


def _values(member: Watched, wishes: Wishes) -> str:
    finals = [member.final(objective.metric) for objective in wishes.objectives]
    return ", ".join(f"{final.value:.4g}" for final in finals if final)
