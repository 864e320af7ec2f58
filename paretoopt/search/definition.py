"""What a study searches: its space, objectives and constraints, checked, stored and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from paretoopt.errors import ObjectiveError, StudyMismatchError
from paretoopt.front.costs import Cost, check_costs
from paretoopt.front.serving_cost import ServingCost
from paretoopt.front.total_cost import TotalCost
from paretoopt.objectives import Constraint, Objective
from paretoopt.space import Categorical, Dimension, Float, Int, Ordered, SearchSpace

_KINDS: Mapping[str, type[Dimension]] = {"Ordered": Ordered, "Categorical": Categorical, "Int": Int, "Float": Float}


@dataclass(frozen=True)
class StudyDefinition:
    """What a study searches.

    Attributes:
        space: The candidates.
        objectives: What they are compared in; at least one, each on its own metric.
        constraints: What a feasible candidate satisfies.
        costs: What adds metrics to those that are measured.

    Raises:
        ObjectiveError: There is no objective, or objectives or constraints contradict or repeat each other.
        CostError: Two costs give the same metric, or stand in the wrong order.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    costs: tuple[Cost, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what could not be searched."""
        check_objectives(self.objectives)
        check_constraints(self.constraints)
        check_costs(self.costs)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that an objective or constraint needs, once."""
        names = [objective.metric for objective in self.objectives] + [limit.metric for limit in self.constraints]
        return tuple(dict.fromkeys(names))


def to_record(definition: StudyDefinition) -> dict[str, Any]:
    """The definition as JSON, to be kept in the database."""
    return {
        "space": {name: _dimension_record(dimension) for name, dimension in definition.space.dimensions.items()},
        "objectives": [asdict(objective) for objective in definition.objectives],
        "constraints": [asdict(constraint) for constraint in definition.constraints],
        "costs": [{"kind": type(cost).__name__, **asdict(cost)} for cost in definition.costs],
    }


def from_record(record: Mapping[str, Any]) -> StudyDefinition:
    """The definition that :func:`to_record` wrote."""
    return StudyDefinition(
        SearchSpace(**{name: _dimension(fields) for name, fields in record["space"].items()}),
        tuple(Objective(**fields) for fields in record["objectives"]),
        tuple(Constraint(**fields) for fields in record["constraints"]),
        tuple(_cost(fields) for fields in record.get("costs", ())),
    )


def refuse_another_definition(study_name: str, stored: StudyDefinition, given: StudyDefinition) -> None:
    """Compare what a stored study was created with and what this run asks for.

    Raises:
        StudyMismatchError: They differ; the message shows both sides.
    """
    if stored.space != given.space:
        raise StudyMismatchError(_mismatch(study_name, "the space", *_differing(stored.space, given.space)))
    for noun, before, now in (
        ("objectives", stored.objectives, given.objectives),
        ("constraints", stored.constraints, given.constraints),
    ):
        # Optuna keeps a trial's objective values by position, so their order counts; that of constraints does not.
        same = before == now if noun == "objectives" else set(before) == set(now)
        if not same:
            raise StudyMismatchError(_mismatch(study_name, noun, _listed(before), _listed(now)))
    if stored.costs != given.costs:
        raise StudyMismatchError(_mismatch(study_name, "costs", _listed(stored.costs), _listed(given.costs)))


def _mismatch(study_name: str, noun: str, before: str, now: str) -> str:
    return (
        f"study {study_name!r} was created with {noun} ({before}), but this run has ({now}). "
        f"Trials cannot be compared. Use another study_name, or restore {noun}."
    )


def _differing(before: SearchSpace, now: SearchSpace) -> tuple[str, str]:
    """The dimensions in which two spaces differ, in words, of each."""
    sides = before.describe(), now.describe()
    names = [name for name in {**sides[0], **sides[1]} if sides[0].get(name) != sides[1].get(name)]
    first, second = (", ".join(f"{name}={side.get(name, 'absent')}" for name in names) for side in sides)
    return first, second


def _listed(wishes: Sequence[Objective] | Sequence[Constraint] | Sequence[Cost]) -> str:
    return ", ".join(str(wish) for wish in wishes) or "none"


def check_objectives(objectives: Sequence[Objective]) -> None:
    """Raise ObjectiveError where there is none, or where they contradict or repeat each other."""
    if not objectives:
        raise ObjectiveError("A study needs at least one objective, for example minimize('latency_p95_ms').")
    directions: dict[str, str] = {}
    for objective in objectives:
        if not isinstance(objective, Objective):
            raise ObjectiveError(f"{objective!r} is no objective. Use minimize({objective!r}) or maximize(...).")
        before = directions.setdefault(objective.metric, objective.direction)
        if before != objective.direction:
            raise ObjectiveError(f"{objective.metric!r} is to be minimized and maximized at once. Leave one out.")
    if len(directions) < len(objectives):
        raise ObjectiveError(f"An objective is given twice: {_listed(objectives)}. Leave one out.")


def check_constraints(constraints: Sequence[Constraint]) -> None:
    """Raise ObjectiveError where no value satisfies them all, or one is given twice or limits nothing."""
    bounds: dict[tuple[str, str], float] = {}
    for constraint in constraints:
        if not isinstance(constraint, Constraint):
            raise ObjectiveError(f"{constraint!r} is no constraint. Use at_most(metric, bound) or at_least(...).")
        if constraint.bound in (float("inf"), float("-inf")):
            raise ObjectiveError(f"{constraint} limits nothing, or everything. Give a finite bound.")
        if (constraint.metric, constraint.sense) in bounds:
            raise ObjectiveError(f"{constraint.metric!r} has two limits of one sense. Keep the stricter.")
        bounds[constraint.metric, constraint.sense] = constraint.bound
    for metric in {metric for metric, _ in bounds}:
        low, high = bounds.get((metric, "at_least")), bounds.get((metric, "at_most"))
        if low is not None and high is not None and low > high:
            raise ObjectiveError(f"No {metric} is at least {low:g} and at most {high:g} at once. Relax one of the two.")


def _cost(fields: Mapping[str, Any]) -> Cost:
    kind = ServingCost if fields["kind"] == ServingCost.__name__ else TotalCost
    return kind(**{name: value for name, value in fields.items() if name != "kind"})


def _dimension_record(dimension: Dimension) -> dict[str, Any]:
    if isinstance(dimension, Ordered | Categorical):
        return {"kind": type(dimension).__name__, "values": list(dimension.values)}
    return {"kind": type(dimension).__name__, **asdict(dimension)}


def _dimension(fields: Mapping[str, Any]) -> Dimension:
    kind = _KINDS[fields["kind"]]
    if kind is Ordered or kind is Categorical:
        return kind(*fields["values"])
    return kind(**{name: value for name, value in fields.items() if name != "kind"})
