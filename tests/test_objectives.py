"""Objectives know which way is better, constraints how far a value is beyond the bound."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import ObjectiveError
from paretoopt.objectives import Constraint, Objective, at_least, at_most, maximize, minimize

finite = st.floats(-1e9, 1e9)


@given(better=finite, worse=finite)
def test_the_sign_makes_costs(better: float, worse: float) -> None:
    """Multiplied by the sign, the better value is the smaller one in both directions."""
    better, worse = max(better, worse), min(better, worse)

    assert maximize("ndcg_at_10").sign * better <= maximize("ndcg_at_10").sign * worse
    assert minimize("latency_p95_ms").sign * worse <= minimize("latency_p95_ms").sign * better


@given(value=finite, bound=finite)
def test_a_value_is_feasible_exactly_within_its_bound(value: float, bound: float) -> None:
    """No violation is above zero on the right side of the bound, the bound included."""
    assert (at_most("m", bound).violation(value) <= 0) == (value <= bound)
    assert (at_least("m", bound).violation(value) <= 0) == (value >= bound)


def test_a_violation_is_in_the_unit_of_the_metric() -> None:
    """Three milliseconds too slow is a violation of three."""
    assert at_most("latency_p95_ms", 20).violation(23.0) == 3.0
    assert at_least("ndcg_at_10", 0.5).violation(0.25) == 0.25


def test_wishes_print_as_one_reads_them() -> None:
    """Errors and reports show arrows and limits."""
    wishes = (minimize("memory_mib"), maximize("ndcg_at_10"), at_most("memory_mib", 64), at_least("hr_at_10", 0.1))

    assert [str(wish) for wish in wishes] == ["memory_mib ↓", "ndcg_at_10 ↑", "memory_mib ≤ 64", "hr_at_10 ≥ 0.1"]


def test_a_misspelt_direction_is_refused() -> None:
    """Anything but 'minimize' must not silently mean the opposite."""
    with pytest.raises(ObjectiveError, match=r"direction of 'latency' is 'min'\. Use 'minimize' or 'maximize'"):
        Objective("latency", "min")  # type: ignore[arg-type]  # what a user may do by mistake


def test_a_misspelt_sense_is_refused() -> None:
    """Anything but 'at_most' must not silently mean the opposite."""
    with pytest.raises(ObjectiveError, match=r"sense of 'latency' is '<='\. Use 'at_most' or 'at_least'"):
        Constraint("latency", "<=", 5.0)  # type: ignore[arg-type]  # what a user may do by mistake


@pytest.mark.parametrize("make", [at_most, at_least])
def test_nan_is_no_bound(make: Callable[[str, float], Constraint]) -> None:
    """No value is within a bound that is not a number."""
    with pytest.raises(ObjectiveError, match=r"has no bound\. Give a number"):
        make("latency_p95_ms", math.nan)
