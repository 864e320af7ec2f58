"""What studies a database holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import optuna
from optuna.trial import TrialState

from paretoopt.search.creation import stored_definition
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.storage import open_existing_database


@dataclass(frozen=True)
class StudySummary:
    """A study at a glance.

    Attributes:
        study_name: Its name.
        definition: What it searches; None where it was not made by paretoopt.
        directions: ``"minimize"`` or ``"maximize"``, one for each objective.
        n_trials: Trials by state, such as ``"complete"``.
        started: When its first trial began, in local time; None where there is none.
    """

    study_name: str
    definition: StudyDefinition | None
    directions: tuple[str, ...]
    n_trials: Mapping[str, int]
    started: datetime | None


def list_studies(storage: str | optuna.storages.BaseStorage | None = None) -> tuple[StudySummary, ...]:
    """Every study of a database, by name; nothing is made.

    Raises:
        StudyError: There is no such database, or it cannot be used.
    """
    database = open_existing_database(storage)
    with database.naming_failures():
        found = optuna.get_all_study_summaries(database.storage, include_best_trial=False)
        return tuple(
            StudySummary(
                one.study_name,
                stored_definition(optuna.load_study(study_name=one.study_name, storage=database.storage)),
                tuple(direction.name.lower() for direction in one.directions),
                _counts(database.storage, one.study_name),
                one.datetime_start,
            )
            for one in sorted(found, key=lambda one: one.study_name)
        )


def _counts(storage: optuna.storages.BaseStorage, study_name: str) -> dict[str, int]:
    study_id = storage.get_study_id_from_name(study_name)
    return {state.name.lower(): storage.get_n_trials(study_id, state) for state in TrialState}
