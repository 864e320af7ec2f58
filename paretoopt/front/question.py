"""What is asked of a front: the limits, the criteria, and the rule that weighs them; checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.feasibility import On, check_measured, metrics_of
from paretoopt.front.rules import HALF_WIDTH, Floats, Rule
from paretoopt.objectives import Constraint, Objective

Weights = Mapping[str | Objective, float]
"""How much each objective counts; a metric that is none of the front's stands with its direction."""

_BY_PREFERENCE, _BY_WEIGHTS = ("best", "one_standard_error"), ("one_standard_error", "topsis", "weighted_sum")


@dataclass(frozen=True)
class Question:
    """What is asked of candidates.

    Attributes:
        limits: What the choice must satisfy.
        criteria: What the candidates are compared in; where one is preferred, that is the first.
        rule: How one of those that nothing beats in the criteria is chosen.
        weights: How much each criterion counts, of shape ``(n_criteria,)``.
        on: What limits hold for.
    """

    limits: tuple[Constraint, ...]
    criteria: tuple[Objective, ...]
    rule: Rule
    weights: NDArray[np.float64] = field(compare=False)
    on: On = "bound"

    @property
    def preferred(self) -> Objective | None:
        """The criterion that decides; None where all are weighed."""
        return self.criteria[0] if self.rule in _BY_PREFERENCE else None

    def standard_errors(self, candidates: Sequence[Candidate]) -> Floats:
        """Of each candidate's first criterion, from its 95 % interval towards worse; 0 where that is not known."""
        first = self.criteria[0]
        return np.array([_standard_error(candidate, first) for candidate in candidates])


def ask(
    candidates: Sequence[Candidate],
    objectives: Sequence[Objective],
    limits: Sequence[Constraint],
    *,
    prefer: str | Objective | None = None,
    weights: Weights | None = None,
    rule: Rule | None = None,
    on: On = "bound",
) -> Question:
    """The question in full.

    Args:
        candidates: Those that are asked about.
        objectives: What the study wants.
        limits: What the choice must satisfy.
        prefer: The metric that decides, for the rules ``"best"`` and ``"one_standard_error"``.
        weights: How much each metric counts; None for all objectives alike.
        rule: None for the best by ``prefer``, the weighted sum by ``weights``, or else the knee.
        on: What limits hold for.

    Raises:
        ObjectiveError: Something is not measured or has no direction, or rule, preference and weights do not fit.
    """
    if on not in get_args(On):
        raise ObjectiveError(f"on={on!r} is nothing that a limit can hold for. Use 'bound' or 'estimate'.")
    check_measured(candidates, [limit.metric for limit in limits])
    chosen = _rule(rule, prefer, weights)
    weighed = {_directed(key, objectives, candidates): weight for key, weight in (weights or {}).items()}
    _check_weights(weights, weighed)
    first = [] if prefer is None else [_directed(prefer, objectives, candidates)]
    criteria = tuple({one.metric: one for one in (*objectives, *weighed, *first)}.values())
    if first:
        criteria = (*first, *(one for one in criteria if one.metric != first[0].metric))
    given = [1.0 if weights is None else weighed.get(one, 0.0) for one in criteria]
    return Question(tuple(limits), criteria, chosen, np.array(given), on)


def _rule(rule: Rule | None, prefer: object, weights: object) -> Rule:
    if rule is None:
        if prefer is not None and weights is not None:
            raise ObjectiveError(
                "prefer= takes the best in one metric, weights= weigh several. Give one of the two, or "
                "rule='one_standard_error' for the cheapest by weights= of those as good as the best in prefer=."
            )
        return "best" if prefer is not None else "weighted_sum" if weights is not None else "knee"
    if rule not in get_args(Rule):
        raise ObjectiveError(f"rule={rule!r} is not known. Use one of: {', '.join(get_args(Rule))}.")
    if rule in _BY_PREFERENCE and prefer is None:
        raise ObjectiveError(f"rule={rule!r} needs prefer=, the metric that decides, for example prefer='auc'.")
    if rule not in _BY_PREFERENCE and prefer is not None:
        raise ObjectiveError(
            f"rule={rule!r} weighs all objectives and prefers none. Leave out prefer=, or use weights=."
        )
    if rule not in _BY_WEIGHTS and weights is not None:
        raise ObjectiveError(f"rule={rule!r} takes no weights=. Use one of: {', '.join(_BY_WEIGHTS)}.")
    return rule


def _check_weights(given: Weights | None, weighed: Mapping[Objective, float]) -> None:
    if given is None:
        return
    if len({objective.metric for objective in weighed}) < len(given):
        raise ObjectiveError("weights= name a metric twice, as text and as an objective. Leave one out.")
    for objective, weight in weighed.items():
        if not (math.isfinite(weight) and weight >= 0):
            raise ObjectiveError(f"the weight of {objective.metric!r} is {weight}. Give a number that is 0 or more.")
    if not sum(weighed.values()) > 0:
        raise ObjectiveError("weights= are all 0, so that nothing counts. Give one above 0.")


def _directed(wish: str | Objective, objectives: Sequence[Objective], candidates: Sequence[Candidate]) -> Objective:
    if isinstance(wish, Objective):
        check_measured(candidates, [wish.metric])
        return wish
    for objective in objectives:
        if objective.metric == wish:
            return objective
    known = metrics_of(candidates)
    if wish in known:
        raise ObjectiveError(
            f"{wish!r} is no objective, so its direction is not known. "
            f"Write minimize({wish!r}) or maximize({wish!r}) in its place."
        )
    raise ObjectiveError(f"{wish!r} is not measured. Use one of: {', '.join(known)}.")


def _standard_error(candidate: Candidate, objective: Objective) -> float:
    measurement = candidate.measurements[objective.metric]
    worse, better = measurement.high, measurement.low
    if objective.direction == "maximize":
        worse, better = better, worse
    end = better if worse is None else worse
    return 0.0 if end is None else abs(end - measurement.value) / HALF_WIDTH
