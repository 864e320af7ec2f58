"""Trains candidates again from other seeds, and reads what all their trainings gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import optuna

from paretoopt.candidate import Candidate, Measurements, ProgressListener
from paretoopt.errors import CandidateError
from paretoopt.front.luck import Made
from paretoopt.front.training_cost import training_cost
from paretoopt.search.evaluator import Remeasurer, Repeater, attempt_quality
from paretoopt.search.quality_draws import Trained, Trainings
from paretoopt.search.repeats_records import Repeat, RepeatsResult, read_repeats, read_repeats_result
from paretoopt.store.keys import content_key

# Nothing is trained from it, so that all stages that train remain to be done: this tells which they are.
_UNUSED_SEED = 2**32 - 1
_OF_SEARCH = -1
"""Stands for the seed of the search among those of the repeats."""


@dataclass(frozen=True)
class KnownRepeats:
    """What earlier repeats have found.

    Attributes:
        result: Their outcome.
        done: The repeats themselves.
        searched: The candidates as the search measured them, by trial.
    """

    result: RepeatsResult
    done: Sequence[Repeat]
    searched: Mapping[int, Candidate]


def known_repeats(study: optuna.Study, searched: Iterable[Candidate]) -> KnownRepeats | None:
    """What earlier repeats of the study have found; None where there were none."""
    result = read_repeats_result(study)
    return None if result is None else KnownRepeats(result, read_repeats(study), {one.number: one for one in searched})


def made(candidate: Candidate, pipeline: Repeater) -> Made:
    """What of a candidate is trained, and what its quality is measured on."""
    stages = pipeline.with_seed(_UNUSED_SEED).remaining(candidate.params)
    training = content_key([[stage.name, stage.key] for stage in stages]) if stages else None
    return Made(training, pipeline.artifact_key(candidate.params))


def repeat(candidate: Candidate, seed: int, pipeline: Repeater, listener: ProgressListener) -> Repeat:
    """Train a candidate again, reusing what the store has of that seed; a failure is an outcome, too.

    Raises:
        ParetooptError: Something is wrong that would befall every candidate.
    """
    try:
        quality = attempt_quality(pipeline.with_seed(seed), candidate.params, listener)
    except CandidateError as error:
        return Repeat(candidate.number, seed, {}, training_cost=error.training_cost, failure=str(error))
    cost = training_cost(quality.runs)
    return Repeat(candidate.number, seed, quality.measurements, cost.n_trained, cost.spent)


class RemainingCost:
    """What training a candidate from a seed would newly cost, by what its stages cost in the search."""

    def __init__(self, candidates: Iterable[Candidate], pipeline: Repeater) -> None:
        """Learn what stages cost from the runs of ``candidates``."""
        self._pipeline = pipeline
        self._seconds: dict[str, list[float]] = {}
        for candidate in candidates:
            for name, seconds in _seconds_of(candidate):
                self._seconds.setdefault(name, []).append(seconds)

    def __call__(self, candidate: Candidate, seed: int) -> float:
        """Worker-seconds of the stages that the store lacks; 0 where it has all of them."""
        own = dict(_seconds_of(candidate))
        stages = self._pipeline.with_seed(seed).remaining(candidate.params)
        return float(sum(own.get(stage.name, np.mean(self._seconds.get(stage.name, [1.0]))) for stage in stages))


class TrainingsReader:
    """Reads each training of each candidate once, from the store where it has them."""

    def __init__(self, pipeline: Remeasurer | Repeater, listener: ProgressListener) -> None:
        """Start with nothing read.

        Args:
            pipeline: Has the values of users; it must be a :class:`Repeater` to read repeats.
            listener: Told what is going on.
        """
        self._pipeline = pipeline
        self._listener = listener
        self._read: dict[tuple[int, int], Trained] = {}

    def __call__(self, candidate: Candidate, how: Made, repeats: Iterable[Repeat]) -> Trainings:
        """All trainings of a candidate: that of the search, and those of its ``repeats`` that did not fail."""
        found = {_OF_SEARCH: self._trained(candidate, _OF_SEARCH, candidate.measurements)}
        for one in repeats:
            if one.number == candidate.number and one.failure is None:
                found[one.seed] = self._trained(candidate, one.seed, one.measurements)
        return Trainings(candidate, replace(how, n_seeds=len(found)), found)

    def _trained(self, candidate: Candidate, seed: int, measurements: Measurements) -> Trained:
        key = (candidate.number, seed)
        if key not in self._read:
            pipeline = self._pipeline
            if seed != _OF_SEARCH and isinstance(pipeline, Repeater):
                pipeline = pipeline.with_seed(seed)
            params = candidate.params
            self._read[key] = Trained(
                measurements,
                pipeline.per_user(params, self._listener),
                pipeline.user_statistics(params, self._listener),
            )
        return self._read[key]


def _seconds_of(candidate: Candidate) -> Iterator[tuple[str, float]]:
    return ((run.name, run.seconds) for run in candidate.runs if run.trains)
