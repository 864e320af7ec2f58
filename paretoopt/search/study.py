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
from paretoopt.search.cost_pruning import COST_PRUNING, CostPruning
from paretoopt.search.creation import open_optuna_study, quiet_optuna, refuse_another_pipeline
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.encoding import checked
from paretoopt.search.evaluator import Evaluator, Function, as_evaluator
from paretoopt.search.finals import Finals, FinalsLimits, measuring
from paretoopt.search.finals_records import FinalsResult, environments_frame, read_result, with_finals
from paretoopt.search.ledger import Ledger
from paretoopt.search.optimization import Optimization
from paretoopt.search.progress import ProgressDisplay, both
from paretoopt.search.progress_console import ProgressConsole
from paretoopt.search.pruned import PrunedCandidate, read_pruned
from paretoopt.search.queue import enqueue, is_queued_or_tried
from paretoopt.search.records import Failure, read_candidates, read_failures
from paretoopt.search.sampler import default_sampler, refuse_self_stopping
from paretoopt.search.stage_stopping import stage_stopping
from paretoopt.search.stopping import Limits, check_limits, target_of
from paretoopt.search.stopping_rule import StoppingRule
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
        """Put a study around ``optuna_study``, which is in ``database``.

        ``seed`` is that of the default sampler; None to use the sampler of ``optuna_study``.
        """
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
        """The Optuna study itself, for its dashboard and plots.

        An ``Ordered`` dimension is ``<name>.index`` there, the position in its values. A trial in state FAIL proposed a
        known candidate, or was cut short.
        """
        return self._optuna_study

    def enqueue(self, params: Params) -> None:
        """Evaluate ``params`` before what the sampler proposes; nothing happens where the study has them already.

        Args:
            params: A value for every dimension of the space.

        Raises:
            SpaceError: ``params`` are not in the space.
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
            max_training_cost: Worker-seconds of training after which none starts; failures count, the store is free.
            max_failure_share: Share of the study's candidates that may fail, of ten at least; None for any.
            cost_pruning: Which candidates are not trained, because of costs that are known before; None to train all.
            early_stopping: Ends training once none that needs it can join the front, such as ``LearningCurves()``.
            listener: Told what goes on within each evaluation.
            progress: Whether progress is shown on standard error.

        Raises:
            SpaceError: The pipeline cannot use a dimension or one of its values.
            ObjectiveError: The pipeline does not measure a metric.
            StudyMismatchError: Earlier candidates were evaluated by another pipeline.
            StudyError: The first candidates, or too many of all, fail; a limit is none; the database cannot be used.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        limits = Limits(n_trials, deadline, max_training_cost, max_failure_share)
        evaluator = as_evaluator(pipeline, self._definition.metrics)
        check_limits(limits, self.space, evaluator)
        evaluator.check(self.space, self._definition.metrics)
        stopping = stage_stopping(self._optuna_study, self._definition, evaluator, early_stopping)
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
                    stopping=stopping,
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

        Each round measures every member once, shuffled, with an anchor that shows the machine's drift, which is taken
        out (``docs/finals.md``). A member that the new values show to be dominated is one no more. Rounds are kept as
        they end: the same call goes on where it was stopped.

        Args:
            pipeline: The pipeline that the study was optimized with.
            top: Members to measure, those nearest to the ideal; None for all. The others stay as they are.
            rounds: Rounds that there shall be in all, at least 6.
            confidence: Fewer will do once each is on the front, or off it, with this probability; None for all.
            budget_seconds: Time after which no further round begins, once there are 6.
            anchor: Trial that shows the drift; None for the uncompressed candidate where there is one.
            listener: Told what goes on within each measurement.
            progress: Whether progress is shown on standard error.

        Raises:
            NoFeasibleCandidateError: The front is empty.
            StudyMismatchError: The candidates were evaluated by another pipeline.
            StudyError: A setting does not work, or a candidate can no longer be measured.

        Warns:
            EnvironmentWarning: Other candidates were measured in another environment.
        """
        deadline = None if budget_seconds is None else time.monotonic() + budget_seconds
        limits = FinalsLimits(rounds, confidence, deadline)
        evaluator = measuring(as_evaluator(pipeline, self._definition.metrics))
        with self._database.naming_failures(), quiet_optuna():
            refuse_another_pipeline(self._optuna_study, evaluator)
            trials = self._trials()
            searched = ParetoFront(read_candidates(trials), self.objectives, self.constraints)
            finals = Finals(self._optuna_study, searched, evaluator, top=top, anchor=anchor)
            ledger = Ledger()
            ledger.refresh(trials)
            console = ProgressConsole(quiet=not progress)
            with ProgressDisplay(self.study_name, self.objectives, None, console) as display:
                display.told(ledger)
                finals.run(limits, listener=both(display.heard, listener), display=display)
        return self.pareto_front()

    def candidates(self) -> tuple[Candidate, ...]:
        """Every evaluated candidate, feasible or not, by trial; those of the finals have the values of the finals."""
        return with_finals(read_candidates(self._trials()), self._finals_result())

    def failures(self) -> tuple[Failure, ...]:
        """Every candidate that could not be evaluated, with the reason."""
        return read_failures(self._trials())

    def pruned(self) -> tuple[PrunedCandidate, ...]:
        """Every candidate that was not trained, or not to the end, with the reason and what was measured."""
        return read_pruned(self._trials())

    def pareto_front(self) -> ParetoFront:
        """The front of all evaluated candidates; those that were off it before the finals stay off it."""
        result = self._finals_result()
        set_aside = result.set_aside if result is not None else frozenset()
        return ParetoFront(self.candidates(), self.objectives, self.constraints, set_aside)

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

    def _finals_result(self) -> FinalsResult | None:
        with self._database.naming_failures():
            return read_result(self._optuna_study)


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
    >>> study = create_study(
    ...     SearchSpace(size=Int(1, 4)),
    ...     objectives=[maximize("quality"), minimize("memory_mib")],
    ...     storage="sqlite:///:memory:",
    ... )
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
