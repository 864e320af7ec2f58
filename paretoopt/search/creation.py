"""Creating or reopening the Optuna study that holds the trials."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import optuna

from paretoopt.errors import StudyError, StudyMismatchError
from paretoopt.search.definition import StudyDefinition, from_record, refuse_another_definition, to_record
from paretoopt.search.evaluator import Evaluator

_DEFINITION = "definition"
_PIPELINE = "pipeline"


def open_optuna_study(
    definition: StudyDefinition,
    study_name: str | None,
    storage: optuna.storages.BaseStorage,
    load_if_exists: bool,
    sampler: optuna.samplers.BaseSampler,
) -> optuna.Study:
    """The Optuna study, its definition stored where it is new and compared where it is not.

    Raises:
        StudyMismatchError: The stored study has another definition, or none.
        StudyError: It exists and ``load_if_exists`` is False.
    """
    directions = [objective.direction for objective in definition.objectives]
    try:
        study = optuna.create_study(
            storage=storage,
            sampler=sampler,
            study_name=study_name,
            load_if_exists=load_if_exists,
            directions=directions,
        )
    except optuna.exceptions.DuplicatedStudyError as error:
        raise StudyError(
            f"study {study_name!r} exists already. Pass load_if_exists=True to go on with it, or another study_name."
        ) from error
    stored = stored_definition(study)
    if stored is not None:
        refuse_another_definition(study.study_name, stored, definition)
        return study
    if study.get_trials(deepcopy=False) or [direction.name.lower() for direction in study.directions] != directions:
        raise StudyMismatchError(
            f"study {study.study_name!r} was not made by paretoopt, so what its trials mean is not known. "
            "Use another study_name."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.metric for objective in definition.objectives])
    study.set_user_attr(_DEFINITION, to_record(definition))
    return study


def stored_definition(study: optuna.Study) -> StudyDefinition | None:
    """What the study searches; None where it was not made by paretoopt."""
    record = study.user_attrs.get(_DEFINITION)
    return None if record is None else from_record(record)


def refuse_another_pipeline(study: optuna.Study, evaluator: Evaluator) -> None:
    """Compare with the pipeline of the first run, which is kept with the study.

    Raises:
        StudyMismatchError: It is another one.
    """
    given = {"fingerprint": evaluator.fingerprint, "metrics": list(evaluator.metrics)}
    stored = study.user_attrs.get(_PIPELINE)
    if stored is None:
        study.set_user_attr(_PIPELINE, given)
    elif stored != given:
        part = "metrics" if stored["metrics"] != given["metrics"] else "fingerprint"
        raise StudyMismatchError(
            f"study {study.study_name!r} was optimized with another pipeline: its {part} was {stored[part]}, and is "
            f"now {given[part]}. Its data, requests, stages, measures, settings or seed have changed, so trials "
            "cannot be compared. Use another study_name, or restore the pipeline."
        )


@contextmanager
def quiet_optuna() -> Iterator[None]:
    """Keep Optuna from reporting each trial; paretoopt does."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
