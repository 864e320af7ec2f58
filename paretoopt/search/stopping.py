"""When a study stops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from paretoopt.durations import duration_text
from paretoopt.errors import StudyError
from paretoopt.search.convergence import Converged
from paretoopt.search.evaluator import Evaluator, FunctionEvaluator
from paretoopt.search.ledger import Ledger
from paretoopt.space import SearchSpace

_FEWEST_FOR_A_SHARE = 10
"""Candidates that a share of failures is taken of at least: two failures of three say little."""


@dataclass(frozen=True)
class Limits:
    """When to stop; None sets no limit.

    Attributes:
        n_trials: Evaluated candidates that the study shall hold in all.
        deadline: Value of ``time.monotonic()`` after which no evaluation starts.
        max_training_cost: Worker-seconds of training that the study spends in all, after which no evaluation starts.
        max_failure_share: Share of the study's candidates that may fail.
        until: How little there has to be still to gain.

    Raises:
        StudyError: A limit is none.
    """

    n_trials: int | None = None
    deadline: float | None = None
    max_training_cost: float | None = None
    max_failure_share: float | None = None
    until: Converged | None = None

    def __post_init__(self) -> None:
        """Refuse what would evaluate nothing, or could not be reached."""
        if self.n_trials is not None and self.n_trials < 1:
            raise StudyError(f"n_trials={self.n_trials} evaluates nothing. Give 1 or more.")
        if self.max_training_cost is not None and not self.max_training_cost > 0:
            raise StudyError(
                f"max_training_cost={self.max_training_cost} trains nothing. Give worker-seconds above 0, "
                "or leave it out."
            )
        if self.max_failure_share is not None and not 0 <= self.max_failure_share <= 1:
            raise StudyError(f"max_failure_share={self.max_failure_share} is no share. Give a number from 0 to 1.")


def check_limits(limits: Limits, space: SearchSpace, evaluator: Evaluator) -> None:
    """Refuse limits that are never reached.

    Raises:
        StudyError: The study would never end, or a plain function has to say what it trains.
    """
    if limits.max_training_cost is not None and isinstance(evaluator, FunctionEvaluator):
        raise StudyError(
            "max_training_cost needs a Pipeline, for a plain function does not say how much of its time is training. "
            "Give timeout= instead."
        )
    ends = limits.n_trials, limits.deadline, limits.max_training_cost, space.n_candidates
    if all(end is None for end in ends):
        raise StudyError(
            "The space has a continuous dimension, so the study would never end. Give n_trials, timeout or "
            "max_training_cost, or give the dimension a step."
        )


def target_of(limits: Limits, space: SearchSpace) -> int | None:
    """The candidates that the study will hold, where nothing else ends it before; None where that is not known."""
    if limits.until is not None and limits.n_trials is None:
        return None
    sizes = [size for size in (limits.n_trials, space.n_candidates) if size is not None]
    return min(sizes, default=None)


def reason_to_stop(ledger: Ledger, limits: Limits, gains: Sequence[float] = ()) -> str | None:
    """Why no further evaluation is to start, in a sentence; None where one is.

    Args:
        ledger: What the study holds.
        limits: When it stops.
        gains: The shares of hypervolume that were expected still to gain at the last choices, this one last.
    """
    n_evaluated, spent = ledger.n_evaluated, ledger.training.spent
    converged = None if limits.until is None else limits.until.reached(gains)
    if converged is not None:
        return (
            f"Converged: at most {100 * converged:.2g} % of hypervolume is expected still to gain, "
            f"with {n_evaluated} candidates evaluated."
        )
    if limits.n_trials is not None and n_evaluated >= limits.n_trials:
        return f"The study holds {n_evaluated} evaluated candidates, as many as asked for."
    if limits.deadline is not None and time.monotonic() >= limits.deadline:
        return f"The time is up, with {n_evaluated} candidates evaluated."
    if limits.max_training_cost is not None and spent >= limits.max_training_cost:
        return f"{duration_text(spent)} of training are spent, with {n_evaluated} candidates evaluated."
    return None


def refuse_share_of_failures(ledger: Ledger, most: float | None) -> None:
    """End the study where more than the share ``most`` of its candidates failed.

    The share is that of ten candidates at least, so that a study of few does not end by its first failure, unless
    none is allowed.

    Raises:
        StudyError: It did; the message says how many failed in which stage.
    """
    if most is None or ledger.n_failed <= most * max(ledger.n_evaluated, _FEWEST_FOR_A_SHARE):
        return
    stages = ", ".join(f"{n} in {stage}" for stage, n in ledger.failed.most_common())
    raise StudyError(
        f"{ledger.n_failed} of {ledger.n_evaluated} candidates failed ({stages}), which is more than "
        f"max_failure_share={most:g} allows. Mend that, or narrow the space to what works; study.failures() lists them "
        "all. The same call goes on from here until another one fails."
    )
