"""The finals: the members of the front are measured again, in turn, round by round, with an anchor in every round."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import optuna

from paretoopt.candidate import Candidate, ProgressListener
from paretoopt.errors import CandidateError, StudyError
from paretoopt.front.baseline import find_baseline
from paretoopt.front.dominance import costs_of
from paretoopt.front.feasibility import require_feasible
from paretoopt.front.knee import ideal_distances
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.rounds import LEAST_ROUNDS
from paretoopt.search.evaluator import Evaluator, Remeasurer
from paretoopt.search.finals_records import FinalsPlan, FinalsResult, Round, read_rounds, write_result, write_round
from paretoopt.search.finals_summary import PerUser, measurements_of, probabilities_of, values_of_rounds
from paretoopt.search.progress import ProgressDisplay


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


def check_limits(*, top: int | None, rounds: int) -> None:
    """Refuse what cannot give an interval.

    Raises:
        StudyError: ``top`` or ``rounds`` is too small.
    """
    if top is not None and top < 1:
        raise StudyError(f"top={top} measures nothing. Give 1 or more, or leave it out for all members.")
    if rounds < LEAST_ROUNDS:
        raise StudyError(f"rounds={rounds} give no 95 % interval of a median. Give {LEAST_ROUNDS} or more.")


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
    ) -> None:
        """Choose the finalists.

        Args:
            study: Keeps the rounds.
            front: The front of the search, without what earlier finals found.
            pipeline: Measures.
            top: Members to measure, the nearest to the ideal first; None for all.
            anchor: The trial that shows the drift; None for the uncompressed one, or else the first member.

        Raises:
            NoFeasibleCandidateError: The front is empty.
            StudyError: The anchor is no evaluated candidate.
        """
        require_feasible(front.candidates, front.objectives, front.constraints)
        self._study = study
        self._front = front
        self._pipeline = pipeline
        members = _nearest(front, top)
        self._anchor = _anchor(front, members, anchor)
        numbers = {member.number for member in members} | {self._anchor}
        self._finalists = [candidate for candidate in front.candidates if candidate.number in numbers]
        plan = (tuple(sorted(numbers)), self._anchor, pipeline.device(), pipeline.fingerprint)
        self._plan = FinalsPlan(*plan)

    def run(
        self, *, rounds: int, deadline: float | None, listener: ProgressListener, display: ProgressDisplay
    ) -> FinalsResult | None:
        """Measure the rounds that are missing and keep each; then keep the outcome and give it.

        Args:
            rounds: How many there shall be in all.
            deadline: Value of ``time.monotonic()`` after which no round begins that the intervals do not need.
            listener: Told what goes on within a measurement.
            display: Told about rounds.

        Returns:
            The outcome; None where Ctrl-C came before there were enough rounds.

        Raises:
            StudyError: A finalist can no longer be measured.
        """
        done = read_rounds(self._study, self._plan)
        try:
            while len(done) < rounds and not (_is_over(deadline) and len(done) >= LEAST_ROUNDS):
                done.append(self._round(len(done), listener, display))
                display.say(f"Finals: round {len(done)} of {rounds}, {len(self._finalists)} candidates each.")
        except KeyboardInterrupt:
            display.say(f"Interrupted after {len(done)} rounds of the finals; all are kept. The same call goes on.")
        if len(done) < LEAST_ROUNDS:
            return None
        result = self._result(done, listener)
        write_result(self._study, result)
        return result

    def _round(self, number: int, listener: ProgressListener, display: ProgressDisplay) -> Round:
        """Measure every finalist once, in an order of the round's own."""
        measured: dict[int, dict[str, float]] = {}
        for index in np.random.default_rng(number).permutation(len(self._finalists)):
            finalist = self._finalists[index]
            display.started(finalist.number, finalist.params)
            try:
                found = self._pipeline.remeasure(finalist.params, listener)
            except CandidateError as error:
                raise StudyError(
                    f"trial {finalist.number} could not be measured again in round {number + 1} of the finals: {error} "
                    "The rounds before are kept. Mend that and call finals again, or leave the trial out with top=."
                ) from error
            measured[finalist.number] = {metric: float(one.value) for metric, one in found.items()}
        write_round(self._study, self._plan, number, measured)
        return measured

    def _result(self, rounds: Sequence[Round], listener: ProgressListener) -> FinalsResult:
        numbers, front = [finalist.number for finalist in self._finalists], self._front
        values = values_of_rounds(rounds, numbers, anchor=self._anchor, timed=self._pipeline.timed_metrics)
        probabilities = probabilities_of(
            self._finalists, values, self._per_user(listener), front.objectives, front.constraints
        )
        staying = {*numbers, *(member.number for member in front.members)}
        return FinalsResult(
            anchor=self._anchor,
            n_rounds=len(rounds),
            device=self._plan.device,
            measurements=measurements_of(values, numbers),
            probabilities=probabilities,
            set_aside=frozenset(candidate.number for candidate in front.candidates) - staying,
        )

    def _per_user(self, listener: ProgressListener) -> PerUser:
        found = [self._pipeline.per_user(finalist.params, listener) for finalist in self._finalists]
        shared = [metric for metric in found[0] if all(metric in one for one in found)]
        return {metric: np.stack([one[metric] for one in found]) for metric in shared}


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


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline
