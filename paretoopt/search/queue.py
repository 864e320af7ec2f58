"""Candidates that wait for their turn: put there by a person, or put back because their process died."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import optuna
from optuna.trial import FrozenTrial, TrialState

from paretoopt.search.encoding import decode, encode
from paretoopt.search.process import has_died
from paretoopt.search.records import ENDED, FAILURE, OWNER_DIED, PARAMS, POINT, PROCESS, key_of
from paretoopt.space import Params, SearchSpace

_MOST_DEATHS = 3
# Between asking for a trial and signing it lie milliseconds; one that nobody signed for so long, nobody will.
_UNSIGNED_GRACE = timedelta(minutes=1)
_LOGGER = logging.getLogger("paretoopt")


def enqueue(study: optuna.Study, params: Params, space: SearchSpace) -> None:
    """Evaluate ``params`` next."""
    study.enqueue_trial(encode(params, space), user_attrs={POINT: dict(params)})


def is_queued_or_tried(study: optuna.Study, params: Params, space: SearchSpace) -> bool:
    """Whether a trial holds ``params``: waiting, running, or ended with a result."""
    return any(
        (ENDED not in trial.user_attrs or FAILURE in trial.user_attrs) and _point(trial, space) == params
        for trial in study.get_trials(deepcopy=False)
    )


def end_without_result(study: optuna.Study, number: int, why: str, space: SearchSpace) -> None:
    """End a running trial without a word on its candidate, which is put back into the queue."""
    trial = study.get_trials(deepcopy=False)[number]
    if trial.state.is_finished():
        return
    try:
        _set_user_attr(study, number, ENDED, why)
        study.tell(number, state=TrialState.FAIL)
    except (optuna.exceptions.UpdateFinishedTrialError, ValueError):
        return  # another process has ended it, and put the candidate back
    point = _point(trial, space)
    if point is not None and FAILURE not in trial.user_attrs:
        enqueue(study, point, space)


def release_dead_trials(study: optuna.Study, space: SearchSpace) -> None:
    """End the trials whose process is gone, so that none stays running for ever.

    A candidate that its process did not survive several times is recorded as failed: it may be what kills it.
    """
    trials = study.get_trials(deepcopy=False)
    for trial in trials:
        if trial.state != TrialState.RUNNING or not _is_abandoned(trial):
            continue
        n_deaths = 1 + _n_deaths(trials, trial)
        if n_deaths >= _MOST_DEATHS:
            reason = f"the process that evaluated it died, {n_deaths} times in all; is there enough memory?"
            _set_user_attr(study, trial.number, FAILURE, reason)
        _LOGGER.info("Trial %d was left running by a process that died; it is tried again.", trial.number)
        end_without_result(study, trial.number, OWNER_DIED, space)


def _point(trial: FrozenTrial, space: SearchSpace) -> Params | None:
    point: Params | None = trial.user_attrs.get(POINT)
    return point or decode(trial.params, space)


def _is_abandoned(trial: FrozenTrial) -> bool:
    if PROCESS in trial.user_attrs:
        return has_died(trial.user_attrs[PROCESS])
    return trial.datetime_start is not None and datetime.now() - trial.datetime_start > _UNSIGNED_GRACE


def _n_deaths(trials: list[FrozenTrial], trial: FrozenTrial) -> int:
    if PARAMS not in trial.user_attrs:
        return 0
    key = key_of(trial.user_attrs[PARAMS])
    dead = [other.user_attrs for other in trials if other.user_attrs.get(ENDED) == OWNER_DIED]
    return sum(PARAMS in attributes and key_of(attributes[PARAMS]) == key for attributes in dead)


def _set_user_attr(study: optuna.Study, number: int, name: str, value: str) -> None:
    """Write to a trial of another process, which ``optuna.Trial`` has no way to do."""
    storage = study._storage
    storage.set_trial_user_attr(storage.get_trial_id_from_study_id_trial_number(study._study_id, number), name, value)
