"""Candidates that were measured in different environments are not compared in silence."""

from __future__ import annotations

import warnings

import pytest

from paretoopt.candidate import Candidate, Measurement, StageRun
from paretoopt.errors import EnvironmentWarning
from paretoopt.front.environments import environments_of
from paretoopt.front.pareto_front import ParetoFront
from paretoopt.objectives import minimize


def candidate(number: int, latency: str | None, quality: str | None = None) -> Candidate:
    """A candidate whose latency and quality were measured there."""
    runs = (
        StageRun("fit", "a", False, 1.0),
        StageRun("quality", "b", False, 1.0, quality),
        StageRun("latency", "c", False, 1.0, latency),
    )
    return Candidate(number, {}, {"latency_p95_ms": Measurement(float(number))}, runs)


def front(*candidates: Candidate) -> ParetoFront:
    """Their front."""
    return ParetoFront(candidates, [minimize("latency_p95_ms")])


def test_two_environments_of_one_measure_are_warned_of() -> None:
    """The warning names the measure and both environments."""
    with pytest.warns(EnvironmentWarning, match=r"latency was measured in 2 environments(.|\n)*EPYC(.|\n)*Xeon"):
        front(candidate(0, "EPYC"), candidate(1, "Xeon"), candidate(2, "EPYC"))


def test_one_environment_is_no_reason_to_warn() -> None:
    """Nor are two measures with an environment each, nor candidates of which it is not known."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        front(candidate(0, "EPYC", "GPU"), candidate(1, "EPYC", "GPU"), candidate(2, None))


def test_environments_are_listed_by_measure() -> None:
    """Stages and measures that do not depend on the environment are left out."""
    assert environments_of([candidate(0, "EPYC"), candidate(1, "Xeon")]) == {"latency": ("EPYC", "Xeon")}
