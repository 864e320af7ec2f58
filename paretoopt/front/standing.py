"""How candidates stand under a question: arrays to rank them again and again, as limits and weights change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Candidate
from paretoopt.front.dominance import Costs, costs_of, is_nondominated
from paretoopt.front.feasibility import is_feasible, limited_value
from paretoopt.front.question import Question
from paretoopt.front.rules import Floats, ranked, scores
from paretoopt.objectives import Constraint


@dataclass(frozen=True)
class Standing:
    """The candidates that are measured in every criterion.

    Attributes:
        question: What is asked.
        candidates: Those candidates.
        costs: Of shape ``(n_candidates, n_criteria)``.
        limited: What each limit is compared with, of shape ``(n_candidates, n_limits)``; NaN where it is not measured.
        standard_errors: Of the first criterion, of shape ``(n_candidates,)``.
    """

    question: Question
    candidates: tuple[Candidate, ...]
    costs: Costs = field(repr=False)
    limited: Floats = field(repr=False)
    standard_errors: Floats = field(repr=False)

    @classmethod
    def of(cls, candidates: Sequence[Candidate], question: Question) -> Standing:
        """Read the candidates once."""
        usable = tuple(candidate for candidate in candidates if is_feasible(candidate, question.criteria, ()))
        rows = [[limited_value(one, limit, question.on) for limit in question.limits] for one in usable]
        limited = np.array(rows, dtype=np.float64).reshape(len(usable), len(question.limits))
        return cls(question, usable, costs_of(usable, question.criteria), limited, question.standard_errors(usable))

    def allowed(self, limits: Sequence[Constraint] | None = None) -> NDArray[np.bool_]:
        """Which candidates satisfy ``limits``: the question's, with bounds changed at will."""
        result = np.ones(len(self.candidates), dtype=np.bool_)
        for column, limit in zip(self.limited.T, self.question.limits if limits is None else limits, strict=True):
            result &= column <= limit.bound if limit.sense == "at_most" else column >= limit.bound
        return result

    def rank(self, question: Question | None = None, limits: Sequence[Constraint] | None = None) -> Ranking:
        """Those within the limits that nothing within them dominates, the one to choose first."""
        asked = question or self.question
        pool = np.flatnonzero(self.allowed(limits))
        pool = pool[is_nondominated(self.costs[pool])]
        costs = self.costs[pool]
        found = scores(asked.rule, costs, asked.weights, self.standard_errors[pool])
        order = ranked(found, costs)
        return Ranking([self.candidates[index] for index in pool[order]], found[order], pool[order])


@dataclass(frozen=True)
class Ranking:
    """Non-dominated candidates in the order of a rule.

    Attributes:
        candidates: The one to choose first.
        scores: By which they are ordered; less is better, and infinity is out of the question.
        places: Where they are among the candidates of the standing.
    """

    candidates: list[Candidate]
    scores: Floats
    places: NDArray[np.intp]
