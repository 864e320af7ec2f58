"""A small study to report on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import maximize, minimize
from paretoopt.space import Params

OBJECTIVES = (maximize("ndcg_at_10"), minimize("latency_p95_ms"), minimize("memory_mib"))
MakeCandidate = Callable[..., Candidate]


@dataclass(frozen=True)
class Failure:
    """A candidate that could not be evaluated."""

    number: int
    params: Params
    reason: str
    training_cost: float = 0.0


@dataclass(frozen=True)
class FinishedStudy:
    """A study as a report reads it."""

    study_name: str
    front: ParetoFront
    failed: tuple[Failure, ...] = ()

    def pareto_front(self) -> ParetoFront:
        """The front."""
        return self.front

    def failures(self) -> Sequence[Failure]:
        """What failed."""
        return self.failed


@pytest.fixture
def make() -> MakeCandidate:
    """A candidate: ``make(3, quality=0.1, latency=5, memory=9, embedding_dim=64, linear_bits=8)``."""

    def build(number: int, *, quality: float, latency: float, memory: float, **params: float) -> Candidate:
        measured = {
            "ndcg_at_10": Measurement(quality, quality - 0.01, quality + 0.01),
            "latency_p95_ms": Measurement(latency),
            "memory_mib": Measurement(memory),
        }
        runs = (StageRun("fit", "one", number > 0, 60.0, trains=True), StageRun("latency", str(number), False, 5.0))
        return Candidate(number, params, measured, runs)

    return build


@pytest.fixture
def candidates(make: MakeCandidate) -> list[Candidate]:
    """The uncompressed candidate, two members, and a dominated one."""
    return [
        make(0, quality=0.09, latency=10, memory=40, embedding_dim=64, pruning_ratio=0.0, linear_bits=32),
        make(1, quality=0.088, latency=3, memory=10, embedding_dim=64, pruning_ratio=0.25, linear_bits=8),
        make(2, quality=0.05, latency=2, memory=5, embedding_dim=16, pruning_ratio=0.5, linear_bits=8),
        make(3, quality=0.04, latency=9, memory=39, embedding_dim=16, pruning_ratio=0.0, linear_bits=32),
    ]


@pytest.fixture
def make_study(candidates: Sequence[Candidate]) -> Callable[..., FinishedStudy]:
    """A study of ``candidates`` with a name of one's own and failures: ``make_study("shop", (3, {}, "why"))``."""

    def build(name: str, *failed: tuple[int, Params, str]) -> FinishedStudy:
        return FinishedStudy(name, ParetoFront(candidates, OBJECTIVES), tuple(Failure(*one) for one in failed))

    return build
