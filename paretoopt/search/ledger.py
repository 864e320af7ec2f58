"""Which candidates a study has seen, kept in memory and brought up to date from the trials that are new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from paretoopt.front.training_cost import TrainingCost, failed_training_cost, is_reused, training_cost
from paretoopt.search.pruned import PRUNED, stopped_training_cost
from paretoopt.search.records import (
    DUPLICATE_OF,
    FAILURE,
    PARAMS,
    is_evaluated,
    key_of,
    read_failure,
    read_runs,
)


class Ledger:
    """The candidates that were evaluated, and those that some process evaluates now.

    Attributes:
        n_completed: Candidates with measurements.
        failed: How many candidates could not be evaluated, by the stage or measure that failed.
        n_pruned: Candidates that were pruned before training, or whose training was stopped early.
        n_reused: Candidates that need training and were measured without any, because the store had it all.
        n_duplicates: Trials that proposed a known candidate and were not evaluated.
        feasible_values: The objective values of every feasible candidate.
        training: What all candidates have cost in training; those that failed or were stopped are no models.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.n_completed = 0
        self.failed: Counter[str] = Counter()
        self.n_pruned = 0
        self.n_reused = 0
        self.n_duplicates = 0
        self.feasible_values: list[Sequence[float]] = []
        self.training = TrainingCost()
        self._settled: set[int] = set()
        self._evaluated: dict[str, int] = {}
        self._running: dict[str, int] = {}

    @property
    def n_failed(self) -> int:
        """Candidates that could not be evaluated."""
        return self.failed.total()

    @property
    def n_evaluated(self) -> int:
        """Candidates that are done with, failed and pruned ones included."""
        return self.n_completed + self.n_failed + self.n_pruned

    @property
    def n_running(self) -> int:
        """Candidates that some process evaluates now."""
        return len(self._running)

    def refresh(self, trials: Sequence[FrozenTrial], claimant: int | None = None) -> None:
        """Take in what has changed since the last time.

        Args:
            trials: All of the study's.
            claimant: Number of a trial whose own claim is not to be counted.
        """
        self._running = {}
        for trial in trials:
            if trial.number in self._settled or trial.number == claimant:
                continue
            if trial.state.is_finished():
                self._settle(trial)
            elif PARAMS in trial.user_attrs:
                self._running[key_of(trial.user_attrs[PARAMS])] = trial.number

    def holder(self, key: str) -> int | None:
        """The trial that has evaluated the candidate, or evaluates it now; None where there is none."""
        return self._evaluated.get(key, self._running.get(key))

    def _settle(self, trial: FrozenTrial) -> None:
        self._settled.add(trial.number)
        if DUPLICATE_OF in trial.user_attrs:
            self.n_duplicates += 1
        elif FAILURE in trial.user_attrs:
            failure = read_failure(trial)
            self.failed[failure.stage or "unknown"] += 1
            self.training += failed_training_cost(failure.training_cost)
            self._evaluated[key_of(trial.user_attrs[PARAMS])] = trial.number
        elif PRUNED in trial.user_attrs:
            self.n_pruned += 1
            self.training += failed_training_cost(stopped_training_cost(trial))
            self._evaluated[key_of(trial.user_attrs[PARAMS])] = trial.number
        elif is_evaluated(trial):
            self.n_completed += 1
            runs = read_runs(trial)
            self.n_reused += is_reused(runs)
            self.training += training_cost(runs)
            self._evaluated[key_of(trial.user_attrs[PARAMS])] = trial.number
            if all(violation <= 0 for violation in trial.constraints.values()):
                self.feasible_values.append(trial.values)
