"""Creating a study, or reopening one to go on with it."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

from paretoopt.front.costs import Cost
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.creation import open_optuna_study, quiet_optuna
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.sampler import default_sampler, refuse_self_stopping
from paretoopt.search.storage import open_database
from paretoopt.search.study import Study
from paretoopt.space import SearchSpace


def create_study(
    space: SearchSpace,
    *,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    costs: Sequence[Cost] = (),
    study_name: str | None = None,
    storage: str | optuna.storages.BaseStorage | None = None,
    load_if_exists: bool = False,
    sampler: optuna.samplers.BaseSampler | None = None,
    seed: int = 0,
) -> Study:
    """Create a study, or reopen one to go on with it.

    Args:
        space: The candidates to search.
        objectives: What they are compared in.
        constraints: What a feasible candidate satisfies.
        costs: ``ServingCost(...)`` and ``TotalCost(...)`` add metrics to those that are measured.
        study_name: Names the study in its database; None for a name that nothing else has.
        storage: A database URL or an Optuna storage; None for ``sqlite:///paretoopt.db``, a file in the current folder.
            SQLite needs a local disk: for a shared one, pass ``optuna.storages.JournalStorage(...)``.
        load_if_exists: Whether to go on with a study of this name.
        sampler: Any Optuna sampler but those that end a study on their own; None for :class:`CostFirstSampler` where it
            can be used, else a multivariate TPE. Both give the same candidates for the same seed, resumed or not.
        seed: Seed of the default sampler.

    Raises:
        ObjectiveError: Objectives or constraints are missing, repeated or contradict each other.
        CostError: Two costs give the same metric, or stand in the wrong order.
        StudyMismatchError: The study exists with another space, objectives, constraints or costs.
        StudyError: The study exists already, or the database cannot be used.

    >>> from paretoopt.objectives import maximize, minimize
    >>> from paretoopt.space import Int
    >>> objectives = [maximize("quality"), minimize("memory_mib")]
    >>> study = create_study(SearchSpace(size=Int(1, 4)), objectives=objectives, storage="sqlite:///:memory:")
    >>> study.optimize(lambda params: {"quality": min(params["size"], 3), "memory_mib": params["size"]}, progress=False)
    >>> sorted(candidate.params["size"] for candidate in study.pareto_front().members)
    [1, 2, 3]
    """
    definition = StudyDefinition(space, tuple(objectives), tuple(constraints), tuple(costs))
    refuse_self_stopping(sampler)
    database = open_database(storage)
    with database.naming_failures(), quiet_optuna():
        optuna_study = open_optuna_study(
            definition, study_name, database.storage, load_if_exists, sampler or default_sampler(seed, 0)
        )
    return Study(optuna_study, definition, database=database, seed=seed if sampler is None else None)
