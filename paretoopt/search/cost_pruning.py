"""Costs first: which candidates need no training, because of what they would cost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from paretoopt.candidate import Candidate, Evaluation, Measurement, Measurements
from paretoopt.errors import StudyError
from paretoopt.front.feasibility import is_feasible
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import CostFirst
from paretoopt.search.quality_bounds import QualityBound, upper_bounds
from paretoopt.space import Params


@dataclass(frozen=True)
class CostPruning:
    """Which candidates are pruned before they are trained, by what was measured of their shape.

    One that breaks a limit on a cost is, if the whole interval of the cost does. One that another candidate would
    dominate even with the best quality it could have is, if all intervals agree.

    Attributes:
        risk: The share of the candidates examined that may turn out to have had a higher quality than that; 0 to prune
            by limits alone. ``docs/architecture.md`` has the rule.
        quality_bound: Gives the best quality that a canonical candidate could have, at a risk of its own; None for
            :func:`~paretoopt.search.quality_bounds.upper_bounds`.

    Raises:
        StudyError: ``risk`` is no probability below a half.
    """

    risk: float = 0.05
    quality_bound: QualityBound | None = None

    def __post_init__(self) -> None:
        """Refuse what is no risk that one could mean."""
        if not 0 <= self.risk < 0.5:
            raise StudyError(f"risk={self.risk!r} is no share of candidates to lose. Use 0, or one below 0.5.")


COST_PRUNING = CostPruning()
"""What a study does unless told otherwise."""


@dataclass(frozen=True)
class Verdict:
    """Why a candidate needs no training.

    Attributes:
        reason: In words.
        dominated_by: Number of the trial that would dominate it; None where it breaks a limit.
    """

    reason: str
    dominated_by: int | None = None


def judge(
    params: Params,
    costs: Measurements,
    observed: Callable[[], Sequence[Candidate]],
    evaluator: CostFirst,
    definition: StudyDefinition,
    pruning: CostPruning,
) -> Verdict | None:
    """Why the candidate needs no training; None where it does, or where no training remains.

    Args:
        params: The canonical candidate.
        costs: What was measured of its shape.
        observed: Gives the candidates that were evaluated.
        evaluator: Tells which of them share an artifact, and what training remains.
        definition: What the study searches.
        pruning: The rules.
    """
    broken = broken_limit(costs, definition.constraints)
    if broken is not None:
        return Verdict(broken)
    # With all models in the store, the true quality costs less than the risk of a bound.
    if not evaluator.remaining(params):
        return None
    candidates = observed()
    unknown = [objective for objective in definition.objectives if objective.metric not in costs]
    bounds = _bounds(params, candidates, unknown, evaluator, pruning)
    if any(objective.metric not in bounds for objective in unknown):
        return None
    best = {metric: Measurement(bound) for metric, bound in bounds.items()}
    rival = surely_dominating({**costs, **best}, candidates, definition)
    return None if rival is None else Verdict(_reason(rival, costs, best, definition.objectives), rival.number)


def broken_limit(costs: Measurements, constraints: Sequence[Constraint]) -> str | None:
    """The limit that the whole interval of a cost breaks, in words; None where there is none."""
    for constraint in constraints:
        cost = costs.get(constraint.metric)
        if cost is None:
            continue
        best = _low(cost) if constraint.sense == "at_most" else _high(cost)
        if constraint.violation(best) > 0:
            return f"{constraint.metric} is {_text(cost)}, where {constraint} is asked for"
    return None


def surely_dominating(
    best: Measurements, candidates: Sequence[Candidate], definition: StudyDefinition
) -> Candidate | None:
    """A candidate that dominates one of the measurements ``best``, whatever the true values within the intervals.

    A measurement that both share, as those of one shape do, is one value, however uncertain.
    """
    return next((one for one in candidates if _surely_dominates(one, best, definition)), None)


def with_costs(evaluation: Evaluation, costs: Evaluation) -> Evaluation:
    """``evaluation`` with the work that its costs took, which it has found done."""
    runs = {run.key: run for run in (*evaluation.runs, *costs.runs)}
    return replace(evaluation, runs=tuple(runs.values()))


def _surely_dominates(one: Candidate, best: Measurements, definition: StudyDefinition) -> bool:
    if not is_feasible(one, definition.objectives, definition.constraints) or not _surely_feasible(one, definition):
        return False
    gaps = [_gap(one.measurements[metric.metric], best[metric.metric], metric) for metric in definition.objectives]
    return all(gap >= 0 for gap in gaps) and any(gap > 0 for gap in gaps)


def _surely_feasible(one: Candidate, definition: StudyDefinition) -> bool:
    ends = (
        (limit, (_high if limit.sense == "at_most" else _low)(one.measurements[limit.metric]))
        for limit in definition.constraints
    )
    return all(limit.violation(end) <= 0 for limit, end in ends)


def _gap(rival: Measurement, best: Measurement, objective: Objective) -> float:
    """By how much the worst that ``rival`` may be is better than ``best`` at its best."""
    if rival == best:
        return 0.0
    if objective.direction == "minimize":
        return _low(best) - _high(rival)
    return _low(rival) - _high(best)


def _bounds(
    params: Params,
    candidates: Sequence[Candidate],
    unknown: Sequence[Objective],
    evaluator: CostFirst,
    pruning: CostPruning,
) -> dict[str, float]:
    if not unknown or pruning.risk == 0:
        return {}
    if pruning.quality_bound is not None:
        return dict(pruning.quality_bound(params))
    return upper_bounds(_one_of_each_artifact(candidates, evaluator), params, unknown, risk=pruning.risk)


def _one_of_each_artifact(candidates: Sequence[Candidate], evaluator: CostFirst) -> list[Candidate]:
    return list({evaluator.artifact_key(candidate.params): candidate for candidate in candidates}.values())


def _reason(rival: Candidate, costs: Measurements, best: Measurements, objectives: Collection[Objective]) -> str:
    return f"trial {rival.number} would dominate it, with {', '.join(_compared(rival, costs, best, objectives))}"


def _compared(
    rival: Candidate, costs: Measurements, best: Measurements, objectives: Collection[Objective]
) -> Iterator[str]:
    for objective in objectives:
        metric = objective.metric
        other = _text(costs[metric]) if metric in costs else f"{best[metric].value:.4g} at best"
        yield f"{metric} {_text(rival.measurements[metric])} against {other}"


def _text(measurement: Measurement) -> str:
    if measurement.low is None and measurement.high is None:
        return f"{measurement.value:.4g}"
    return f"{measurement.value:.4g} ({_low(measurement):.4g} to {_high(measurement):.4g})"


def _low(measurement: Measurement) -> float:
    return measurement.value if measurement.low is None else measurement.low


def _high(measurement: Measurement) -> float:
    return measurement.value if measurement.high is None else measurement.high
