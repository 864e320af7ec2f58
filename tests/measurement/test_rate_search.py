"""The search for the greatest rate that is held bisects, its interval holds the truth, and it gets over bad moments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.candidate import Measurement
from paretoopt.measurement.rate_search import Probe, Verdict, bracket, held_rate, next_rate, search_rates, verdict_of

Deployment = Callable[[float, int], Verdict]
"""From a rate and the number of earlier tries to a verdict."""


def _quiet(held_to: float, broken_from: float) -> Deployment:
    """A deployment that holds rates up to one, breaks from another on, and is undecided between."""
    return lambda rate, _: "held" if rate <= held_to else "broken" if rate >= broken_from else "undecided"


def _search(deployment: Deployment, ceiling: float, *, most_probes: int = 10**6) -> tuple[Probe, ...]:
    n_probes = 0

    def try_rate(rate: float, before: Sequence[Probe]) -> Probe:
        nonlocal n_probes
        n_probes += 1
        n_tries = sum(probe.rate_rps == rate for probe in before)
        return Probe(rate, deployment(rate, n_tries), None, 0.5)

    return search_rates(try_rate, ceiling, relative_precision=0.02, is_over=lambda: n_probes >= most_probes)


@given(held_to=st.floats(0, 1), undecided=st.floats(0, 1), ceiling=st.floats(1, 1e6))
def test_search_ends_within_its_precision_of_the_greatest_rate_held(
    held_to: float, undecided: float, ceiling: float
) -> None:
    """At most six rates, each tried thrice at most, find one that is held, at most 2 % below the greatest such."""
    greatest = held_to * ceiling

    probes = _search(_quiet(greatest, greatest + undecided * (ceiling - greatest)), ceiling)

    low, _ = bracket(probes, ceiling)
    rates = [probe.rate_rps for probe in probes]
    assert len(set(rates)) <= 6
    assert max(map(rates.count, rates)) <= 3
    assert low <= greatest <= low + 0.02 * ceiling


@given(held_to=st.floats(0, 1), undecided=st.floats(0, 1), ceiling=st.floats(1, 1e6), most_probes=st.integers(1, 12))
def test_interval_ends_where_the_bound_was_seen_to_break(
    held_to: float, undecided: float, ceiling: float, most_probes: int
) -> None:
    """A rate that is undecided lies within the interval, whenever the time is over."""
    greatest = held_to * ceiling
    broken_from = greatest + undecided * (ceiling - greatest)

    found = held_rate(_search(_quiet(greatest, broken_from), ceiling, most_probes=most_probes), ceiling)

    assert found.low is not None
    assert found.high is not None
    assert found.low <= greatest <= found.high
    assert found.high >= min(broken_from, ceiling)


@given(held_to=st.floats(0, 1), ceiling=st.floats(1, 1e6))
def test_rate_that_is_broken_once_by_chance_is_found_all_the_same(held_to: float, ceiling: float) -> None:
    """Where something disturbs the first try of every rate, the second tries find the greatest rate."""
    greatest = held_to * ceiling

    found = held_rate(
        _search(lambda rate, tries: "broken" if not tries or rate > greatest else "held", ceiling), ceiling
    )

    assert found.value <= greatest <= found.value + 0.02 * ceiling


def test_upper_end_that_was_broken_twice_by_chance_is_tried_once_more() -> None:
    """A disturbance that lasts for the first two probes halves the bracket; what was found below it brings it back."""
    n_probes = iter(range(100))

    found = held_rate(_search(lambda rate, _: "broken" if next(n_probes) < 2 or rate > 80 else "held", 100), 100)

    assert found.value == pytest.approx(80, abs=2)


def test_search_goes_on_beyond_its_time_until_a_rate_is_held() -> None:
    """A slow artifact takes the whole budget for its first rate; that it was too high is no reason to find nothing."""
    assert held_rate(_search(_quiet(20, 30), 100, most_probes=1), 100).value == 12.5


def test_search_gives_up_beyond_its_time_after_four_rates() -> None:
    """Who does not hold an eighth of half the capacity is disturbed, and waits for no end of it."""
    probes = _search(lambda rate, _: "broken", 100, most_probes=1)

    assert [probe.rate_rps for probe in probes] == [50, 50, 25, 25, 12.5, 12.5, 6.25]


def test_one_broken_try_is_not_believed() -> None:
    """Until it is broken again, the interval reaches beyond it; the same rate is the next to be tried."""
    once = [Probe(40, "held", None, 0.4), Probe(60, "broken", None, 0.6)]

    assert next_rate(once, 100, relative_precision=0.02) == 60
    assert held_rate(once, 100) == Measurement(40, 40, 100)
    assert held_rate([*once, once[1]], 100) == Measurement(40, 40, 60)


@pytest.mark.parametrize("verdict", ["held", "undecided"])
def test_rate_below_one_that_was_not_broken_is_not_believed_to_be_broken(verdict: Verdict) -> None:
    """Whoever does not break at 60 requests per second does not break at 40, whatever a disturbed probe says."""
    probes = [Probe(40, "broken", None, 0.4), Probe(40, "broken", None, 0.4), Probe(60, verdict, None, 0.6)]

    assert held_rate(probes, 100).high == 100


def test_bad_moment_below_a_rate_that_was_held_does_not_count() -> None:
    """Whoever holds 60 requests per second holds 40."""
    probes = [Probe(40, "broken", None, 0.4), Probe(60, "held", None, 0.6)]

    assert bracket(probes, 100) == (60, 100)


@pytest.mark.parametrize(
    ("bound_ms", "verdict"),
    [(7.0, "held"), (6.9, "undecided"), (5.0, "undecided"), (4.0, "undecided"), (3.9, "broken")],
)
def test_verdict_takes_the_interval_and_not_the_value(bound_ms: float, verdict: Verdict) -> None:
    """A p95 of 5 ms between 4 and 7 ms holds a bound of 7 ms for sure, and breaks one below 4 ms for sure."""
    assert verdict_of(Measurement(5.0, 4.0, 7.0), bound_ms) == verdict


def test_run_without_a_percentile_decides_nothing() -> None:
    """Too few independent requests say neither."""
    assert verdict_of(None, 5.0) == "undecided"
