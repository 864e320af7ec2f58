"""Builders of candidates for the tests of the front."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate, Measurement

MakeCandidate = Callable[..., Candidate]


@pytest.fixture
def make() -> MakeCandidate:
    """A candidate from its number and its metrics: ``make(3, quality=0.1, cost=5.0)``."""

    def build(number: int, **metrics: float | Measurement) -> Candidate:
        measured = {
            name: value if isinstance(value, Measurement) else Measurement(float(value))
            for name, value in metrics.items()
        }
        return Candidate(number, {"size": number}, measured)

    return build
