"""From the rounds of the finals to values, intervals, and the probability of each finalist to be on the front."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, Measurement, ProgressListener
from paretoopt.front.luck import Made
from paretoopt.front.probability import (
    Draws,
    choose_rounds,
    probability_nondominated,
)
from paretoopt.front.rounds import (
    drift_corrected,
    median_of_draws,
    median_with_interval,
    typical_of_draws,
    typical_with_intervals,
)
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.evaluator import Remeasurer, Repeater
from paretoopt.search.finals_records import FinalsPlan, Round
from paretoopt.search.quality_draws import N_DRAWS, SEED, draws_of_quality, lucky_draws
from paretoopt.search.repeats_trainings import KnownRepeats, TrainingsReader, made


@dataclass(frozen=True)
class RoundValues:
    """One metric of the finalists in every round.

    Attributes:
        array: Of shape ``(n_rounds, n_finalists)``.
        is_corrected: Whether the values are freed of what rounds did to them.
    """

    array: NDArray[np.float64]
    is_corrected: bool


def values_of_rounds(rounds: Sequence[Round], plan: FinalsPlan, *, timed: Collection[str]) -> dict[str, RoundValues]:
    """The values of the finalists by metric, those of timed metrics corrected for the drift of the machine.

    Args:
        rounds: What was measured.
        plan: Names what each round measured.
        timed: The metrics that the machine's speed of the moment moves.
    """
    found = [{(turn.number, turn.is_repeat): turn.values for turn in turns} for turns in rounds]
    return {
        metric: _values(np.array([[one[turn][metric] for turn in plan.turns] for one in found]), plan, metric in timed)
        for metric in found[0][plan.turns[0]]
    }


def measurements_of(values: Mapping[str, RoundValues], numbers: Sequence[int]) -> dict[int, dict[str, Measurement]]:
    """What is typical over the rounds, with its interval, of each finalist and metric."""
    found = {metric: _measurements(one) for metric, one in values.items()}
    return {
        number: {metric: measurements[column] for metric, measurements in found.items()}
        for column, number in enumerate(numbers)
    }


def draws_without_rounds(
    metrics: Collection[str],
    finalists: Sequence[Candidate],
    pipeline: Remeasurer,
    listener: ProgressListener,
    known: KnownRepeats | None = None,
) -> dict[str, Draws]:
    """Draws of what does not depend on rounds, such as quality, by metric.

    Args:
        metrics: Of which draws are wanted.
        finalists: With the search's measurements.
        pipeline: Has the values of users.
        listener: Told what is going on.
        known: What repeats found: then quality is a mean over seeds, and has the luck of training.
    """
    read = TrainingsReader(pipeline, listener)
    if known is None or not isinstance(pipeline, Repeater):
        return draws_of_quality(metrics, [read(one, Made(None, ""), ()) for one in finalists])
    made_before = known.result.made
    trainings = [
        read(known.searched[one.number], made_before.get(one.number) or made(one, pipeline), known.done)
        for one in finalists
    ]
    draws = draws_of_quality(metrics, trainings)
    for metric, luck in known.result.luck.items():
        if metric in draws and luck.of_trainings.degrees:
            draws[metric] = draws[metric] + lucky_draws(metric, luck, trainings).deviations
    return draws


def draws_of_rounds(values: Mapping[str, RoundValues]) -> dict[str, Draws]:
    """Draws of what the rounds have measured, by metric; each draw has the same rounds in every metric."""
    draws = {}
    for metric, one in values.items():
        chosen = choose_rounds(len(one.array), N_DRAWS, np.random.default_rng(SEED))
        draws[metric] = (typical_of_draws if one.is_corrected else median_of_draws)(one.array, chosen)
    return draws


def probabilities_of(
    draws: Mapping[str, Draws], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> NDArray[np.float64]:
    """How probable it is that each finalist is feasible and not dominated by another one.

    Args:
        draws: By metric.
        objectives: What they are compared in.
        constraints: What they must satisfy.
    """
    return probability_nondominated(costs_of_draws(draws, objectives, constraints))


def costs_of_draws(
    draws: Mapping[str, Draws], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> NDArray[np.float64]:
    """The draws as costs, of shape ``(n_draws, n_candidates, n_objectives)``; NaN where a candidate is not feasible."""
    costs = np.stack([objective.sign * draws[objective.metric] for objective in objectives], axis=2)
    for limit in constraints:
        is_violated = draws[limit.metric] > limit.bound
        if limit.sense == "at_least":
            is_violated = draws[limit.metric] < limit.bound
        costs[is_violated] = np.nan
    return costs


def _values(array: NDArray[np.float64], plan: FinalsPlan, is_timed: bool) -> RoundValues:
    # A throughput of 0, where a bound was never met, has no ratio to anything.
    is_corrected = is_timed and bool((array > 0).all())
    corrected = drift_corrected(array) if is_corrected else array
    return RoundValues(corrected[:, : len(plan.numbers)], is_corrected)


def _measurements(values: RoundValues) -> list[Measurement]:
    if values.is_corrected:
        return typical_with_intervals(values.array)
    return [median_with_interval(column) for column in values.array.T]
