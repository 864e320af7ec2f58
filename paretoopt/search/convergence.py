"""Whether a study has converged: how much hypervolume is expected still to gain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from paretoopt.errors import StudyError
from paretoopt.search.cost_first.sampler import CostFirstSampler

_GAINS = "expected_gain"
"""The study's attribute: how many candidates were evaluated and what was then expected, for the last few choices."""
_KEPT = 10


@dataclass(frozen=True)
class Converged:
    """A study ends when little hypervolume is expected still to gain.

    Attributes:
        share: Of the hypervolume that there would be with it.
        in_a_row: How many choices in a row have to find so little, each with more candidates evaluated, so that a
            single lucky fit ends nothing.

    Raises:
        StudyError: ``share`` is not between 0 and 1, or ``in_a_row`` not from 1 to 10.
    """

    share: float = 0.01
    in_a_row: int = 3

    def __post_init__(self) -> None:
        """Refuse what is reached at once, or never."""
        if not 0 < self.share < 1:
            raise StudyError(f"share={self.share!r} is no share of hypervolume. Give a number between 0 and 1.")
        if not 1 <= self.in_a_row <= _KEPT:
            raise StudyError(f"in_a_row={self.in_a_row!r} is no number of choices. Give one from 1 to {_KEPT}.")

    def reached(self, gains: Sequence[float]) -> float | None:
        """The greatest of the last ``in_a_row`` of ``gains`` where none is above the share; None where it is not."""
        last = gains[-self.in_a_row :]
        return max(last) if len(last) == self.in_a_row and max(last) <= self.share else None


Until = Literal["converged"] | Converged
"""``"converged"`` is ``Converged()``."""


def as_converged(until: Until | None) -> Converged | None:
    """What ``until`` stands for.

    Raises:
        StudyError: It is none of those.
    """
    if until is None or isinstance(until, Converged):
        return until
    if until == "converged":
        return Converged()
    raise StudyError(f'until={until!r} is unknown. Use until="converged", or Converged(share=...) for another share.')


class GainWatch:
    """Follows what a study is expected still to gain, and keeps it with the study."""

    def __init__(self, study: optuna.Study, sampler: CostFirstSampler) -> None:
        """Watch ``study`` by the surrogates of ``sampler``, whether or not it is the one that proposes."""
        self._study = study
        self._sampler = sampler

    def gains(self, n_evaluated: int) -> list[float]:
        """The shares expected still to gain at the last choices, this one last.

        What was found with as many candidates evaluated is not asked again, so that a converged study stays so.

        Args:
            n_evaluated: Candidates that the study has evaluated.

        Returns:
            Nothing while it cannot be told yet, or candidates wait for their evaluation.
        """
        trials = self._study.get_trials(deepcopy=False)
        if any(trial.state == TrialState.WAITING for trial in trials):
            return []
        kept = _read(self._study)
        if not kept or kept[-1][0] != n_evaluated:
            kept = self._with_present(kept, n_evaluated, trials)
        return [share for _, share in kept]

    def _with_present(
        self, kept: list[tuple[int, float]], n_evaluated: int, trials: Sequence[FrozenTrial]
    ) -> list[tuple[int, float]]:
        share = self._sampler.expected_gain(trials)
        if share is None:
            return []
        # Another process may have looked later.
        kept = [*((n, one) for n, one in kept if n < n_evaluated), (n_evaluated, share)][-_KEPT:]
        self._study.set_user_attr(_GAINS, kept)
        return kept


def read_expected_gain(study: optuna.Study) -> float | None:
    """The share expected still to gain at the last choice; None where it is not known."""
    kept = _read(study)
    return kept[-1][1] if kept else None


def _read(study: optuna.Study) -> list[tuple[int, float]]:
    return [(int(n), float(share)) for n, share in study.user_attrs.get(_GAINS, ())]
