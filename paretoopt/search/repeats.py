"""The repeats: models are trained again from other seeds, where that tells most of who is on the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna

from paretoopt.candidate import Candidate, ProgressListener
from paretoopt.errors import StudyError
from paretoopt.front.feasibility import require_any
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import Evaluator, Repeater
from paretoopt.search.finals_records import read_result, with_finals
from paretoopt.search.progress import ProgressDisplay
from paretoopt.search.quality_draws import Trainings, luck_of
from paretoopt.search.repeats_records import (
    RepeatsResult,
    finals_known,
    read_repeats,
    write_repeat,
    write_repeats_result,
)
from paretoopt.search.repeats_standing import Standing, contenders, measurements_over_seeds, standing
from paretoopt.search.repeats_trainings import RemainingCost, TrainingsReader, made, repeat


def repeating(evaluator: Evaluator, definition: StudyDefinition) -> Repeater:
    """``evaluator``, if it can train again from another seed what decides about the front.

    Raises:
        StudyError: It cannot, or training moves no objective and no constraint.
        PipelineError: Its build function takes no seed.
    """
    if not isinstance(evaluator, Repeater):
        raise StudyError(
            f"repeats train again from another seed, but {evaluator.fingerprint!r} takes none. Bring a Pipeline."
        )
    if not set(definition.metrics) & set(evaluator.quality_metrics):
        raise StudyError(
            f"training moves none of {', '.join(definition.metrics)}, so nothing would come out differently again."
        )
    evaluator.with_seed(evaluator.seed + 1)
    return evaluator


@dataclass(frozen=True)
class RepeatsLimits:
    """When there are repeats enough.

    Attributes:
        seeds: From which a model is trained at most, that of the search included.
        confidence: Probability with which it shall be decided of every candidate whether it is on the front.
        max_training_cost: Worker-seconds of training, those of earlier repeats included, after which none starts.

    Raises:
        StudyError: A limit is none.
    """

    seeds: int
    confidence: float
    max_training_cost: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.seeds < 2:
            raise StudyError(f"seeds={self.seeds} repeats nothing: the search's seed is one of them. Give 2 or more.")
        if not 0.5 < self.confidence < 1:
            raise StudyError(f"confidence={self.confidence} decides nothing, or never. Give one above 0.5 and below 1.")
        if self.max_training_cost is not None and not self.max_training_cost >= 0:
            raise StudyError(f"max_training_cost={self.max_training_cost} is no limit. Give 0 or more, or None.")


class Repeats:
    """One call of ``study.repeats``."""

    def __init__(
        self,
        study: optuna.Study,
        candidates: Sequence[Candidate],
        definition: StudyDefinition,
        pipeline: Repeater,
        *,
        listener: ProgressListener,
        display: ProgressDisplay,
    ) -> None:
        """Find who may be on the front, were it not for luck.

        Args:
            study: Keeps the repeats.
            candidates: All of the study's, as the search measured them.
            definition: What they are compared in.
            pipeline: Trains.
            listener: Told what goes on within a training.
            display: Told about repeats.

        Raises:
            StudyError: No stage says that it trains.
        """
        self._study = study
        self._definition = definition
        self._pipeline = pipeline
        self._listener = listener
        self._display = display
        self._done = read_repeats(study)
        self._finals = read_result(study)
        # Those that the finals left off the front stay off it.
        set_aside = frozenset() if self._finals is None else self._finals.set_aside
        considered = [one for one in with_finals(candidates, self._finals) if one.number not in set_aside]
        known = {one.number for one in self._done}
        self._contenders = contenders(considered, definition, pipeline.quality_metrics, known)
        self._made = {one.number: made(one, pipeline) for one in self._contenders}
        if self._contenders and all(how.training is None for how in self._made.values()):
            raise StudyError(
                "no stage of this pipeline says that it trains, so there is nothing to repeat. Set trains=True of the "
                "stages that learn weights."
            )
        self._read = TrainingsReader(pipeline, listener)
        self._cost = RemainingCost(candidates, pipeline)

    def run(self, limits: RepeatsLimits) -> None:
        """Repeat trainings until a limit is reached, keep each, then keep the outcome.

        Raises:
            NoFeasibleCandidateError: There is no candidate.
        """
        require_any(self._contenders)
        try:
            self._display.say(f"Repeats: {self._loop(limits)}")
        except KeyboardInterrupt:
            self._display.say(f"Interrupted after {len(self._done)} repeats; all are kept. The same call goes on.")
        write_repeats_result(self._study, self._result())

    def _loop(self, limits: RepeatsLimits) -> str:
        """Go on until there is a reason to stop, which is given."""
        while True:
            self._catch_up()
            now = standing(self._trainings(), self._definition, self._pipeline.quality_metrics)
            n_open = int(now.is_open(limits.confidence).sum())
            if not n_open:
                return f"it is decided who is on the front, after {self._summary()}."
            if limits.max_training_cost is not None and self._spent >= limits.max_training_cost:
                return f"max_training_cost is spent with {n_open} candidates undecided, after {self._summary()}."
            training = self._most_telling(now, limits)
            if training is None:
                return f"{n_open} candidates stay undecided, which further seeds would not tell, {self._summary()}."
            self._display.say(f"Repeats: {n_open} of {len(self._contenders)} candidates undecided, {self._summary()}.")
            self._train(training, self._next_seed(training))

    def _most_telling(self, now: Standing, limits: RepeatsLimits) -> str | None:
        """The training of which one more seed tells most for what it costs; None where none tells anything."""
        worth = {
            training: now.gain(training, limits.confidence)
            / max(self._cost(members[0], self._next_seed(training)), 1e-9)
            for training, members in self._members().items()
            if 1 + len(self._seeds(training)) < limits.seeds
        }
        best = max(worth, key=lambda training: worth[training], default=None)
        return best if best is not None and worth[best] > 0 else None

    def _catch_up(self) -> None:
        """Measure contenders at the seeds at which others that share their training have been."""
        known = {(one.number, one.seed) for one in self._done}
        for training, members in self._members().items():
            for seed in self._seeds(training):
                for member in members:
                    if (member.number, seed) not in known:
                        self._repeat(member, seed)

    def _train(self, training: str, seed: int) -> None:
        for member in self._members()[training]:
            self._repeat(member, seed)

    def _repeat(self, candidate: Candidate, seed: int) -> None:
        self._display.started(candidate.number, candidate.params)
        done = repeat(candidate, seed, self._pipeline, self._listener)
        write_repeat(self._study, done)
        self._done.append(done)
        if done.failure is not None:
            self._display.say(f"Repeats: trial {candidate.number} failed from seed {seed}: {done.failure}")

    def _members(self) -> dict[str, list[Candidate]]:
        """The contenders that share each training."""
        members: dict[str, list[Candidate]] = {}
        for one in self._contenders:
            training = self._made[one.number].training
            if training is not None:
                members.setdefault(training, []).append(one)
        return members

    def _seeds(self, training: str) -> list[int]:
        """The seeds from which the training was repeated, those included from which it failed."""
        numbers = {number for number, how in self._made.items() if how.training == training}
        return sorted({one.seed for one in self._done if one.number in numbers})

    def _next_seed(self, training: str) -> int:
        return max([self._pipeline.seed, *self._seeds(training)]) + 1

    def _trainings(self) -> list[Trainings]:
        return [self._read(one, self._made[one.number], self._done) for one in self._contenders]

    @property
    def _spent(self) -> float:
        return sum(one.training_cost for one in self._done)

    def _summary(self) -> str:
        n_trained = sum(one.n_trained for one in self._done)
        return f"{n_trained} models trained again in {self._spent:.0f} worker-seconds"

    def _result(self) -> RepeatsResult:
        trainings, quality = self._trainings(), self._pipeline.quality_metrics
        luck = {metric: luck_of(metric, trainings) for metric in quality}
        now = standing(trainings, self._definition, quality)
        numbers = [one.number for one in self._contenders]
        # A single training of each says nothing of luck: the search's intervals stay.
        known = [metric for metric in quality if luck[metric].of_trainings.degrees]
        over_seeds = {metric: measurements_over_seeds(metric, luck[metric], trainings) for metric in known}
        return RepeatsResult(
            measurements={
                number: {metric: found[column] for metric, found in over_seeds.items()}
                for column, number in enumerate(numbers)
            },
            probabilities=dict(zip(numbers, map(float, now.probabilities), strict=True)),
            made={one.candidate.number: one.made for one in trainings},
            luck=luck,
            finals=finals_known(self._finals),
        )
