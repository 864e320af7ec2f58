"""Builders of candidates and fronts for the tests of plots."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize

MakeCandidate = Callable[..., Candidate]


@pytest.fixture
def make() -> MakeCandidate:
    """A candidate from its number, metrics and runs: ``make(3, ndcg_at_10=0.1)``."""

    def build(number: int, *runs: StageRun, **metrics: float | Measurement) -> Candidate:
        measured = {
            name: value if isinstance(value, Measurement) else Measurement(float(value))
            for name, value in metrics.items()
        }
        return Candidate(number, {"embedding_dim": 16 * (number + 1)}, measured, runs)

    return build


@pytest.fixture
def front(make: MakeCandidate) -> ParetoFront:
    """Three members, one dominated and one infeasible candidate, in three objectives."""
    candidates = [
        make(0, ndcg_at_10=Measurement(0.9, 0.8, 1.0), latency_p95_ms=10, memory_mib=8),
        make(1, ndcg_at_10=0.8, latency_p95_ms=3, memory_mib=4),
        make(2, ndcg_at_10=0.7, latency_p95_ms=4, memory_mib=2),
        make(3, ndcg_at_10=0.6, latency_p95_ms=11, memory_mib=9),
        make(4, ndcg_at_10=0.6, latency_p95_ms=1),
    ]
    return ParetoFront(candidates, [maximize("ndcg_at_10"), minimize("latency_p95_ms"), minimize("memory_mib")])
