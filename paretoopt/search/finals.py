"""The finals: the members of the front are measured again, in turn, round by round, with an anchor in every round."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import optuna
from numpy.typing import NDArray

from paretoopt.candidate import Candidate, ProgressListener
from paretoopt.errors import CandidateError, StudyError
from paretoopt.front.baseline import find_baseline
from paretoopt.front.dominance import costs_of
from paretoopt.front.feasibility import require_feasible
from paretoopt.front.knee import ideal_distances
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.probability import Draws
from paretoopt.front.rounds import LEAST_ROUNDS
from paretoopt.search.costed import reckoned_anew
from paretoopt.search.evaluator import Evaluator, Remeasurer
from paretoopt.search.finals_records import (
    FinalsPlan,
    FinalsResult,
    Round,
    Turn,
    read_rounds,
    write_result,
    write_round,
)
from paretoopt.search.finals_summary import (
    RoundValues,
    draws_of_rounds,
    draws_without_rounds,
    measurements_of,
    probabilities_of,
    values_of_rounds,
)
from paretoopt.search.progress import ProgressDisplay
from paretoopt.search.repeats_trainings import KnownRepeats


class FinalsPipeline(Evaluator, Remeasurer, Protocol):
    """What the finals measure with."""


def measuring(evaluator: Evaluator) -> FinalsPipeline:
    """``evaluator``, if it can measure again without training again.

    Raises:
        StudyError: It cannot.
    """
    if not isinstance(evaluator, Remeasurer):
        raise StudyError(
            f"finals measure latency and memory again, but {evaluator.fingerprint!r} does not say which of its metrics "
            "these are. Bring a Pipeline."
        )
    if not evaluator.device():
        raise StudyError("No measure of this pipeline names a device, so nothing would come out differently again.")
    return evaluator


@dataclass(frozen=True)
class FinalsLimits:
    """When there are rounds enough.

    Attributes:
        rounds: That there shall be at most.
        confidence: Fewer are enough once every finalist is on the front, or off it, with this probability; None to
            measure all.
        deadline: Value of ``time.monotonic()`` after which no round begins that the intervals do not need.

    Raises:
        StudyError: ``rounds`` are too few for an interval, or ``confidence`` is no probability that decides.
    """

    rounds: int
    confidence: float | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.rounds < LEAST_ROUNDS:
            raise StudyError(f"rounds={self.rounds} give no 95 % interval of a median. Give {LEAST_ROUNDS} or more.")
        if self.confidence is not None and not 0.5 < self.confidence < 1:
            raise StudyError(
                f"confidence={self.confidence} decides nothing, or never. Give a probability above 0.5 and below 1, "
                "or None to measure all rounds."
            )

    @property
    def is_time_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.deadline is not None and time.monotonic() >= self.deadline


class Finals:
    """One call of ``study.finals``."""

    def __init__(
        self,
        study: optuna.Study,
        front: ParetoFront,
        pipeline: FinalsPipeline,
        *,
        top: int | None,
        anchor: int | None,
        repeats: KnownRepeats | None = None,
    ) -> None:
        """Choose the finalists.

        Args:
            study: Keeps the rounds.
            front: The front of the search, without what earlier finals found.
            pipeline: Measures.
            top: Members to measure, the nearest to the ideal first; None for all.
            anchor: The trial that shows the drift; None for the uncompressed one, or else the first member.
            repeats: What repeats found, where there were any; the front has it.

        Raises:
            NoFeasibleCandidateError: The front is empty.
            StudyError: The anchor is no evaluated candidate, or ``top`` is too small.
        """
        if top is not None and top < 1:
            raise StudyError(f"top={top} measures nothing. Give 1 or more, or leave it out for all members.")
        require_feasible(front.candidates, front.objectives, front.constraints)
        self._study = study
        self._front = front
        self._pipeline = pipeline
        self._repeats = repeats
        members = _nearest(front, top)
        number = _anchor(front, members, anchor)
        numbers = {member.number for member in members} | {number}
        self._finalists = [candidate for candidate in front.candidates if candidate.number in numbers]
        self._plan = FinalsPlan(
            numbers=tuple(finalist.number for finalist in self._finalists),
            anchor=number,
            repeats_anchor=any(member.number == number for member in members),
            device=pipeline.device(),
            pipeline=pipeline.fingerprint,
        )
        self._other_draws: Mapping[str, Draws] | None = None

    def run(self, limits: FinalsLimits, *, listener: ProgressListener, display: ProgressDisplay) -> FinalsResult | None:
        """Measure the rounds that are missing and keep each; then keep the outcome and give it.

        Args:
            limits: When there are rounds enough.
            listener: Told what goes on within a measurement.
            display: Told about rounds.

        Returns:
            The outcome; None where Ctrl-C came before there were enough rounds.

        Raises:
            StudyError: A finalist can no longer be measured.
        """
        done = read_rounds(self._study, self._plan.key)
        try:
            while not self._is_enough(done, limits, listener):
                done.append(self._round(len(done), listener, display))
                display.say(f"Finals: round {len(done)} of {limits.rounds}, {len(self._plan.turns)} measurements each.")
        except KeyboardInterrupt:
            display.say(f"Interrupted after {len(done)} rounds of the finals; all are kept. The same call goes on.")
        if len(done) < LEAST_ROUNDS:
            return None
        if len(done) < limits.rounds:
            display.say(f"Finals: {len(done)} rounds.")
        result = self._result(done, listener)
        write_result(self._study, result)
        return result

    def _is_enough(self, rounds: Sequence[Round], limits: FinalsLimits, listener: ProgressListener) -> bool:
        if len(rounds) < LEAST_ROUNDS:
            return False
        if len(rounds) >= limits.rounds or limits.is_time_over:
            return True
        if limits.confidence is None:
            return False
        probabilities = self._probabilities(self._values(rounds), listener)
        return bool((np.maximum(probabilities, 1 - probabilities) >= limits.confidence).all())

    def _round(self, number: int, listener: ProgressListener, display: ProgressDisplay) -> Round:
        """Measure every finalist once, and the anchor twice where it is one, in an order of the round's own."""
        finalists = {finalist.number: finalist for finalist in self._finalists}
        turns = []
        for index in np.random.default_rng(number).permutation(len(self._plan.turns)):
            trial, is_repeat = self._plan.turns[index]
            display.started(trial, finalists[trial].params)
            try:
                found = self._pipeline.remeasure(finalists[trial].params, listener)
            except CandidateError as error:
                raise StudyError(
                    f"trial {trial} could not be measured again in round {number + 1} of the finals: {error} "
                    "The rounds before are kept. Mend that and call finals again, or leave the trial out with top=."
                ) from error
            values = {metric: float(one.value) for metric, one in found.measurements.items()}
            turns.append(Turn(trial, is_repeat, values, found.devices, found.environments))
        write_round(self._study, self._plan, number, turns)
        return turns

    def _result(self, rounds: Sequence[Round], listener: ProgressListener) -> FinalsResult:
        numbers, front = self._plan.numbers, self._front
        values = self._values(rounds)
        probabilities = self._probabilities(values, listener)
        pooled = measurements_of(values, numbers)
        staying = {*numbers, *(member.number for member in front.members)}
        return FinalsResult(
            plan=self._plan.key,
            anchor=self._plan.anchor,
            n_rounds=len(rounds),
            devices=rounds[-1][0].devices,
            measurements={
                finalist.number: reckoned_anew(self._pipeline, finalist, pooled[finalist.number])
                for finalist in self._finalists
            },
            probabilities=dict(zip(numbers, map(float, probabilities), strict=True)),
            set_aside=frozenset(candidate.number for candidate in front.candidates) - staying,
        )

    def _values(self, rounds: Sequence[Round]) -> Mapping[str, RoundValues]:
        return values_of_rounds(rounds, self._plan, timed=self._pipeline.timed_metrics)

    def _probabilities(self, values: Mapping[str, RoundValues], listener: ProgressListener) -> NDArray[np.float64]:
        objectives, constraints = self._front.objectives, self._front.constraints
        if self._other_draws is None:
            metrics = {*(wish.metric for wish in objectives), *(limit.metric for limit in constraints)} - set(values)
            self._other_draws = draws_without_rounds(metrics, self._finalists, self._pipeline, listener, self._repeats)
        return probabilities_of({**draws_of_rounds(values), **self._other_draws}, objectives, constraints)


def _nearest(front: ParetoFront, top: int | None) -> Sequence[Candidate]:
    if top is None:
        return front.members
    order = np.argsort(ideal_distances(costs_of(front.members, front.objectives)), kind="stable")
    return [front.members[index] for index in order[:top]]


def _anchor(front: ParetoFront, members: Sequence[Candidate], wanted: int | None) -> int:
    if wanted is None:
        return (find_baseline(front.candidates) or members[0]).number
    if all(candidate.number != wanted for candidate in front.candidates):
        raise StudyError(f"anchor={wanted} is no evaluated candidate. Give the number of one, or leave it out.")
    return wanted
