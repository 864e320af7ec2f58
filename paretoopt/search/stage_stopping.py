"""Early stopping of the stages that a study trains: one ends when no candidate that needs it can join the front."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import optuna
from optuna.trial import FrozenTrial

from paretoopt.candidate import Candidate, Progress, RemainingStage
from paretoopt.errors import StoppedEarlyError, StudyError
from paretoopt.search.definition import StudyDefinition
from paretoopt.search.evaluator import CostFirstEvaluator, Evaluator
from paretoopt.search.ledger import Ledger
from paretoopt.search.pruned import Stop
from paretoopt.search.records import key_of, read_candidates, read_measurements
from paretoopt.search.sharing import own_stages, sharing
from paretoopt.search.stage_curves import StageCurve, read_curves, write_curves
from paretoopt.search.stage_watched import estimates, judged, rivals, trained_stages
from paretoopt.search.stopping_rule import StoppingRule
from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes
from paretoopt.space import Params


@dataclass(frozen=True)
class StageStopping:
    """What stops the training of a study's stages.

    Attributes:
        study: Holds the trials.
        definition: What it searches.
        evaluator: Trains its candidates.
        rule: Decides by the learning curves.
    """

    study: optuna.Study
    definition: StudyDefinition
    evaluator: CostFirstEvaluator
    rule: StoppingRule

    def watch(self, trial: optuna.Trial, params: Params) -> StageWatch:
        """A listener for the evaluation of the canonical candidate ``params``."""
        return StageWatch(self, trial, params)


def stage_stopping(
    study: optuna.Study, definition: StudyDefinition, evaluator: Evaluator, rule: StoppingRule | None
) -> StageStopping | None:
    """Early stopping by ``rule``; None without one.

    Raises:
        StudyError: The evaluator does not say what it trains.
    """
    if rule is None:
        return None
    if not isinstance(evaluator, CostFirstEvaluator):
        raise StudyError(
            "early_stopping needs a Pipeline, for a plain function does not say what it trains. Within a function, use "
            "po.EarlyStopping in an Optuna study (docs/early_stopping.md)."
        )
    return StageStopping(study, definition, evaluator, rule)


class StageWatch:
    """Listens to one evaluation, and ends the training of a stage that is not worth going on with.

    Attributes:
        stop: Why and where training was ended; None as long as it was not.
    """

    def __init__(self, stopping: StageStopping, trial: optuna.Trial, params: Params) -> None:
        """Start to listen; :meth:`StageStopping.watch` does it."""
        self.stop: Stop | None = None
        self._stopping, self._trial, self._params = stopping, trial, params
        self._wishes = Wishes(stopping.definition.objectives, stopping.definition.constraints)
        self._to_learn = set(self._wishes.metrics) - set(stopping.evaluator.shape_metrics)
        self._own = own_stages(stopping.evaluator, params)
        self._curves: list[StageCurve] = []
        self._key: str | None = None
        self._sharing: list[Params] | None = None
        self._costs: dict[str, dict[str, Estimate]] = {}

    def __call__(self, progress: Progress) -> None:
        """Take in what an evaluation tells of itself.

        Raises:
            StoppedEarlyError: The training that it tells of shall end.
        """
        stage = None if progress.key is None else self._own.get(progress.key)
        if progress.key != self._key:
            self._finish()
            self._key = progress.key
            if stage is not None:
                self._refuse_what_was_stopped(stage)
        values = {name: value for name, value in progress.values.items() if name in self._to_learn}
        if stage is not None and progress.epoch is not None and values:
            self._reported(stage, progress.epoch, values)

    def _finish(self) -> None:
        """Another step has begun, so that the stage that reported has ended."""
        if self._curves and self._curves[-1].key == self._key:
            self._curves[-1] = replace(self._curves[-1], state="finished")
            write_curves(self._trial, self._curves)

    def _refuse_what_was_stopped(self, stage: RemainingStage) -> None:
        """End a training before it begins, where another trial has stopped it and this candidate has no hope either."""
        trials = self._trials()
        stopped = read_curves(trials).get(stage.key)
        if stopped is None or stopped.state != "stopped":
            return
        verdict = self._judge(self._params, stopped, trials)
        if verdict is not None:
            before = f"{stage.name} was stopped in trial {stopped.trial} after epoch {max(stopped.reports)}, and "
            self._end(stage, None, verdict, before + verdict.reason)

    def _reported(self, stage: RemainingStage, epoch: int, values: dict[str, float]) -> None:
        trials = self._trials()
        if not self._curves or self._curves[-1].key != stage.key:
            self._curves.append(StageCurve(stage.key, stage.name, self._is_reference(stage, trials)))
            self._sharing = sharing(self._stopping.definition.space, self._stopping.evaluator, stage)
        curve = replace(self._curves[-1], reports={**self._curves[-1].reports, epoch: values})
        self._curves[-1] = curve
        write_curves(self._trial, self._curves)
        verdict = None if curve.is_reference else self._judge(self._params, curve, trials)
        n_others = None if verdict is None else self._n_hopeless(curve, trials)
        if verdict is not None and n_others is not None:
            others = f"; nor can {n_others} more that need it join the front" if n_others else ""
            self._end(stage, epoch, verdict, f"after epoch {epoch} of {stage.name}, {verdict.reason}{others}")

    def _is_reference(self, stage: RemainingStage, trials: Sequence[FrozenTrial]) -> bool:
        """Whether the stage is to end whatever its curve looks like."""
        others = self._trained(stage.name, stage.key, read_candidates(trials), trials)
        # By its key, so that a study which was cut short draws the same when it goes on.
        number = zlib.crc32(stage.key.encode())
        return self._stopping.rule.is_reference(number, others, self._to_learn)

    def _n_hopeless(self, curve: StageCurve, trials: Sequence[FrozenTrial]) -> int | None:
        """How many others need the stage and cannot join the front; None where one may, or it is not known."""
        if self._sharing is None:
            return None
        ledger = Ledger()
        ledger.refresh([trial for trial in trials if trial.state.is_finished()])
        keys = {key_of(params): params for params in self._sharing}
        keys.pop(key_of(self._params), None)
        waiting = [params for key, params in keys.items() if ledger.holder(key) is None]
        return len(waiting) if all(self._judge(params, curve, trials) for params in waiting) else None

    def _judge(self, params: Params, curve: StageCurve, trials: Sequence[FrozenTrial]) -> Verdict | None:
        """Why a candidate that needs the stage cannot join the front; None where it may."""
        candidates, rule = read_candidates(trials), self._stopping.rule
        others = self._trained(curve.name, curve.key, candidates, trials)
        others += rivals(candidates, self._wishes, self._to_learn)
        return rule.judge(judged(curve, self._known(params)), others, self._wishes)

    def _trained(
        self, name: str, key: str, candidates: Sequence[Candidate], trials: Sequence[FrozenTrial]
    ) -> list[Watched]:
        """Other trainings of stages of this name."""
        curves = [one for one in read_curves(trials).values() if one.name == name and one.key != key]
        costs = {one.trial: read_measurements(trials[one.trial]) for one in curves if one.trial is not None}
        return trained_stages(curves, candidates, self._wishes, costs)

    def _known(self, params: Params) -> dict[str, Estimate]:
        """What is known of the candidate's costs without training it."""
        evaluator, key = self._stopping.evaluator, key_of(params)
        if not self._costs.get(key):
            costs = evaluator.known_costs(params) if evaluator.costs_are_final(params) else None
            self._costs[key] = estimates(costs or {}, self._wishes.metrics)
        return self._costs[key]

    def _trials(self) -> list[FrozenTrial]:
        return self._stopping.study.get_trials(deepcopy=False)

    def _end(self, stage: RemainingStage, epoch: int | None, verdict: Verdict, reason: str) -> NoReturn:
        self.stop = Stop(reason, verdict.dominated_by, stage.name, stage.key, epoch, verdict.shortfall)
        raise StoppedEarlyError(reason, stage=stage.name)
