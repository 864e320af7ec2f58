"""Metrics that follow from others: what a candidate costs, at stated prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from paretoopt.candidate import Candidate, Measurement, Measurements, StageRun
from paretoopt.errors import CostError
from paretoopt.front.serving_cost import ServingCost
from paretoopt.front.total_cost import TRAINING_SECONDS, TotalCost
from paretoopt.front.training_cost import training_cost
from paretoopt.space import Params

Cost = ServingCost | TotalCost
"""What adds metrics of cost to those that are measured."""


def cost_metrics(costs: Sequence[Cost]) -> tuple[str, ...]:
    """Every metric that ``costs`` give."""
    return tuple(metric for cost in costs for metric in cost.metrics)


def check_costs(costs: Sequence[Cost]) -> None:
    """Raise CostError where something is no cost, two give the same metric, or one is built on a later one."""
    for cost in costs:
        if not isinstance(cost, Cost):
            raise CostError(f"{cost!r} is no cost. Use ServingCost(...) or TotalCost(...).")
    metrics = cost_metrics(costs)
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise CostError(f"{metric!r} is given by two costs. Keep one of them.")
    for position, cost in enumerate(costs):
        later = cost_metrics(costs[position:])
        if set(cost.inputs(later)) & set(later):
            raise CostError(f"{cost} counts the replicas of a ServingCost that comes after it. Give that one first.")


def costs_of_measured(params: Params, measurements: Measurements, costs: Sequence[Cost]) -> dict[str, Measurement]:
    """What ``costs`` make of the measurements, in their order, so that one may build on those before it."""
    known, found = dict(measurements), dict[str, Measurement]()
    for cost in costs:
        for metric in cost.metrics:
            known.pop(metric, None)  # of other prices
        derived = cost.derive(params, known)
        known |= derived
        found |= derived
    return found


def training_seconds(runs: Sequence[StageRun], costs: Sequence[Cost]) -> dict[str, Measurement]:
    """The seconds of training among a trained candidate's stages, where some cost asks for them."""
    is_asked = any(TRAINING_SECONDS in cost.inputs(()) for cost in costs)
    return {TRAINING_SECONDS: Measurement(training_cost(runs).alone)} if runs and is_asked else {}


def priced(candidate: Candidate, costs: Sequence[Cost]) -> Candidate:
    """The candidate with the metrics of ``costs``; those that it had of other prices are replaced, or go.

    Raises:
        CostError: Two costs give the same metric, or stand in the wrong order.
    """
    check_costs(costs)
    stale = set(cost_metrics(costs))
    kept = {name: value for name, value in candidate.measurements.items() if name not in stale}
    measured = training_seconds(candidate.runs, costs) | kept
    return replace(candidate, measurements={**measured, **costs_of_measured(candidate.params, measured, costs)})
