"""What a report can be written of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from paretoopt.front.pareto_front import ParetoFront
from paretoopt.space import Params


class FailedCandidate(Protocol):
    """A candidate that could not be evaluated."""

    @property
    def number(self) -> int:
        """The trial's number."""

    @property
    def params(self) -> Params:
        """The configuration."""

    @property
    def reason(self) -> str:
        """What went wrong."""

    @property
    def training_cost(self) -> float:
        """Worker-seconds of training that were newly spent on it."""


class Pruned(Protocol):
    """A candidate that was not trained, or not to the end."""

    @property
    def stage(self) -> str | None:
        """The stage whose training was stopped early; None where the candidate was pruned by its costs."""

    @property
    def training_cost(self) -> float:
        """Worker-seconds of training that were newly spent on it."""

    @property
    def dominated_by(self) -> int | None:
        """The trial that would dominate it; None where it breaks a limit."""


@runtime_checkable
class WithPruned(Protocol):
    """A study that prunes candidates."""

    def pruned(self) -> Sequence[Pruned]:
        """Those candidates."""


class Reportable(Protocol):
    """A study, or anything else with a name, a front and failures."""

    @property
    def study_name(self) -> str:
        """The title of the report."""

    def pareto_front(self) -> ParetoFront:
        """The front of all evaluated candidates."""

    def failures(self) -> Sequence[FailedCandidate]:
        """The candidates that could not be evaluated."""
