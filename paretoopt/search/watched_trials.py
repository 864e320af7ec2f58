"""What early stopping keeps with each Optuna trial, where every process of the study can read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes

STOPPED = "early_stopping:stopped"
"""The reason, the last epoch and the number of the trial that dominates, of a trial that was stopped."""

_KNOWN = "early_stopping:known"
_CURVE = "early_stopping:curve"
_REFERENCE = "early_stopping:reference"
_CONSTRAINT = "stopped_early"


def write_start(trial: optuna.Trial, watched: Watched) -> None:
    """Keep what is known before training, and whether others are to be judged by the trial."""
    trial.set_user_attr(_KNOWN, _record(watched.known))
    trial.set_user_attr(_REFERENCE, watched.is_reference)


def write_curve(trial: optuna.Trial, watched: Watched) -> None:
    """Keep the curve so far."""
    trial.set_user_attr(_CURVE, [[epoch, _record(report)] for epoch, report in watched.reports.items()])


def write_stop(trial: optuna.Trial, watched: Watched, verdict: Verdict) -> None:
    """Keep why the trial is stopped, and tell samplers that it is infeasible, by how far it falls short."""
    trial.set_user_attr(
        STOPPED,
        {
            "reason": verdict.reason,
            "epoch": max(watched.reports, default=None),
            "dominated_by": verdict.dominated_by,
        },
    )
    trial.set_constraint(_CONSTRAINT, verdict.shortfall)


def read_trial(trial: FrozenTrial, wishes: Wishes) -> Watched:
    """The trial as far as it has come; one that nobody watched has no curve."""
    stored = trial.user_attrs
    is_complete = trial.state == TrialState.COMPLETE
    metrics = [objective.metric for objective in wishes.objectives]
    return Watched(
        number=trial.number,
        known=_estimates(stored.get(_KNOWN, {})),
        reports={epoch: _estimates(record) for epoch, record in stored.get(_CURVE, [])},
        finals=dict(zip(metrics, trial.values, strict=True)) if is_complete else None,
        is_feasible=all(violation <= 0 for violation in trial.constraints.values()),
        is_reference=stored.get(_REFERENCE, False) and (is_complete or trial.state == TrialState.RUNNING),
    )


def _record(estimates: Mapping[str, Estimate]) -> dict[str, list[float]]:
    return {metric: [estimate.value, estimate.standard_error] for metric, estimate in estimates.items()}


def _estimates(record: Mapping[str, Any]) -> dict[str, Estimate]:
    return {metric: Estimate(*fields) for metric, fields in record.items()}
