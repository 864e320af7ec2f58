"""Candidates that were pruned before they were trained: what is kept with their trials, and what is read back."""

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
"""Why the candidate was not trained: ``{"reason": ..., "dominated_by": ...}``."""


@dataclass(frozen=True)
class PrunedCandidate:
    """A candidate that was not trained, because of what it would have cost.

    Attributes:
        number: The trial's number.
        params: The configuration.
        measurements: What was measured of its shape.
        reason: The limit that it breaks, or what it could not have reached.
        dominated_by: Number of the trial that would dominate it even with the best quality it could have; None where
            it breaks a limit.
        runs: The stages and measures that it took.
    """

    number: int
    params: Params
    measurements: Measurements
    reason: str
    dominated_by: int | None = None
    runs: tuple[StageRun, ...] = ()


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


def read_pruned(trials: Iterable[FrozenTrial]) -> tuple[PrunedCandidate, ...]:
    """Every candidate that was pruned before training, in the order of the trials."""
    return tuple(_pruned(trial) for trial in trials if trial.state.is_finished() and PRUNED in trial.user_attrs)


def _pruned(trial: FrozenTrial) -> PrunedCandidate:
    why: Mapping[str, Any] = trial.user_attrs[PRUNED]
    measurements, runs = read_measured(trial)
    return PrunedCandidate(
        trial.number, trial.user_attrs[PARAMS], measurements, str(why["reason"]), why["dominated_by"], runs
    )
