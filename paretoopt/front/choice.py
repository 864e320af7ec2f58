"""A chosen candidate and the reason for it, in words."""

from __future__ import annotations

from dataclasses import dataclass

from paretoopt.candidate import Candidate, Measurements
from paretoopt.space import Params


@dataclass(frozen=True)
class Choice:
    """The candidate that was picked.

    Attributes:
        candidate: The candidate itself.
        why: What it was chosen for, its margins, what it beats, its runner-up, and what would change the choice; one
            fact a line.
    """

    candidate: Candidate
    why: str

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.candidate.number

    @property
    def params(self) -> Params:
        """The configuration."""
        return self.candidate.params

    @property
    def measurements(self) -> Measurements:
        """What was measured."""
        return self.candidate.measurements
