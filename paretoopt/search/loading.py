"""Loading a study by its name alone."""

from __future__ import annotations

import optuna

from paretoopt.search.sampler import default_sampler, refuse_self_stopping
from paretoopt.search.stored_study import open_stored_study
from paretoopt.search.study import Study


def load_study(
    *,
    study_name: str | None = None,
    storage: str | optuna.storages.BaseStorage | None = None,
    sampler: optuna.samplers.BaseSampler | None = None,
    seed: int = 0,
) -> Study:
    """Load a study that is in a database already, to look at it or to go on with it.

    Its space, objectives and constraints are those that it was created with.

    Args:
        study_name: Its name; None for the only study of the database.
        storage: A database URL or an Optuna storage; None for ``sqlite:///paretoopt.db``.
        sampler: As in :func:`create_study`.
        seed: As in :func:`create_study`.

    Raises:
        StudyError: There is no such database or study, or ``study_name`` is None and there are several.
        StudyMismatchError: The study was not made by paretoopt.
    """
    refuse_self_stopping(sampler)
    stored = open_stored_study(study_name=study_name, storage=storage, sampler=sampler or default_sampler(seed, 0))
    return Study(
        stored.optuna_study, stored.definition, database=stored.database, seed=seed if sampler is None else None
    )
