"""What paretoopt keeps with each Optuna trial, and what it reads back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from paretoopt.candidate import Candidate, Evaluation, Measurement, Measurements, StageRun
from paretoopt.errors import CandidateError
from paretoopt.objectives import Constraint
from paretoopt.space import Params

PARAMS = "params"
"""The canonical candidate, written before it is evaluated."""
PROCESS = "process"
"""Who evaluates the trial."""
FAILURE = "failure"
"""Why the candidate could not be evaluated."""
DUPLICATE_OF = "duplicate_of"
"""The number of the trial that holds the same candidate; this one was not evaluated."""
ENDED = "ended"
"""Why the trial ended without a result, which says nothing about its candidate."""
POINT = "point"
"""The candidate that an enqueued trial is to evaluate, in the space's dimensions."""
SCOUTED = "scouted"
"""Whose costs were measured to choose this trial's candidate: pairs of parameters and costs."""

OWNER_DIED = "owner died"
INTERRUPTED = "interrupted"

_FAILED_STAGE = "failed_stage"
_FAILED_TRAINING_COST = "failed_training_cost"
_MEASUREMENTS = "measurements"
_RUNS = "runs"
_FAILED_CONSTRAINT = "evaluation_failed"
_OLDER_CONSTRAINTS = "constraints"
# Samplers add up violations; a failure must be the worst of them, whatever the constraints' number.
_FAILED_VIOLATION = 1e9


@dataclass(frozen=True)
class Failure:
    """A candidate that could not be evaluated.

    Attributes:
        number: The trial's number.
        params: The configuration.
        reason: The stage or measure that failed, and why.
        stage: Name of that stage or measure; None where it is not known, as for a plain function.
        training_cost: Worker-seconds of training that were newly spent on it.
    """

    number: int
    params: Params
    reason: str
    stage: str | None = None
    training_cost: float = 0.0


def key_of(params: Params) -> str:
    """Equal for equal candidates."""
    return json.dumps(dict(params), sort_keys=True)


def write_measured(trial: optuna.Trial, evaluation: Evaluation, constraints: Sequence[Constraint]) -> None:
    """Keep the measurements and stages with a running trial, and tell the sampler the constraints on what is measured.

    Samplers that know constraints take a trial without a positive one for feasible.
    """
    measurements = {name: compact(measurement) for name, measurement in evaluation.measurements.items()}
    trial.set_user_attr(_MEASUREMENTS, measurements)
    trial.set_user_attr(_RUNS, [_compact_run(run) for run in evaluation.runs])
    violations = {_FAILED_CONSTRAINT: -1.0}
    for constraint in constraints:
        if constraint.metric in evaluation.measurements:
            violation = constraint.violation(evaluation.measurements[constraint.metric].value)
            # Samplers add up violations, so milliseconds and MiB are made shares of their bounds first.
            violations[f"{constraint.metric}_{constraint.sense}"] = violation / (abs(constraint.bound) or 1.0)
    _tell_violations(trial, violations)


def write_failure(trial: optuna.Trial, error: CandidateError) -> None:
    """Keep the reason with a running trial, and tell the sampler that the candidate is infeasible."""
    trial.set_user_attr(FAILURE, str(error))
    trial.set_user_attr(_FAILED_STAGE, error.stage)
    trial.set_user_attr(_FAILED_TRAINING_COST, round(error.training_cost, 4))
    _tell_violations(trial, {_FAILED_CONSTRAINT: _FAILED_VIOLATION})


def _tell_violations(trial: optuna.Trial, violations: Mapping[str, float]) -> None:
    """Tell the sampler each violation by name, and the worst of them to optuna-dashboard.

    optuna-dashboard 0.21 knows Optuna's older list alone, which a sampler adds to what is named. With the worst in it,
    a candidate that violates more is still worse.
    """
    for name, violation in violations.items():
        trial.set_constraint(name, violation)
    trial.storage.set_trial_system_attr(trial._trial_id, _OLDER_CONSTRAINTS, [max(violations.values())])


def is_evaluated(trial: FrozenTrial) -> bool:
    """Whether the trial holds the measurements of a candidate; one that was added by hand does not."""
    return trial.state == TrialState.COMPLETE and _MEASUREMENTS in trial.user_attrs


def read_candidates(trials: Iterable[FrozenTrial]) -> tuple[Candidate, ...]:
    """Every evaluated candidate, in the order of evaluation."""
    return tuple(_candidate(trial) for trial in trials if is_evaluated(trial))


def read_failures(trials: Iterable[FrozenTrial]) -> tuple[Failure, ...]:
    """Every candidate that could not be evaluated."""
    return tuple(read_failure(trial) for trial in trials if trial.state.is_finished() and FAILURE in trial.user_attrs)


def read_failure(trial: FrozenTrial) -> Failure:
    """Why the trial's candidate could not be evaluated, which it must hold."""
    stored = trial.user_attrs
    return Failure(
        trial.number,
        stored[PARAMS],
        stored[FAILURE],
        stored.get(_FAILED_STAGE),
        stored.get(_FAILED_TRAINING_COST, 0.0),
    )


def read_measurements(trial: FrozenTrial) -> Measurements:
    """What was measured of the trial's candidate; nothing where that was not kept."""
    return {name: Measurement(*fields) for name, fields in trial.user_attrs.get(_MEASUREMENTS, {}).items()}


def read_runs(trial: FrozenTrial) -> tuple[StageRun, ...]:
    """The stages and measures that the trial took."""
    return tuple(StageRun(*run) for run in trial.user_attrs.get(_RUNS, ()))


def _compact_run(run: StageRun) -> list[Any]:
    fields = [run.name, run.key, run.reused, round(run.seconds, 4)]
    if run.trains:
        return [*fields, run.environment, True]
    return fields if run.environment is None else [*fields, run.environment]


def compact(measurement: Measurement) -> list[float | None]:
    """The measurement as JSON, without an interval that is not known."""
    if measurement.low is None and measurement.high is None:
        return [float(measurement.value)]
    ends = (measurement.low, measurement.high)
    return [float(measurement.value), *(None if end is None else float(end) for end in ends)]


def read_measured(trial: FrozenTrial) -> tuple[Measurements, tuple[StageRun, ...]]:
    """What :func:`write_measured` kept."""
    return read_measurements(trial), read_runs(trial)


def _candidate(trial: FrozenTrial) -> Candidate:
    return Candidate(trial.number, trial.user_attrs[PARAMS], *read_measured(trial))
