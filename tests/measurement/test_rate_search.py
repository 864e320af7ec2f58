"""The search for the greatest rate that is held bisects, and its interval holds the truth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paretoopt.measurement.rate_search import Probe, Verdict, bracket, held_rate, next_rate


def _search(held_to: float, broken_from: float, ceiling: float) -> list[Probe]:
    """Probes of a deployment that holds rates up to one, breaks from another on, and is undecided between."""
    probes: list[Probe] = []
    rate: float | None = ceiling / 2
    while rate is not None:
        verdict: Verdict = "held" if rate <= held_to else "broken" if rate >= broken_from else "undecided"
        probes.append(Probe(rate, verdict, None, 0.5))
        rate = next_rate(probes, ceiling, relative_precision=0.02)
    return probes


@given(held_to=st.floats(0, 1), undecided=st.floats(0, 1), ceiling=st.floats(1, 1e6))
def test_search_ends_within_its_precision_of_the_greatest_rate_held(
    held_to: float, undecided: float, ceiling: float
) -> None:
    """At most six probes find a rate that is held, at most 2 % of the ceiling below the greatest such rate."""
    greatest = held_to * ceiling

    probes = _search(greatest, greatest + undecided * (ceiling - greatest), ceiling)

    low, _ = bracket(probes, ceiling)
    assert len(probes) <= 6
    assert low <= greatest <= low + 0.02 * ceiling


@given(held_to=st.floats(0, 1), undecided=st.floats(0, 1), ceiling=st.floats(1, 1e6))
def test_interval_ends_where_the_bound_was_seen_to_break(held_to: float, undecided: float, ceiling: float) -> None:
    """A rate that is undecided lies within the interval."""
    greatest = held_to * ceiling
    broken_from = greatest + undecided * (ceiling - greatest)

    found = held_rate(_search(greatest, broken_from, ceiling), ceiling)

    assert found.low is not None
    assert found.high is not None
    assert found.low <= greatest <= found.high
    assert found.high >= min(broken_from, ceiling)


def test_bad_moment_below_a_rate_that_was_held_does_not_count() -> None:
    """Whoever holds 60 requests per second holds 40, whatever a disturbed probe says."""
    probes = [Probe(40, "broken", None, 0.4), Probe(60, "held", None, 0.6)]

    assert bracket(probes, 100) == (60, 100)
