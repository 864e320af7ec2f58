"""What a study found and what it took, in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from paretoopt.front.feasibility import is_feasible
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.report.source import PrunedBeforeTraining
from paretoopt.visualization.labels import duration_text, short_title
from paretoopt.visualization.stage_seconds import stage_seconds_data

_TRAINING = "fit"


def summarize(front: ParetoFront, *, n_failures: int = 0, pruned: Sequence[PrunedBeforeTraining] = ()) -> str:
    """One paragraph: candidates, feasible ones, members, failures, trained models, time and what sharing saved."""
    parts = (_found(front), _failed(n_failures), _pruned(pruned), _trained(front), _took(front))
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


def _pruned(pruned: Sequence[PrunedBeforeTraining]) -> str:
    if not pruned:
        return ""
    n_dominated = sum(one.dominated_by is not None for one in pruned)
    return (
        f"{_count(len(pruned), 'candidate')} {_verb(len(pruned), 'was', 'were')} pruned before training: "
        f"{len(pruned) - n_dominated} for a limit on cost, {n_dominated} dominated even at best."
    )


def _trained(front: ParetoFront) -> str:
    runs = [run for candidate in front.candidates for run in candidate.runs if run.name == _TRAINING]
    n_models = len({run.key for run in runs if not run.reused})
    if not n_models:
        return ""
    return f"Trained {_count(n_models, 'model')} for {_count(len(front.candidates), 'candidate')}."


def _took(front: ParetoFront) -> str:
    rows = stage_seconds_data(front.candidates)
    if not rows:
        return ""
    spent = sum(row.seconds_run for row in rows)
    alone = spent + sum(row.seconds_reused for row in rows)
    factor = f", {alone / spent:.1f} times as long" if alone > spent > 0 else ""
    return f"All stages took {duration_text(spent)}; had nothing been shared, {duration_text(alone)}{factor}."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _verb(n: int, one: str = "is", many: str = "are") -> str:
    return one if n == 1 else many
