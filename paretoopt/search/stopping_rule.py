"""What early stopping asks of a rule; bring your own by writing these two methods."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from paretoopt.search.watched import Verdict, Watched, Wishes


class StoppingRule(Protocol):
    """Decides which trials are worth going on with."""

    def is_reference(self, number: int, others: Sequence[Watched], to_learn: Collection[str]) -> bool:
        """Whether a trial that starts goes on whatever its curve looks like, so that others can be judged by it.

        Args:
            number: The trial's number.
            others: All trials before it.
            to_learn: The metrics of objectives and constraints that are not known before training.
        """

    def judge(self, candidate: Watched, others: Sequence[Watched], wishes: Wishes) -> Verdict | None:
        """Why the trial is to stop; None where it goes on. Called after each report, and once before the first."""
