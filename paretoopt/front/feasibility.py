"""Which candidates may be chosen, and how near the others came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from paretoopt.candidate import Candidate
from paretoopt.errors import NoFeasibleCandidateError, ObjectiveError
from paretoopt.objectives import Constraint, Objective

On = Literal["bound", "estimate"]
"""What a limit holds for: the end of the 95 % interval that is nearer to breaking it, or the value alone."""


def value_of(candidate: Candidate, metric: str) -> float:
    """The measured value; NaN where there is none, or none that is finite."""
    measurement = candidate.measurements.get(metric)
    return measurement.value if measurement is not None and math.isfinite(measurement.value) else math.nan


def limited_value(candidate: Candidate, limit: Constraint, on: On) -> float:
    """What ``limit`` is compared with; NaN where nothing is measured, and the value where no interval is known."""
    value = value_of(candidate, limit.metric)
    if on == "estimate" or math.isnan(value):
        return value
    measurement = candidate.measurements[limit.metric]
    end = measurement.high if limit.sense == "at_most" else measurement.low
    if end is None:
        return value
    return max(value, end) if limit.sense == "at_most" else min(value, end)


def is_feasible(
    candidate: Candidate, objectives: Sequence[Objective], constraints: Sequence[Constraint], on: On = "estimate"
) -> bool:
    """Whether every objective is measured and every constraint is satisfied."""
    is_measured = all(not math.isnan(value_of(candidate, objective.metric)) for objective in objectives)
    # A NaN compares False, so that what is not measured satisfies no constraint.
    return is_measured and all(_violation(candidate, constraint, on) <= 0 for constraint in constraints)


def tightest(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The constraints without those that a tighter one on the same metric implies."""
    kept: dict[tuple[str, str], Constraint] = {}
    for constraint in constraints:
        key = (constraint.metric, constraint.sense)
        if key not in kept or kept[key].violation(constraint.bound) < 0:
            kept[key] = constraint
    return tuple(kept.values())


def metrics_of(candidates: Sequence[Candidate]) -> list[str]:
    """Every metric that some candidate has, in the order of first appearance."""
    return list(dict.fromkeys(metric for candidate in candidates for metric in candidate.measurements))


def check_measured(candidates: Sequence[Candidate], metrics: Sequence[str]) -> None:
    """Raise ObjectiveError where no candidate has one of ``metrics``."""
    known = metrics_of(candidates)
    for metric in metrics:
        if metric not in known:
            raise ObjectiveError(f"{metric!r} is not measured. Use one of: {', '.join(known)}.")


def require_any(candidates: Sequence[Candidate]) -> None:
    """Raise NoFeasibleCandidateError where there is no candidate at all."""
    if not candidates:
        raise NoFeasibleCandidateError(
            "There is no candidate yet. Evaluate some first, for example with study.optimize(pipeline, n_trials=20)."
        )


def require_feasible(
    candidates: Sequence[Candidate],
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    on: On = "estimate",
) -> tuple[Candidate, ...]:
    """The feasible candidates.

    Raises:
        NoFeasibleCandidateError: There is none; the message names the nearest miss per limit.
    """
    require_any(candidates)
    feasible = tuple(candidate for candidate in candidates if is_feasible(candidate, objectives, constraints, on))
    if not feasible:
        raise NoFeasibleCandidateError(_why_none(candidates, objectives, constraints, on))
    return feasible


def _violation(candidate: Candidate, limit: Constraint, on: On) -> float:
    return limit.violation(limited_value(candidate, limit, on))


def _why_none(
    candidates: Sequence[Candidate], objectives: Sequence[Objective], constraints: Sequence[Constraint], on: On
) -> str:
    lines = [_unmeasured(candidates, objective.metric) for objective in objectives]
    lines += [_nearest_miss(candidates, constraint, on) for constraint in constraints]
    reasons = "".join(f"\n  {line}" for line in lines if line)
    n_by_value = sum(is_feasible(candidate, objectives, constraints) for candidate in candidates)
    certain = "certainly " if n_by_value else ""
    remedy = f"Relax a limit, evaluate more candidates, or take the {n_by_value} whose values alone satisfy them: "
    return f"None of {len(candidates)} candidates {certain}satisfies every limit.{reasons}\n" + (
        f"{remedy}on='estimate'." if n_by_value else "Relax a limit, or evaluate more candidates."
    )


def _unmeasured(candidates: Sequence[Candidate], metric: str) -> str:
    n_missing = sum(math.isnan(value_of(candidate, metric)) for candidate in candidates)
    return f"{metric}: not measured in {n_missing} of {len(candidates)} candidates." if n_missing else ""


def _nearest_miss(candidates: Sequence[Candidate], constraint: Constraint, on: On) -> str:
    measured = [candidate for candidate in candidates if not math.isnan(value_of(candidate, constraint.metric))]
    if not measured:
        return f"{constraint}: {constraint.metric} is not measured in any candidate."
    nearest = min(measured, key=lambda candidate: _violation(candidate, constraint, on))
    violation = _violation(nearest, constraint, on)
    if violation <= 0:
        n_within = sum(_violation(candidate, constraint, on) <= 0 for candidate in measured)
        verb = "satisfies" if n_within == 1 else "satisfy"
        return f"{constraint}: {n_within} of {len(candidates)} {verb} it, but break another limit or lack a value."
    value = with_bound(nearest, constraint, on)
    return f"{constraint}: nearest is trial {nearest.number} with {value}, which misses it by {violation:.4g}."


def with_bound(candidate: Candidate, limit: Constraint, on: On) -> str:
    """The value, and what the limit is compared with where that is another, in words."""
    value, limited = value_of(candidate, limit.metric), limited_value(candidate, limit, on)
    if limited == value:
        return f"{value:.4g}"
    return f"{value:.4g}, {limited:.4g} at the {'upper' if limited > value else 'lower'} end of its 95 % interval"
