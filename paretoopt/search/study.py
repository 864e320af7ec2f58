"""The study: draws candidates from a space, evaluates each once, and keeps what was measured in a database."""

from __future__ import annotations

import time
from collections.abc import Sequence

import optuna
import pandas as pd

from paretoopt.candidate import Candidate, ProgressListener
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.front.table import to_frame
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.convergence import Until, as_converged, read_expected_gain
from paretoopt.search.cost_pruning import COST_PRUNING, CostPruning
from paretoopt.search.creation import open_optuna_study, quiet_optuna, refuse_another_pipeline
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.encoding import checked
from paretoopt.search.evaluator import Evaluator, Function, as_evaluator
from paretoopt.search.finals import FinalsLimits
from paretoopt.search.finals_records import environments_frame
from paretoopt.search.measured_again import front_measured_again, hold_finals, measured_again, repeat_trainings
from paretoopt.search.optimization import Optimization
from paretoopt.search.progress import ProgressDisplay, both
from paretoopt.search.progress_console import ProgressConsole
from paretoopt.search.pruned import PrunedCandidate, read_pruned
from paretoopt.search.queue import enqueue, is_queued_or_tried
from paretoopt.search.records import Failure, read_failures
from paretoopt.search.repeats import RepeatsLimits
from paretoopt.search.sampler import default_sampler, refuse_self_stopping
from paretoopt.search.stopping import Limits, check_limits, target_of
from paretoopt.search.storage import Database, open_database
from paretoopt.space import Params, SearchSpace


