"""The study: draws candidates from a space, evaluates each once, and keeps what was measured in a database."""

from __future__ import annotations

import time

import optuna

from paretoopt.candidate import ProgressListener
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.search.convergence import Until, as_converged, read_expected_gain
from paretoopt.search.cost_pruning import COST_PRUNING, CostPruning
from paretoopt.search.costed import with_cost_metrics
from paretoopt.search.creation import quiet_optuna, refuse_another_pipeline
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.encoding import checked
from paretoopt.search.evaluator import Evaluator, Function, as_evaluator
from paretoopt.search.finals import FinalsLimits
from paretoopt.search.measured_again import hold_finals, repeat_trainings
from paretoopt.search.optimization import Optimization
from paretoopt.search.progress import ProgressDisplay, both
from paretoopt.search.progress_console import ProgressConsole
from paretoopt.search.queue import enqueue, is_queued_or_tried
from paretoopt.search.repeats import RepeatsLimits
from paretoopt.search.stage_stopping import stage_stopping
from paretoopt.search.stopping import Limits, check_limits, target_of
from paretoopt.search.stopping_rule import StoppingRule
from paretoopt.search.storage import Database
from paretoopt.search.stored_study import StoredStudy
from paretoopt.space import Params


class Study(StoredStudy):
    """Candidates of one space, evaluated by one pipeline; ``create_study`` makes or reopens one.

    Attributes:
        sampler_note: Which sampler proposes the candidates, and why; None until :meth:`optimize` knows.
    """

    def __init__(
        self, optuna_study: optuna.Study, definition: StudyDefinition, *, database: Database, seed: int | None
    ) -> None:
        """Put a study around ``optuna_study``, whose default sampler has ``seed``; None where it has one of its own."""
        super().__init__(optuna_study, definition, database)
        self._seed = seed
        self.sampler_note: str | None = None

    @property
    def optuna_study(self) -> optuna.Study:
        """The Optuna study itself; an ``Ordered`` dimension is there as ``<name>.index``, the position in its values.

        Trials in state FAIL were not evaluated: they proposed a known candidate, or were cut short.
        """
        return self._optuna_study

    @property
    def expected_gain(self) -> float | None:
        """The share of hypervolume expected still to gain, as the last evaluation has left it; None if not known."""
        with self._database.naming_failures():
            return read_expected_gain(self._optuna_study)

    def enqueue(self, params: Params) -> None:
        """Evaluate ``params`` before what the sampler proposes; nothing happens where the study has them already.

        Raises:
            SpaceError: ``params`` are no candidate of the space, with a value for every dimension.
        """
        point = checked(params, self.space)
        with self._database.naming_failures():
            if not is_queued_or_tried(self._optuna_study, point, self.space):
                enqueue(self._optuna_study, point, self.space)

    def optimize(
        self,
        pipeline: Evaluator | Function,
        n_trials: int | None = None,
        timeout: float | None = None,
        *,
        max_training_cost: float | None = None,
        max_failure_share: float | None = None,
        until: Until | None = None,
        cost_pruning: CostPruning | None = COST_PRUNING,
        early_stopping: StoppingRule | None = None,
        listener: ProgressListener | None = None,
        progress: bool = True,
    ) -> None:
        """Evaluate candidates until a limit is reached, or none is left; Ctrl-C ends the run in good order.

        Unlike Optuna's, ``n_trials`` counts what earlier runs and other processes have evaluated, so that the same
        script goes on where it was killed. No candidate is evaluated twice; one that fails is recorded, and counts.

        Args:
            pipeline: A pipeline, or a function ``params -> {metric: value}``.
            n_trials: Evaluated candidates that the study shall hold; without, a finite space is exhausted.
            timeout: Seconds after which no evaluation starts; one that runs is finished.
            max_training_cost: Worker-seconds newly spent on training, in all runs, after which none starts.
            max_failure_share: Share of the study's candidates that may fail, of ten at least; None for any.
            until: ``"converged"``, or a :class:`Converged`, to end when little hypervolume is expected still to gain.
            cost_pruning: Which candidates are not trained, because of costs that are known before; None to train all.
            early_stopping: Ends training once none that needs it can join the front, such as ``LearningCurves()``.
            listener: Told what goes on within each evaluation.
            progress: Whether progress is shown on standard error.

        Raises:
            SpaceError, ObjectiveError: The pipeline cannot use a dimension or value, or does not measure a metric.
            StudyMismatchError: Earlier candidates were evaluated by another pipeline.
            StudyError: Too many candidates fail; a limit is none; the database cannot be used.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        limits = Limits(n_trials, deadline, max_training_cost, max_failure_share, as_converged(until))
        evaluator = self._checked(pipeline, limits)
        with self._database.naming_failures(), quiet_optuna():
            refuse_another_pipeline(self._optuna_study, evaluator)
            console, target = ProgressConsole(quiet=not progress), target_of(limits, self.space)
            with ProgressDisplay(
                self.study_name, self.objectives, target, console, deadline=deadline, dimensions=self.space.dimensions
            ) as display:
                optimization = Optimization(
                    self._optuna_study,
                    self._definition,
                    evaluator,
                    lock=self._database.lock,
                    seed=self._seed,
                    listener=both(display.heard, listener),
                    display=display,
                    cost_pruning=cost_pruning,
                    stopping=stage_stopping(self._optuna_study, self._definition, evaluator, early_stopping),
                )
                self.sampler_note = optimization.sampler_note
                optimization.run(limits)

    def _checked(self, pipeline: Evaluator | Function, limits: Limits) -> Evaluator:
        """What evaluates the candidates, if it fits what is searched."""
        given = as_evaluator(pipeline, self._definition.metrics)
        check_limits(limits, self.space, given)
        evaluator = with_cost_metrics(given, self._definition.costs)
        evaluator.check(self.space, self._definition.metrics)
        return evaluator

    def finals(
        self,
        pipeline: Evaluator,
        *,
        top: int | None = None,
        rounds: int = 10,
        confidence: float | None = 0.95,
        budget_seconds: float | None = None,
        anchor: int | None = None,
        listener: ProgressListener | None = None,
        progress: bool = True,
    ) -> ParetoFront:
        """Measure the members of the front again, interleaved, and give the front by the new values.

        Each round measures every member once, and an anchor with them, and corrects for the drift of the machine, as
        ``docs/finals.md`` says. Rounds are kept as they end: the same call goes on where it was stopped.

        Args:
            pipeline: The pipeline that the study was optimized with.
            top: Members to measure, those nearest to the ideal; None for all. The others stay as they are.
            rounds: Rounds that there shall be in all, at least 6.
            confidence: Fewer do, from 6 on, once all are on the front, or off it, this probably; None to measure all.
            budget_seconds: Time after which no further round begins, once there are 6.
            anchor: Trial that shows the drift; None for the uncompressed candidate where there is one.
            listener: Told what goes on within each measurement.
            progress: Whether progress is shown on standard error.

        Raises:
            NoFeasibleCandidateError: The front is empty.
            StudyError: A setting does not work, a candidate can no longer be measured, or the pipeline is another.

        Warns:
            EnvironmentWarning: Other candidates were measured in another environment.
        """
        limits = FinalsLimits(rounds, confidence, None if budget_seconds is None else time.monotonic() + budget_seconds)
        opened = self._optuna_study, self._definition
        with self._database.naming_failures(), quiet_optuna():
            hold_finals(*opened, pipeline, limits, top=top, anchor=anchor, listener=listener, progress=progress)
        return self.pareto_front()

    def repeats(
        self,
        pipeline: Evaluator,
        *,
        seeds: int = 5,
        confidence: float = 0.95,
        max_training_cost: float | None = None,
        listener: ProgressListener | None = None,
        progress: bool = True,
    ) -> ParetoFront:
        """Train again from other seeds where that tells who is on the front, and give the front by means over seeds.

        ``docs/repeats.md`` has the method. Repeats are kept as they end: the same call goes on where it was stopped.

        Args:
            pipeline: The pipeline that the study was optimized with; its build function takes a seed.
            seeds: From which a model is trained at most, the search's included.
            confidence: Probability with which it shall be decided of every candidate whether it is on the front.
            max_training_cost: Worker-seconds of training, earlier repeats included, after which none starts.
            listener: Told what goes on within each training.
            progress: Whether progress is shown on standard error.

        Raises:
            NoFeasibleCandidateError: There is no candidate.
            PipelineError: The build function takes no seed.
            StudyError: A setting does not work, training moves nothing that is compared, or the pipeline is another.
        """
        limits = RepeatsLimits(seeds, confidence, max_training_cost)
        opened = self._optuna_study, self._definition
        with self._database.naming_failures(), quiet_optuna():
            repeat_trainings(*opened, pipeline, limits, listener=listener, progress=progress)
        return self.pareto_front()
