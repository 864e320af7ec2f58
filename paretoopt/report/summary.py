"""What a study found and what it took, in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.durations import duration_text
from paretoopt.front.feasibility import is_feasible
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.training_cost import TrainingCost, failed_training_cost, training_cost
from paretoopt.report.source import FailedCandidate, Pruned
from paretoopt.visualization.labels import short_title
from paretoopt.visualization.stage_seconds import stage_seconds_data


def summarize(front: ParetoFront, *, failures: Sequence[FailedCandidate] = (), pruned: Sequence[Pruned] = ()) -> str:
    """One paragraph: candidates, feasible ones, members, failures, trained models, time and what sharing saved."""
    counted = _pruned([one for one in pruned if one.stage is None]), _stopped([one for one in pruned if one.stage])
    wasted = [failed.training_cost for failed in failures] + [one.training_cost for one in pruned]
    parts = (_found(front), _failed(len(failures)), *counted, _trained(front, wasted), _took(front))
    return " ".join(part for part in parts if part)


def _found(front: ParetoFront) -> str:
    if not front.candidates:
        return "No candidate has been measured yet."
    n_feasible = sum(is_feasible(one, front.objectives, front.constraints) for one in front.candidates)
    infeasible = len(front.candidates) - n_feasible
    broken = f" {infeasible} of them {_verb(infeasible)} infeasible." if infeasible else ""
    wanted = ", ".join(
        f"{short_title(one.metric)} {'↓' if one.direction == 'minimize' else '↑'}" for one in front.objectives
    )
    measured = f"{_count(len(front.candidates), 'candidate')} {_verb(len(front.candidates), 'was', 'were')} measured."
    if not front.members:
        return f"{measured}{broken} None is on the Pareto front of {wanted}."
    return f"{measured}{broken} {len(front)} {_verb(len(front))} on the Pareto front of {wanted}."


def _failed(n_failures: int) -> str:
    return f"{_count(n_failures, 'candidate')} could not be evaluated." if n_failures else ""


def _pruned(pruned: Sequence[Pruned]) -> str:
    if not pruned:
        return ""
    n_dominated = sum(one.dominated_by is not None for one in pruned)
    return (
        f"{_count(len(pruned), 'candidate')} {_verb(len(pruned), 'was', 'were')} pruned before training: "
        f"{len(pruned) - n_dominated} for a limit on cost, {n_dominated} dominated even at best."
    )


def _stopped(stopped: Sequence[Pruned]) -> str:
    if not stopped:
        return ""
    spent = duration_text(sum(one.training_cost for one in stopped))
    return f"Training was stopped early for {_count(len(stopped), 'candidate')}, after {spent} in all."


def _trained(front: ParetoFront, wasted: Sequence[float]) -> str:
    """What training took, with what was spent on candidates that were not measured."""
    costs = [training_cost(candidate.runs) for candidate in front.candidates]
    cost = sum(costs, TrainingCost())
    if not cost.n_alone:
        return ""
    trained = f"Trained {_count(cost.n_trained, 'model')} for {_count(len(costs), 'candidate')}"
    cost = sum(map(failed_training_cost, wasted), cost)
    alone = f"{_count(cost.n_alone, 'training')} and {duration_text(cost.alone)}{_times(cost.alone, cost.spent)}"
    return f"{trained} in {duration_text(cost.spent)}; each candidate on its own would have taken {alone}."


def _took(front: ParetoFront) -> str:
    rows = stage_seconds_data(front.candidates)
    if not rows:
        return ""
    spent = sum(row.seconds_run for row in rows)
    alone = spent + sum(row.seconds_reused for row in rows)
    took = f"All stages took {duration_text(spent)}"
    return f"{took}; had nothing been shared, {duration_text(alone)}{_times(alone, spent)}."


def _times(alone: float, spent: float) -> str:
    return f", {alone / spent:.1f} times as long" if alone > spent > 0 else ""


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _verb(n: int, one: str = "is", many: str = "are") -> str:
    return one if n == 1 else many
