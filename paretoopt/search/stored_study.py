"""A study as its database holds it: read, and never changed. Reading loads no sampler, so it starts fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna

from paretoopt.candidate import Candidate
from paretoopt.errors import StudyError, StudyMismatchError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.table import to_frame
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.creation import stored_definition
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.finals_records import environments_frame, finals_record, read_result, with_finals
from paretoopt.search.pruned import PrunedCandidate, read_pruned
from paretoopt.search.records import Failure, read_candidates, read_failures
from paretoopt.search.repeats_records import read_repeats_result, repeats_record, with_probabilities, with_repeats
from paretoopt.search.storage import Database, open_existing_database
from paretoopt.search.trial_records import TrialRecord, read_trial
from paretoopt.space import SearchSpace
from paretoopt.store.keys import content_key

if TYPE_CHECKING:
    import pandas as pd


class StoredStudy:
    """What a study has found so far; every call reads the database again, so that a running study can be watched."""

    def __init__(self, optuna_study: optuna.Study, definition: StudyDefinition, database: Database) -> None:
        """Read ``optuna_study``, which searches what ``definition`` says, from ``database``."""
        self._optuna_study = optuna_study
        self._definition = definition
        self._database = database

    @property
    def study_name(self) -> str:
        """The name under which the database keeps this study."""
        return self._optuna_study.study_name

    @property
    def definition(self) -> StudyDefinition:
        """What is searched."""
        return self._definition

    @property
    def space(self) -> SearchSpace:
        """The candidates."""
        return self._definition.space

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What candidates are compared in."""
        return self._definition.objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What a feasible candidate satisfies."""
        return self._definition.constraints

    @property
    def optuna_study(self) -> optuna.Study:
        """The Optuna study itself."""
        return self._optuna_study

    @property
    def database(self) -> Database:
        """Where the study is."""
        return self._database

    def version(self) -> str:
        """Another text whenever the study has found something new: a trial that ended, finals, or repeats."""
        with self._database.naming_failures():
            ended = sum(trial.state.is_finished() for trial in self._optuna_study.get_trials(deepcopy=False))
            records = finals_record(self._optuna_study), repeats_record(self._optuna_study)
            return content_key(ended, *records)[:16]

    def trials(self) -> Sequence[optuna.trial.FrozenTrial]:
        """Every trial, as Optuna has it. They are shared: change none."""
        with self._database.naming_failures():
            return self._optuna_study.get_trials(deepcopy=False)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every evaluated candidate, feasible or not, by trial, with the values of the finals and the repeats."""
        searched = read_candidates(self.trials())
        with self._database.naming_failures():
            finals, repeats = read_result(self._optuna_study), read_repeats_result(self._optuna_study)
        return with_probabilities(with_finals(with_repeats(searched, repeats), finals), repeats, finals)

    def failures(self) -> tuple[Failure, ...]:
        """Every candidate that could not be evaluated, with the reason."""
        return read_failures(self.trials())

    def pruned(self) -> tuple[PrunedCandidate, ...]:
        """Every candidate that was not trained, or not to the end, with the reason and what was measured."""
        return read_pruned(self.trials())

    def trial_records(self) -> tuple[TrialRecord, ...]:
        """Every trial, whatever became of it; those of the finals have the values of the finals."""
        measured = {one.number: one.measurements for one in self.candidates()}
        records = (read_trial(trial, self.space) for trial in self.trials())
        return tuple(replace(one, measurements=measured.get(one.number, one.measurements)) for one in records)

    def pareto_front(self) -> ParetoFront:
        """The front of all evaluated candidates; those that were off it before the finals stay off it."""
        with self._database.naming_failures():
            finals = read_result(self._optuna_study)
        set_aside = () if finals is None else finals.set_aside
        return ParetoFront(self.candidates(), self.objectives, self.constraints, set_aside)

    def to_frame(self) -> pd.DataFrame:
        """One row per evaluated candidate: number, parameters, metrics, and the ends of the known intervals."""
        return to_frame(self.candidates(), self.objectives)

    def finals_environments(self) -> pd.DataFrame:
        """One row per measurement of the last finals: its round, trial, measure, and where and under which load."""
        with self._database.naming_failures():
            return environments_frame(self._optuna_study)


def open_stored_study(
    *,
    study_name: str | None = None,
    storage: str | optuna.storages.BaseStorage | None = None,
    sampler: optuna.samplers.BaseSampler | None = None,
) -> StoredStudy:
    """Open a study that is in a database already; nothing is made.

    Args:
        study_name: Its name; None for the only study of the database.
        storage: A database URL or an Optuna storage; None for ``sqlite:///paretoopt.db``.
        sampler: The sampler of the Optuna study.

    Raises:
        StudyError: There is no such database or study, or ``study_name`` is None and there are several.
        StudyMismatchError: The study was not made by paretoopt.
    """
    database = open_existing_database(storage)
    with database.naming_failures():
        names = [study.study_name for study in database.storage.get_all_studies()]
        name = _only(names, database) if study_name is None else study_name
        if name not in names:
            raise StudyError(f"{database.name} has no study {name!r}. It has {_listed(names)}.")
        study = optuna.load_study(study_name=name, storage=database.storage, sampler=sampler)
        definition = stored_definition(study)
    if definition is None:
        raise StudyMismatchError(
            f"study {name!r} was not made by paretoopt, so what its trials mean is not known. Use another study_name."
        )
    return StoredStudy(study, definition, database)


def _only(names: Sequence[str], database: Database) -> str:
    if len(names) == 1:
        return names[0]
    if not names:
        raise StudyError(f"{database.name} has no study. Run one first, or name another storage.")
    raise StudyError(f"{database.name} has {len(names)} studies. Give the study's name, one of {_listed(names)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, sorted(names))) or "none"
