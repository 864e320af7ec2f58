"""Early stopping in Optuna studies with several objectives, where Optuna's own pruners do not work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState

from paretoopt.errors import ObjectiveError, StudyError
from paretoopt.objectives import Constraint, Objective
from paretoopt.search.definition import check_constraints, check_objectives
from paretoopt.search.learning_curves import LearningCurves
from paretoopt.search.stopping_rule import StoppingRule
from paretoopt.search.watched import Estimate, Verdict, Watched, Wishes
from paretoopt.search.watched_trials import read_trial, write_curve, write_start, write_stop

_DIRECTIONS = {StudyDirection.MINIMIZE: "minimize", StudyDirection.MAXIMIZE: "maximize"}
_STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)


class EarlyStopping:
    """Stops trials that cannot join the Pareto front; made once, for all trials of a study.

    In an objective of any Optuna study::

        stopping = po.EarlyStopping([po.maximize("ndcg_at_10"), po.minimize("memory_mib")])

        def objective(trial):
            watch = stopping.watch(trial, known={"memory_mib": memory})
            for epoch in range(30):
                accuracy = train_one_epoch()
                watch.report(epoch, {"ndcg_at_10": accuracy})
                if watch.should_stop():
                    raise optuna.TrialPruned(watch.reason)
            return accuracy, memory
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        *,
        rule: StoppingRule | None = None,
    ) -> None:
        """Say what the study wants.

        Args:
            objectives: What the trials return, in the study's order and directions.
            constraints: What a member of the front must satisfy beside what Optuna is told; it may be on metrics that
                are no objectives.
            rule: What decides; None for ``LearningCurves(risk=0.05)``.

        Raises:
            ObjectiveError: Objectives or constraints contradict or repeat each other.
        """
        check_objectives(objectives)
        check_constraints(constraints)
        self.wishes = Wishes(tuple(objectives), tuple(constraints))
        self.rule: StoppingRule = rule or LearningCurves()

    def watch(
        self,
        trial: optuna.Trial,
        known: Mapping[str, float] | None = None,
        *,
        standard_errors: Mapping[str, float] | None = None,
    ) -> Watch:
        """Start to watch a trial; call it once, when the trial starts.

        Args:
            trial: The running trial, of a study with these objectives.
            known: Values that are known before training, by metric, such as latency and memory of the untrained model.
                Of a metric that is neither known nor reported, anything is thought possible.
            standard_errors: How uncertain they are, by metric; 0 for those left out.

        Raises:
            StudyError: The study has other objectives.
            ObjectiveError: A value is no finite number, or no objective or constraint is on its metric.
        """
        self._refuse_other_objectives(trial.study)
        return Watch(self.wishes, self.rule, trial, estimates(self.wishes, known or {}, standard_errors or {}))

    def _refuse_other_objectives(self, study: optuna.Study) -> None:
        directions = [_DIRECTIONS[direction] for direction in study.directions]
        if directions != [objective.direction for objective in self.wishes.objectives]:
            given = ", ".join(str(objective) for objective in self.wishes.objectives)
            raise StudyError(
                f"Early stopping is for the objectives ({given}), but study {study.study_name!r} is to "
                f"{', '.join(directions)}. Give the objectives in the order in which trials return their values."
            )


class Watch:
    """One trial under watch.

    Attributes:
        reason: Why the trial is to stop; empty as long as it is not.
        dominated_by: Number of the trial that dominates it; None where there is none.
        is_reference: Whether the trial goes on whatever its curve looks like, so that others can be judged by it.
    """

    def __init__(self, wishes: Wishes, rule: StoppingRule, trial: optuna.Trial, known: Mapping[str, Estimate]) -> None:
        """Start to watch; :meth:`EarlyStopping.watch` does it."""
        self.reason = ""
        self.dominated_by: int | None = None
        self._wishes, self._rule, self._trial = wishes, rule, trial
        self._finished: dict[int, Watched] = {}
        to_learn = set(wishes.metrics) - set(known)
        self.is_reference = rule.is_reference(trial.number, self._others(), to_learn)
        self._watched = Watched(trial.number, known, is_reference=self.is_reference)
        write_start(trial, self._watched)

    def report(
        self, epoch: int, values: Mapping[str, float], *, standard_errors: Mapping[str, float] | None = None
    ) -> None:
        """Add to the learning curve.

        Args:
            epoch: Rises from report to report, and counts alike in all trials.
            values: What was measured after the epoch, by metric.
            standard_errors: How uncertain they are, by metric; 0 for those left out. Where trials are measured on the
                same users, give the error of differences between trials: what they share decides nothing.

        Raises:
            StudyError: The epoch is not above the last one.
            ObjectiveError: A value is no finite number, or its metric was known before, or decides nothing.
        """
        last = max(self._watched.reports, default=None)
        if last is not None and epoch <= last:
            raise StudyError(f"epoch {epoch} is reported after epoch {last}. Report each epoch once, in order.")
        if known := sorted(set(values) & set(self._watched.known)):
            raise ObjectiveError(f"{known[0]!r} was known before training. Either leave it out there, or here.")
        report = estimates(self._wishes, values, standard_errors or {})
        self._watched = replace(self._watched, reports={**self._watched.reports, int(epoch): report})
        write_curve(self._trial, self._watched)

    def should_stop(self) -> bool:
        """Whether the trial is not worth going on with; ask after each report, and before training where that pays.

        Where it is not, the reason is kept with the trial, and samplers are told that it is infeasible: raise
        ``optuna.TrialPruned(watch.reason)`` then.
        """
        if self.reason:
            return True
        verdict: Verdict | None = self._rule.judge(self._watched, self._others(), self._wishes)
        if verdict is None:
            return False
        self.reason, self.dominated_by = verdict.reason, verdict.dominated_by
        write_stop(self._trial, self._watched, verdict)
        return True

    def _others(self) -> list[Watched]:
        """All other trials but those that failed; what is finished is read once."""
        running = []
        for trial in self._trial.study.get_trials(deepcopy=False, states=_STATES):
            if trial.number in self._finished or trial.number == self._trial.number:
                continue
            watched = read_trial(trial, self._wishes)
            if trial.state.is_finished():
                self._finished[trial.number] = watched
            else:
                running.append(watched)
        return [*self._finished.values(), *running]


def estimates(wishes: Wishes, values: Mapping[str, float], errors: Mapping[str, float]) -> dict[str, Estimate]:
    """``values`` with their standard errors.

    Raises:
        ObjectiveError: A value is no finite number, an error is negative, or no objective or constraint is on a metric.
    """
    for metric in (*values, *errors):
        if metric not in wishes.metrics:
            raise ObjectiveError(
                f"No objective or constraint is on {metric!r}. Use one of: {', '.join(wishes.metrics)}."
            )
    if without := sorted(set(errors) - set(values)):
        raise ObjectiveError(f"{without[0]!r} has a standard error and no value. Give both.")
    found = {metric: Estimate(float(value), float(errors.get(metric, 0.0))) for metric, value in values.items()}
    for metric, estimate in found.items():
        if not (
            math.isfinite(estimate.value) and math.isfinite(estimate.standard_error) and estimate.standard_error >= 0
        ):
            raise ObjectiveError(
                f"{metric} is {estimate.value} with a standard error of {estimate.standard_error}. Give finite "
                "numbers, and end a trial that diverged with optuna.TrialPruned."
            )
    return found
