"""What training was spent on, and what it would have been had every candidate been trained on its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paretoopt.candidate import StageRun


@dataclass(frozen=True)
class TrainingCost:
    """Training, counted and in worker-seconds.

    Attributes:
        n_trained: Models that were trained, those that were trained on after pruning included.
        n_alone: Models that would have been, had nothing been reused.
        spent: Worker-seconds that were spent.
        alone: Worker-seconds that would have been, had nothing been reused.
    """

    n_trained: int = 0
    n_alone: int = 0
    spent: float = 0.0
    alone: float = 0.0

    def __add__(self, other: TrainingCost) -> TrainingCost:
        """Both together."""
        return TrainingCost(
            self.n_trained + other.n_trained,
            self.n_alone + other.n_alone,
            self.spent + other.spent,
            self.alone + other.alone,
        )


def training_cost(runs: Sequence[StageRun]) -> TrainingCost:
    """What the training among ``runs`` cost; what was reused cost nothing.

    >>> found, made = StageRun("fit", "a", True, 60.0, trains=True), StageRun("tune", "b", False, 5.0, trains=True)
    >>> training_cost([found, made])
    TrainingCost(n_trained=1, n_alone=2, spent=5.0, alone=65.0)
    """
    training = [run for run in runs if run.trains]
    made = [run for run in training if not run.reused]
    return TrainingCost(
        len(made), len(training), sum(run.seconds for run in made), sum(run.seconds for run in training)
    )


def failed_training_cost(seconds: float) -> TrainingCost:
    """What a candidate that failed cost; on its own it would have cost no less."""
    return TrainingCost(spent=seconds, alone=seconds)


def is_reused(runs: Sequence[StageRun]) -> bool:
    """Whether a candidate that needs training was evaluated without any."""
    training = [run for run in runs if run.trains]
    return bool(training) and all(run.reused for run in training)