class Study:
    """Candidates of one space, evaluated by one pipeline; :func:`create_study` makes or reopens one.

    Attributes:
        sampler_note: Which sampler proposes the candidates, and why; None until :meth:`optimize` knows.
    """

    def __init__(
        self, optuna_study: optuna.Study, definition: StudyDefinition, *, database: Database, seed: int | None
    ) -> None:
        """Put a study around ``optuna_study``, whose default sampler has ``seed``; None where it has one of its own."""
        self._optuna_study = optuna_study
        self._definition = definition
        self._database = database
        self._seed = seed
        self.sampler_note: str | None = None

    @property
    def study_name(self) -> str:
        """The name under which the database keeps this study."""
        return self._optuna_study.study_name

    @property
    def space(self) -> SearchSpace:
        """The candidates."""
        return self._definition.space

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What candidates are compared in."""
        return self._definition.objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What a feasible candidate satisfies."""
        return self._definition.constraints

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
        listener: ProgressListener | None = None,
        progress: bool = True,
    ) -> None:
        """Evaluate candidates until a limit is reached, or none is left.

        Unlike Optuna's, ``n_trials`` counts what earlier runs have evaluated: the same script run again goes on where
        it was stopped, or killed. A candidate is never evaluated twice; one that fails is recorded with its reason,
        counts as evaluated, and the sampler learns to stay away from it. Ctrl-C ends in good order. Several processes
        may run a study at once; what they run when ``n_trials`` candidates are evaluated comes on top.

        Args:
            pipeline: A pipeline, or a function ``params -> {metric: value}``.
            n_trials: Evaluated candidates that the study shall hold in all; without, a finite space is exhausted.
            timeout: Seconds after which no evaluation starts.
            max_training_cost: Worker-seconds newly spent on training, in all runs, after which none starts.
            max_failure_share: Share of the study's candidates that may fail, of ten at least; None for any.
            until: ``"converged"``, or a :class:`Converged`, to end when little hypervolume is expected still to gain.
            cost_pruning: Which candidates are not trained, because of costs that are known before; None to train all.
            listener: Told what goes on within each evaluation.
            progress: Whether progress is shown on standard error.

        Raises:
            SpaceError, ObjectiveError: The pipeline cannot use a dimension or value, or does not measure a metric.
            StudyMismatchError: Earlier candidates were evaluated by another pipeline.
            StudyError: Too many candidates fail; a limit is none; the database cannot be used.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        limits = Limits(n_trials, deadline, max_training_cost, max_failure_share, as_converged(until))
        evaluator = as_evaluator(pipeline, self._definition.metrics)
        check_limits(limits, self.space, evaluator)
        evaluator.check(self.space, self._definition.metrics)
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
                )
                self.sampler_note = optimization.sampler_note
                optimization.run(limits)

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
            anchor: Number of the trial that shows the drift; None for the uncompressed candidate where there is one.
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

    def candidates(self) -> tuple[Candidate, ...]:
        """Every evaluated candidate, feasible or not, by trial, with the values of the finals and the repeats."""
        with self._database.naming_failures():
            return measured_again(self._optuna_study)

    def failures(self) -> tuple[Failure, ...]:
        """Every candidate that could not be evaluated, with the reason."""
        return read_failures(self._trials())

    def pruned(self) -> tuple[PrunedCandidate, ...]:
        """Every candidate that was not trained because of its costs, with the reason and what was measured."""
        return read_pruned(self._trials())

    def pareto_front(self) -> ParetoFront:
        """The front of all evaluated candidates; those that were off it before the finals stay off it."""
        with self._database.naming_failures():
            return front_measured_again(self._optuna_study, self._definition)

    def to_frame(self) -> pd.DataFrame:
        """One row per evaluated candidate: number, parameters, metrics, and the ends of the known intervals."""
        return to_frame(self.candidates(), self.objectives)

    def finals_environments(self) -> pd.DataFrame:
        """One row per measurement of the last finals: its round, trial, measure, and where and under which load."""
        with self._database.naming_failures():
            return environments_frame(self._optuna_study)

    def _trials(self) -> list[optuna.trial.FrozenTrial]:
        with self._database.naming_failures():
            return self._optuna_study.get_trials(deepcopy=False)


def create_study(
    space: SearchSpace,
    *,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    study_name: str | None = None,
    storage: str | optuna.storages.BaseStorage | None = None,
    load_if_exists: bool = False,
    sampler: optuna.samplers.BaseSampler | None = None,
    seed: int = 0,
) -> Study:
    """Create a study, or reopen one to go on with it.

    Args:
        space: The candidates to search.
        objectives: What they are compared in.
        constraints: What a feasible candidate satisfies.
        study_name: Names the study in its database; None for a name that nothing else has.
        storage: A database URL or an Optuna storage; None for ``sqlite:///paretoopt.db``, a file in the current folder.
            SQLite needs a local disk: for a shared one, pass ``optuna.storages.JournalStorage(...)``.
        load_if_exists: Whether to go on with a study of this name.
        sampler: Any Optuna sampler but those that end a study on their own; None for :class:`CostFirstSampler` where it
            can be used, else a multivariate TPE. Both give the same candidates for the same seed, resumed or not.
        seed: Seed of the default sampler.

    Raises:
        ObjectiveError: Objectives or constraints are missing, repeated or contradict each other.
        StudyMismatchError: The study exists with another space, objectives or constraints.
        StudyError: The study exists already, or the database cannot be used.

    >>> from paretoopt.objectives import maximize, minimize
    >>> from paretoopt.space import Int
    >>> objectives = [maximize("quality"), minimize("memory_mib")]
    >>> study = create_study(SearchSpace(size=Int(1, 4)), objectives=objectives, storage="sqlite:///:memory:")
    >>> study.optimize(lambda params: {"quality": min(params["size"], 3), "memory_mib": params["size"]}, progress=False)
    >>> sorted(candidate.params["size"] for candidate in study.pareto_front().members)
    [1, 2, 3]
    """
    definition = StudyDefinition(space, tuple(objectives), tuple(constraints))
    refuse_self_stopping(sampler)
    database = open_database(storage)
    with database.naming_failures(), quiet_optuna():
        optuna_study = open_optuna_study(
            definition, study_name, database.storage, load_if_exists, sampler or default_sampler(seed, 0)
        )
    return Study(optuna_study, definition, database=database, seed=seed if sampler is None else None)
