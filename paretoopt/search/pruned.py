"""Candidates that were pruned before or while they were trained: what is kept with their trials, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from paretoopt.candidate import Evaluation, Measurements, StageRun
from paretoopt.objectives import Constraint
from paretoopt.search.records import PARAMS, read_measured, write_measured
from paretoopt.space import Params

PRUNED = "pruned_before_training"
"""Why the candidate was not trained, ``{"reason": ..., "dominated_by": ...}``; more where training was ended."""
_CONSTRAINT = "stopped_early"


@dataclass(frozen=True)
class Stop:
    """Why and where the training of a candidate was ended early.

    Attributes:
        reason: In words.
        dominated_by: Number of the trial that would dominate it; None where there is none.
        stage: Name of the stage that was ended.
        key: Content address of what it would have given.
        epoch: The epoch after which it was; None where it did not begin.
        shortfall: How far the candidate is from being worth it; more than 0.
    """

    reason: str
    dominated_by: int | None
    stage: str
    key: str
    epoch: int | None
    shortfall: float


@dataclass(frozen=True)
class PrunedCandidate:
    """A candidate that was not trained, or not to the end, because it could not have joined the front.

    Attributes:
        number: The trial's number.
        params: The configuration.
        measurements: What was measured of its shape.
        reason: The limit that it breaks, or what it could not have reached.
        dominated_by: Number of the trial that would dominate it even with the best quality it could have; None where
            it breaks a limit.
        runs: The stages and measures that its shape took.
        stage: Name of the stage whose training was stopped early; None where it was pruned by its costs.
        epoch: The epoch after which it was stopped; None where it did not begin.
        training_cost: Worker-seconds of training that were newly spent on it.
    """

    number: int
    params: Params
    measurements: Measurements
    reason: str
    dominated_by: int | None = None
    runs: tuple[StageRun, ...] = ()
    stage: str | None = None
    epoch: int | None = None
    training_cost: float = 0.0


def write_pruned(
    trial: optuna.Trial,
    costs: Evaluation,
    reason: str,
    dominated_by: int | None,
    constraints: Sequence[Constraint],
) -> None:
    """Keep with a running trial what was measured and why it ends, and tell the sampler the constraints on costs.

    A candidate that breaks a limit is infeasible for the sampler by as much as it breaks it. A dominated one is
    feasible: told as pruned, it comes after every completed trial and before every infeasible one.
    """
    write_measured(trial, costs, constraints)
    trial.set_user_attr(PRUNED, {"reason": reason, "dominated_by": dominated_by})


def write_stopped(
    trial: optuna.Trial, costs: Evaluation, stop: Stop, training_cost: float, constraints: Sequence[Constraint]
) -> None:
    """Keep with a running trial why its training was ended early, and tell the sampler what :func:`write_pruned` does.

    A candidate that nothing dominates could not have come to a constraint: it is infeasible, by its shortfall.
    """
    write_pruned(trial, costs, stop.reason, stop.dominated_by, constraints)
    why = {"reason": stop.reason, "dominated_by": stop.dominated_by, "stage": stop.stage, "key": stop.key}
    trial.set_user_attr(PRUNED, why | {"epoch": stop.epoch, "training_cost": round(training_cost, 4)})
    if stop.dominated_by is None:
        trial.set_constraint(_CONSTRAINT, stop.shortfall)


def stopped_training_cost(trial: FrozenTrial) -> float:
    """Worker-seconds of training that were spent on a pruned candidate."""
    return float(trial.user_attrs[PRUNED].get("training_cost", 0.0))


def read_pruned(trials: Iterable[FrozenTrial]) -> tuple[PrunedCandidate, ...]:
    """Every candidate that was pruned, in the order of the trials."""
    return tuple(_pruned(trial) for trial in trials if trial.state.is_finished() and PRUNED in trial.user_attrs)


def _pruned(trial: FrozenTrial) -> PrunedCandidate:
    why: Mapping[str, Any] = trial.user_attrs[PRUNED]
    measurements, runs = read_measured(trial)
    return PrunedCandidate(
        trial.number,
        trial.user_attrs[PARAMS],
        measurements,
        str(why["reason"]),
        why["dominated_by"],
        runs,
        why.get("stage"),
        why.get("epoch"),
        stopped_training_cost(trial),
    )
