"""A front of any measured configurations: a study, a plain Optuna study, a table."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

import pandas as pd

from paretoopt.errors import ObjectiveError, TableError
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.read_study import OptunaStudy, read_study
from paretoopt.front.read_table import read_csv, read_table
from paretoopt.objectives import Constraint, Objective


@runtime_checkable
class HasFront(Protocol):
    """A study of paretoopt, or anything else with a front."""

    def pareto_front(self) -> ParetoFront:
        """The front of all evaluated candidates."""


def front_of(
    source: ParetoFront | HasFront | OptunaStudy | pd.DataFrame | str | os.PathLike[str],
    objectives: Sequence[Objective] | None = None,
    constraints: Sequence[Constraint] | None = None,
    *,
    params: Collection[str] | None = None,
) -> ParetoFront:
    """The front of any measured configurations.

    Args:
        source: A paretoopt study or a front; a plain Optuna study, of which complete trials count; a DataFrame, or the
            path of a CSV file, with one configuration a row. ``<metric>_low`` and ``<metric>_high`` are the ends of a
            metric's 95 % interval, as ``front.to_frame()`` writes them, in a table as among a trial's user attributes.
            An Optuna constraint is the metric ``<constraint>_violation``.
        objectives: What the configurations are compared in; None for the study's or front's own. A table needs them,
            and so does an Optuna study that does not name its values.
        constraints: What a member must satisfy; None for the study's or front's own.
        params: A table's columns that are parameters; None for those before the first objective, where ``to_frame``
            writes them, and those that hold text or truth values.

    Raises:
        ObjectiveError: Objectives are missing or do not fit.
        TableError: The table or study cannot be read; the message says where, and how to mend it.

    >>> from paretoopt.objectives import maximize, minimize
    >>> table = pd.DataFrame({"width": [16, 32, 64], "auc": [0.7, 0.8, 0.79], "mib": [1.0, 2.0, 3.0]})
    >>> [dict(member.params) for member in front_of(table, [maximize("auc"), minimize("mib")])]
    [{'width': 16}, {'width': 32}]
    """
    is_table = isinstance(source, pd.DataFrame | str | os.PathLike)
    if params is not None and not is_table:
        raise TableError("params= names columns of a table; a study and a front know their parameters. Leave it out.")
    if isinstance(source, ParetoFront | HasFront):
        return _seen_in(source if isinstance(source, ParetoFront) else source.pareto_front(), objectives, constraints)
    if isinstance(source, OptunaStudy):
        candidates, wished, limits = read_study(source, objectives)
        return ParetoFront(candidates, wished, limits if constraints is None else constraints)
    if not is_table:
        raise TableError(f"{source!r} is no study, front, DataFrame or path of a CSV file. Give one of these.")
    if objectives is None:
        raise ObjectiveError("A table needs objectives=, for example [po.maximize('auc'), po.minimize('memory_mib')].")
    frame = source if isinstance(source, pd.DataFrame) else read_csv(source)
    given = constraints or ()
    wanted = dict.fromkeys([wish.metric for wish in objectives] + [limit.metric for limit in given])
    return ParetoFront(read_table(frame, wanted, params), objectives, given)


def _seen_in(
    front: ParetoFront, objectives: Sequence[Objective] | None, constraints: Sequence[Constraint] | None
) -> ParetoFront:
    """The same candidates in other objectives."""
    # What was set aside was found worse in these objectives, and in no others.
    keeps = objectives is None or set(objectives) == set(front.objectives)
    return ParetoFront(
        front.candidates,
        front.objectives if objectives is None else objectives,
        front.constraints if constraints is None else constraints,
        front.set_aside if keeps else (),
    )
