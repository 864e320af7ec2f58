"""The Pareto front of a set of evaluated candidates."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from paretoopt.candidate import Candidate
from paretoopt.errors import ObjectiveError
from paretoopt.front.choice import Choice
from paretoopt.front.costs import Cost, priced
from paretoopt.front.display import front_html
from paretoopt.front.dominance import costs_of, is_nondominated
from paretoopt.front.environments import warn_of_several_environments
from paretoopt.front.feasibility import On, is_feasible, require_any, tightest
from paretoopt.front.pick import pick
from paretoopt.front.question import Weights, ask
from paretoopt.front.rules import Rule
from paretoopt.front.table import to_frame
from paretoopt.objectives import Constraint, Objective

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ParetoFront:
    """The candidates that no other feasible candidate beats in every objective.

    A candidate whose objectives or constrained metrics are not all measured (absent or NaN) is infeasible.

    Attributes:
        candidates: Every evaluated candidate, dominated and infeasible ones included.
        objectives: What the candidates are compared in.
        constraints: What a member must satisfy.
        set_aside: Numbers of candidates that are kept out of the front, though they are among ``candidates``:
            those that were off it when its members were measured again. A member that then came out worse must not
            bring back one whose single measurement was worse still, or lucky.
        members: The feasible, non-dominated candidates, in the order of ``candidates``. Equal ones are all kept.

    Raises:
        ObjectiveError: There is no objective, or two are on one metric.

    Warns:
        EnvironmentWarning: A measure of the candidates was taken in different environments.
    """

    candidates: tuple[Candidate, ...]
    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    set_aside: frozenset[int] = frozenset()
    members: tuple[Candidate, ...] = field(init=False)

    def __init__(
        self,
        candidates: Sequence[Candidate],
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
        set_aside: Collection[int] = (),
    ) -> None:
        """Find the members among ``candidates``."""
        _check_objectives(objectives)
        warn_of_several_environments(candidates)
        object.__setattr__(self, "candidates", tuple(candidates))
        object.__setattr__(self, "objectives", tuple(objectives))
        object.__setattr__(self, "constraints", tuple(constraints))
        object.__setattr__(self, "set_aside", frozenset(set_aside))
        feasible = [candidate for candidate in self._considered if is_feasible(candidate, objectives, constraints)]
        keep = is_nondominated(costs_of(feasible, objectives))
        object.__setattr__(self, "members", tuple(one for one, kept in zip(feasible, keep, strict=True) if kept))

    def __len__(self) -> int:
        """The number of members."""
        return len(self.members)

    def __iter__(self) -> Iterator[Candidate]:
        """Each member, in the order of ``candidates``."""
        return iter(self.members)

    @property
    def _considered(self) -> tuple[Candidate, ...]:
        return tuple(candidate for candidate in self.candidates if candidate.number not in self.set_aside)

    def to_frame(self) -> pd.DataFrame:
        """One row per member: number, parameters, metrics, the ends of the known intervals, and how sure it is.

        The last columns, ``probability_nondominated`` and ``n_seeds``, are there once members were measured again.
        """
        return to_frame(self.members, self.objectives)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return front_html(self.members, len(self.candidates), self.objectives, self.constraints)

    def with_costs(self, *costs: Cost) -> ParetoFront:
        """The same front, whose candidates have the metrics of ``costs`` as well, to pick by and to show.

        ``po.front_of(front.with_costs(cost), objectives=[...])`` makes them objectives.
        """
        candidates = [priced(candidate, costs) for candidate in self.candidates]
        return ParetoFront(candidates, self.objectives, self.constraints, self.set_aside)

    def knee(self, *, on: On = "bound") -> Choice:
        """Where a little more of one objective begins to cost much of another (Das 1999): :meth:`pick` by that rule.

        Raises:
            NoFeasibleCandidateError: Nothing satisfies the constraints; ``on`` is that of :meth:`pick`.
        """
        return self.pick(rule="knee", on=on)

    def nearest_to_ideal(self, *, on: On = "bound") -> Choice:
        """The one nearest to the best of every objective at once (Yu 1973, Zeleny 1973): :meth:`pick` by that rule.

        Raises:
            NoFeasibleCandidateError: Nothing satisfies the constraints; ``on`` is that of :meth:`pick`.
        """
        return self.pick(rule="ideal", on=on)

    def pick(
        self,
        within: Sequence[Constraint] = (),
        prefer: str | Objective | None = None,
        *,
        weights: Weights | None = None,
        rule: Rule | None = None,
        on: On = "bound",
    ) -> Choice:
        """The candidate to ship: of those that satisfy the constraints and ``within``, the first by ``rule``.

        Args:
            within: Further limits, on any measured metric.
            prefer: An objective or its metric, for the rules ``"best"`` and ``"one_standard_error"``.
                A metric that is no objective needs its direction: ``minimize("artifact_mib")``.
            weights: How much each objective counts, for ``"weighted_sum"``, ``"topsis"``, and what is cheaper by
                ``"one_standard_error"``; those left out count nothing. None for all alike.
            rule: ``"best"`` in ``prefer``; ``"one_standard_error"``, the cheapest of those not told apart from the
                best; ``"weighted_sum"``; ``"topsis"``; ``"ideal"``; ``"knee"``. None for the best where something is
                preferred, the weighted sum where weights are given, and else the knee. ``docs/picking.md`` has more.
            on: What limits hold for: ``"bound"``, the end of the 95 % interval that is nearer to breaking them, or
                ``"estimate"``, the value alone. Where no interval is known, the value.

        Raises:
            ObjectiveError: A metric is not measured or has no direction, or rule, preference and weights do not fit.
            NoFeasibleCandidateError: Nothing is within the limits; the message names the nearest misses.
        """
        require_any(self.candidates)
        limits = tightest((*self.constraints, *within))
        question = ask(self.candidates, self.objectives, limits, prefer=prefer, weights=weights, rule=rule, on=on)
        metrics = {limit.metric for limit in within} | {one.metric for one in question.criteria}
        # Where only objectives count, nothing off the front is better, and what was set aside can only seem to be.
        is_of_objectives = metrics <= {objective.metric for objective in self.objectives}
        return pick(self._considered if is_of_objectives else self.candidates, self.members, self.objectives, question)


def _check_objectives(objectives: Sequence[Objective]) -> None:
    metrics = [objective.metric for objective in objectives]
    if not metrics:
        raise ObjectiveError("A Pareto front needs at least one objective, for example minimize('latency_p95_ms').")
    for metric in metrics:
        if metrics.count(metric) > 1:
            raise ObjectiveError(f"{metric!r} is given as an objective twice. Leave one out.")
