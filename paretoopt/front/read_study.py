"""Candidates from a plain Optuna study, which is read without importing Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError, TableError
from paretoopt.front.named_numbers import named_measurements
from paretoopt.objectives import Constraint, Objective, at_most

_MADE_BY_PARETOOPT = "definition"
_VIOLATION = "_violation"


class Named(Protocol):
    """A member of an enumeration."""

    @property
    def name(self) -> str:
        """As it is written."""


class Trial(Protocol):
    """What is read of ``optuna.trial.FrozenTrial``."""

    @property
    def number(self) -> int:
        """Its position in the study."""

    @property
    def state(self) -> Named:
        """Whether it is complete."""

    @property
    def values(self) -> Sequence[float] | None:
        """What the objective gave."""

    @property
    def params(self) -> dict[str, Any]:
        """What was suggested."""

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What the objective kept with it."""

    @property
    def constraints(self) -> dict[str, float]:
        """How far each limit is broken; 0 or less is feasible."""


@runtime_checkable
class OptunaStudy(Protocol):
    """What is read of ``optuna.Study``."""

    @property
    def directions(self) -> Sequence[Named]:
        """In which each value improves."""

    @property
    def metric_names(self) -> Sequence[str] | None:
        """The values' names."""

    @property
    def user_attrs(self) -> dict[str, Any]:
        """What was kept with the study."""

    def get_trials(self, deepcopy: bool = ...) -> Sequence[Trial]:
        """All trials."""


def read_study(
    study: OptunaStudy, objectives: Sequence[Objective] | None = None
) -> tuple[list[Candidate], tuple[Objective, ...], tuple[Constraint, ...]]:
    """The complete trials, what they were compared in, and the constraints that Optuna was told.

    Metrics are the values, under the study's metric names, and all user attributes that are numbers. A constraint is
    there as the metric ``<constraint>_violation``, which is to be 0 at most.

    Args:
        study: The study.
        objectives: What the candidates are to be compared in; None for the study's own. Where the study does not name
            its values, they name them, in order.

    Raises:
        ObjectiveError: The values have no names, and ``objectives`` do not fit them.
        TableError: No trial is complete, the study is one of paretoopt, or a number is none.
    """
    if _MADE_BY_PARETOOPT in study.user_attrs:
        raise TableError(
            "this Optuna study was made by paretoopt, which keeps more than Optuna reads. "
            "Open it with po.create_study(..., load_if_exists=True) and give that."
        )
    own = _own_objectives(study, objectives)
    names = [objective.metric for objective in own]
    complete = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name == "COMPLETE"]
    if not complete:
        raise TableError("the study has no complete trial yet. Run some first, with study.optimize(...).")
    limits = list(dict.fromkeys(name for trial in complete for name in trial.constraints))
    candidates = [_candidate(trial, names) for trial in complete]
    constraints = tuple(at_most(f"{name}{_VIOLATION}", 0.0) for name in limits)
    return candidates, tuple(objectives or own), constraints


def _own_objectives(study: OptunaStudy, given: Sequence[Objective] | None) -> tuple[Objective, ...]:
    directions = [_direction(direction.name) for direction in study.directions]
    names = study.metric_names
    if names is None:
        if given is None or [objective.direction for objective in given] != directions:
            listed = ", ".join(f"{direction}(...)" for direction in directions)
            raise ObjectiveError(
                "the study does not name its values. Name them with study.set_metric_names([...]), "
                f"or here in their order: objectives=[{listed}]."
            )
        return tuple(given)
    return tuple(Objective(name, direction) for name, direction in zip(names, directions, strict=True))


def _direction(name: str) -> Literal["minimize", "maximize"]:
    return "maximize" if name == "MAXIMIZE" else "minimize"


def _candidate(trial: Trial, names: Sequence[str]) -> Candidate:
    kept = {name: float(value) for name, value in trial.user_attrs.items() if _is_number(value)}
    told = {f"{name}{_VIOLATION}": float(violation) for name, violation in trial.constraints.items()}
    values = dict(zip(names, trial.values or (), strict=True))
    numbers: Mapping[str, float] = {**kept, **told, **values}
    params = {name: value for name, value in trial.params.items() if value is not None}
    return Candidate(trial.number, params, named_measurements(numbers, f"trial {trial.number}"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
