"""How good a candidate could be that is not trained yet, at a stated risk.

The rule. Quality is fitted to the parameters of the artifacts measured so far, by least squares: each number by its
rank among the values seen, and its square where there are artifacts enough; each name by a mean of its own. How far
measured artifacts lie above the fit, each in units of its own standard error, tells how far a new one may: the bound
is the fit plus the distance that a share of ``risk`` exceeds, an order statistic and no assumption of a normal law
(conformal prediction with studentised residuals; Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
World", 2005). So it holds whatever the law of the residuals, as far as a new candidate is like those measured.

The search's Gaussian process was tried in its place, by its deviations and by its studentised errors. In replays it
pruned more, but its bounds were exceeded by more candidates than the risk says, above all in the order in which the
sampler proposes.

What it does not do: it gives no bound for a value beyond those measured, for a name not seen, and from fewer artifacts
than the risk needs, 19 more than the fit has coefficients at 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.objectives import Objective
from paretoopt.space import Params, Value

QualityBound = Callable[[Params], Mapping[str, float]]
"""From a canonical candidate to the best value that each metric of quality could have; without those not known."""

_Features = NDArray[np.float64]


def upper_bounds(
    observed: Sequence[Candidate], params: Params, objectives: Sequence[Objective], *, risk: float
) -> dict[str, float]:
    """The best value that a candidate could have in each objective, exceeded with the probability ``risk`` at most.

    Args:
        observed: Candidates that were measured, one for each artifact.
        params: The candidate, with the parameters that those have.
        objectives: The objectives to bound; the risk is divided among them.
        risk: Probability, above 0 and below 1.

    Returns:
        A bound by metric, in the metric's unit: the highest value to be expected of what is maximised, the lowest of
        what is minimised. Empty where there is no sound bound.
    """
    if not objectives or not observed:
        return {}
    share = risk / len(objectives)
    least = math.ceil(1 / share) - 1
    features = _features([candidate.params for candidate in observed], params, least)
    if features is None:
        return {}
    return {
        objective.metric: -objective.sign * _bound(features, _gains(observed, objective), share)
        for objective in objectives
    }


def _gains(observed: Sequence[Candidate], objective: Objective) -> NDArray[np.float64]:
    """The objective's values, turned so that more is better."""
    return np.array([-objective.sign * candidate.measurements[objective.metric].value for candidate in observed])


def _bound(features: _Features, gains: NDArray[np.float64], risk: float) -> float:
    """The bound of the last row of ``features``, from the others and their ``gains``."""
    known, new = features[:-1], features[-1]
    inverse = np.linalg.pinv(known.T @ known)
    coefficients = inverse @ known.T @ gains
    leverage = np.einsum("ij,jk,ik->i", known, inverse, known)
    # An artifact that the fit passes through by force tells nothing of how far others lie from it.
    free = np.sqrt(np.clip(1 - leverage, 1e-9, None))
    distances = np.sort((gains - known @ coefficients) / free)
    beyond = distances[math.ceil((1 - risk) * (len(gains) + 1)) - 1]
    return float(new @ coefficients + max(beyond, 0.0) * math.sqrt(1 + new @ inverse @ new))


def _features(observed: Sequence[Params], params: Params, least: int) -> _Features | None:
    """One row for each of ``observed``, then one for ``params``; None where there is no sound fit."""
    columns: list[NDArray[np.float64]] = []
    squares: list[NDArray[np.float64]] = []
    for name, value in params.items():
        values = [one[name] for one in observed]
        if not _is_within(value, values):
            return None
        for column in _coded([*values, value]):
            columns.append(column)
            squares += [column**2] if len(np.unique(column)) > 2 else []
    constant = np.ones(len(observed) + 1)
    for chosen in ([constant, *columns, *squares], [constant, *columns]):
        if len(observed) - len(chosen) >= least:
            return np.stack(chosen, axis=1)
    return None


def _is_within(value: Value, values: Sequence[Value]) -> bool:
    if _is_number(value) and all(map(_is_number, values)):
        return min(map(float, values)) <= float(value) <= max(map(float, values))
    return value in values


def _coded(values: Sequence[Value]) -> list[NDArray[np.float64]]:
    """Numbers as their ranks from -1 to 1, names as one column for each but the first; nothing where all are equal."""
    distinct = list(dict.fromkeys(values))
    if len(distinct) == 1:
        return []
    if all(map(_is_number, distinct)):
        order = sorted(map(float, distinct))
        return [np.array([2 * order.index(float(value)) / (len(order) - 1) - 1 for value in values])]
    return [np.array([float(value == name) for value in values]) for name in distinct[1:]]


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
