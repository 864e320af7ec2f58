"""The loop of a study: claim a candidate that nobody has, evaluate it, tell the sampler, and again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import TrialState

from paretoopt.candidate import Evaluation, ProgressListener
from paretoopt.errors import CandidateError, SpaceError, StoppedEarlyError, StudyError
from paretoopt.search.before_training import BeforeTraining
from paretoopt.search.convergence import GainWatch
from paretoopt.search.cost_first.sampler import CostFirstSampler
from paretoopt.search.cost_pruning import CostPruning, Verdict, with_costs
from paretoopt.search.default import choose_sampler, sampler_to_watch_by
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.encoding import suggest
from paretoopt.search.evaluator import CostFirst, Evaluator, attempt
from paretoopt.search.ledger import Ledger
from paretoopt.search.process import this_process
from paretoopt.search.progress import ProgressDisplay, both
from paretoopt.search.pruned import Stop, write_pruned, write_stopped
from paretoopt.search.queue import end_without_result, enqueue, release_dead_trials
from paretoopt.search.records import (
    DUPLICATE_OF,
    INTERRUPTED,
    PARAMS,
    PROCESS,
    key_of,
    write_failure,
    write_measured,
)
from paretoopt.search.sampler import draw_unknown
from paretoopt.search.scouting import Scout
from paretoopt.search.stage_stopping import StageStopping, StageWatch
from paretoopt.search.stopping import Limits, reason_to_stop, refuse_share_of_failures
from paretoopt.space import Params

_LOGGER = logging.getLogger("paretoopt")
_PATIENCE = 3
"""Known candidates that a sampler may propose in a row before one is drawn for it."""
_HOPELESS = 5
"""Failures without any success after which a study ends: something is wrong with all candidates."""


@dataclass(frozen=True)
class _Claim:
    trial: optuna.Trial
    params: Params


class Optimization:
    """One call of ``study.optimize``."""

    def __init__(
        self,
        study: optuna.Study,
        definition: StudyDefinition,
        evaluator: Evaluator,
        *,
        lock: Callable[[], AbstractContextManager[object]],
        seed: int | None,
        listener: ProgressListener,
        display: ProgressDisplay,
        cost_pruning: CostPruning | None,
        stopping: StageStopping | None,
    ) -> None:
        """Prepare the loop.

        Args:
            study: The Optuna study.
            definition: What it searches.
            evaluator: Evaluates its candidates.
            lock: Keeps other processes from claiming a candidate.
            seed: Seed of the default sampler; None where the study has a sampler of its own.
            listener: Told what goes on within an evaluation.
            display: Told about trials.
            cost_pruning: Which candidates are not trained because of their costs; None to train all.
            stopping: Whose training is ended early; None to train to the end.
        """
        self._study = study
        self._definition = definition
        self._evaluator = evaluator
        self._lock = lock
        self._seed = seed
        self._choice = None if seed is None else choose_sampler(definition, evaluator, seed)
        self._listener = listener
        self._display = display
        self._stopping = stopping
        self._before = BeforeTraining(study, definition, evaluator, cost_pruning, stopping is not None, listener)
        self._ledger = Ledger()
        self._watch: GainWatch | None = None
        self._scout = self._scouting()
        self._gains: Sequence[float] = ()
        self._n_failures = 0

    @property
    def sampler_note(self) -> str:
        """Which sampler proposes candidates, and why."""
        return f"Candidates are proposed by {self._study.sampler}." if self._choice is None else self._choice.note

    def run(self, limits: Limits) -> None:
        """Evaluate candidates until a limit is reached, none is left, or Ctrl-C is pressed.

        Raises:
            StudyError: The first candidates all failed, or too large a share of all; or nobody could tell whether the
                study has converged.
            ParetooptError: Something is wrong that would befall every candidate.
        """
        _LOGGER.info(self.sampler_note)
        self._watch = self._watching(limits)
        release_dead_trials(self._study, self._definition.space)
        self._settle()
        self._display.told(self._ledger)
        if self._choice is not None and isinstance(self._evaluator, CostFirst) and self._scout is None:
            self._display.say(self.sampler_note)  # whoever has a pipeline expects the other one
        try:
            self._display.say(self._loop(limits))
        except KeyboardInterrupt:
            self._display.say(
                f"Interrupted with {self._ledger.n_evaluated} candidates evaluated; all are kept. "
                "The same command goes on from here."
            )

    def _loop(self, limits: Limits) -> str:
        """Go on until there is a reason to stop, which is given."""
        while True:
            reason = reason_to_stop(self._ledger, limits, self._gains)
            if reason is not None:
                return reason
            claim = self._claim_new()
            if claim is None:
                return f"No candidate is left in the space: {self._ledger.n_evaluated} are evaluated."
            self._evaluate(claim)
            if self._n_failures:
                refuse_share_of_failures(self._ledger, limits.max_failure_share)

    def _scouting(self) -> Scout | None:
        """Where the cost-first sampler proposes, costs that decide are measured before it does."""
        sampler, evaluator = self._proposing, self._evaluator
        if not isinstance(sampler, CostFirstSampler) or not isinstance(evaluator, CostFirst):
            return None
        return Scout(self._study, sampler, evaluator, self._listener)

    @property
    def _proposing(self) -> optuna.samplers.BaseSampler:
        return self._study.sampler if self._choice is None else self._choice.at(0)

    def _watching(self, limits: Limits) -> GainWatch | None:
        """What is still to gain is shown where the cost-first sampler proposes; with others, where a limit needs it."""
        sampler = sampler_to_watch_by(
            self._proposing, self._definition, self._evaluator, is_needed=limits.until is not None
        )
        return None if sampler is None else GainWatch(self._study, sampler)

    def _claim_new(self) -> _Claim | None:
        """A candidate that nobody has evaluated or evaluates; None where there is none left."""
        n_candidates = self._definition.space.n_candidates
        if n_candidates is not None and self._ledger.n_evaluated >= n_candidates:
            return None
        for _ in range(_PATIENCE):
            if self._scout is not None:
                self._scout.look()
            claim = self._claim()
            if claim is not None:
                return claim
        while claim is None:
            params = draw_unknown(self._definition.space, self._rng(), self._is_known)
            if params is None:
                return None
            enqueue(self._study, params, self._definition.space)
            claim = self._claim()
        return claim

    def _claim(self) -> _Claim | None:
        """Claim what the sampler proposes; None where the candidate is another trial's."""
        with self._lock():
            self._refresh()
            if self._choice is not None:
                self._study.sampler = self._choice.at(self._turn)
            trial = self._study.ask()
            with self._giving_back(trial):
                trial.set_user_attr(PROCESS, this_process())
                if self._scout is not None:
                    self._scout.write(trial)
                params = self._canonical(suggest(trial, self._definition.space))
                trial.set_user_attr(PARAMS, dict(params))
                # Read again once the claim is written: without a lock, another process may have written the same.
                self._ledger.refresh(self._study.get_trials(deepcopy=False), claimant=trial.number)
                holder = self._ledger.holder(key_of(params))
                if holder is None:
                    return _Claim(trial, params)
                trial.set_user_attr(DUPLICATE_OF, holder)
                self._study.tell(trial, state=TrialState.FAIL)
        self._refresh()
        return None

    def _evaluate(self, claim: _Claim) -> None:
        trial, definition = claim.trial, self._definition
        self._display.started(trial.number, claim.params)
        watch: StageWatch | None = None
        with self._giving_back(trial):
            try:
                costs = self._before.costs(claim.params)
                verdict = self._before.verdict(claim.params, costs)
                if costs is not None and verdict is not None:
                    self._pruned(trial, costs, verdict)
                    return
                if self._stopping is not None:
                    watch = self._stopping.watch(trial, claim.params)
                listener = both(self._listener, watch)
                evaluation = attempt(self._evaluator, claim.params, definition.metrics, listener)
            except CandidateError as error:
                if isinstance(error, StoppedEarlyError) and watch is not None and watch.stop is not None:
                    self._stopped(trial, costs, watch.stop, error.training_cost)
                    return
                write_failure(trial, error)
                self._study.tell(trial, state=TrialState.PRUNED)
                self._settle()
                self._display.failed(trial.number, str(error), self._ledger)
                self._refuse_hopeless(error)
                return
            evaluation = evaluation if costs is None else with_costs(evaluation, costs)
            write_measured(trial, evaluation, definition.constraints)
            values = [evaluation.measurements[objective.metric].value for objective in definition.objectives]
            self._study.tell(trial, values)
        self._settle()
        self._display.finished(trial.number, evaluation, self._ledger)

    def _pruned(self, trial: optuna.Trial, costs: Evaluation, verdict: Verdict) -> None:
        """Tell that the candidate needs no training."""
        write_pruned(trial, costs, verdict.reason, verdict.dominated_by, self._definition.constraints)
        self._study.tell(trial, state=TrialState.PRUNED)
        self._settle()
        self._display.pruned(trial.number, verdict.reason, self._ledger)

    def _stopped(self, trial: optuna.Trial, costs: Evaluation | None, stop: Stop, training_cost: float) -> None:
        """Tell that the candidate's training was ended early."""
        write_stopped(trial, costs or Evaluation({}), stop, training_cost, self._definition.constraints)
        self._study.tell(trial, state=TrialState.PRUNED)
        self._settle()
        self._display.pruned(trial.number, stop.reason, self._ledger, when="stopped early")

    @contextmanager
    def _giving_back(self, trial: optuna.Trial) -> Iterator[None]:
        """Put the candidate back where anything but its own failure ends the evaluation."""
        try:
            yield
        except BaseException:
            end_without_result(self._study, trial.number, INTERRUPTED, self._definition.space)
            raise

    def _refuse_hopeless(self, error: CandidateError) -> None:
        self._n_failures += 1
        if self._ledger.n_completed == 0 and self._n_failures >= _HOPELESS:
            raise StudyError(
                f"The first {self._n_failures} candidates all failed, so the study ends. The last one: "
                f"{str(error).rstrip('.')}. Mend that, or narrow the space to what works; study.failures() lists "
                "them all."
            ) from error

    def _canonical(self, params: Params) -> Params:
        try:
            return self._evaluator.canonical(params)
        except SpaceError:
            return params  # evaluating it will fail, with the reason

    def _is_known(self, params: Params) -> bool:
        return self._ledger.holder(key_of(self._canonical(params))) is not None

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng([self._seed or 0, self._turn])

    @property
    def _turn(self) -> int:
        """Proposals so far, without trials that were cut short, so that the study goes on as if they had not been."""
        return self._ledger.n_evaluated + self._ledger.n_duplicates + self._ledger.n_running

    def _settle(self) -> None:
        """Take in what an evaluation has changed, and what is expected still to gain now."""
        self._refresh()
        if self._watch is not None:
            self._gains = self._watch.gains(self._ledger.n_evaluated)
            self._display.expects(self._gains[-1] if self._gains else None)

    def _refresh(self) -> None:
        self._ledger.refresh(self._study.get_trials(deepcopy=False))
