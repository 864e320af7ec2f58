"""Which rate to try next, in the search for the greatest that is held within a latency bound.

A busy moment of the machine makes a rate that is held look broken, and never the other way round. So a rate that was
broken is tried again before it is believed, and rates above one that was broken speak against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from paretoopt.candidate import Measurement

Verdict = Literal["held", "broken", "undecided"]

TryRate = Callable[[float, Sequence["Probe"]], "Probe"]
"""Tries a rate; it is told what was tried before."""

# A rate that is not held after three tries is left alone.
_MOST_TRIES = 3
# So many are tried, whatever the time, until one is held: the last is an eighth of the first, a queue hardly ever.
_LEAST_RATES = 4


@dataclass(frozen=True)
class Probe:
    """A rate that was tried.

    Attributes:
        rate_rps: Requests per second that arrived on average.
        verdict: ``"held"`` if the percentile's interval lies within the bound, ``"broken"`` if it lies beyond or the
            workers were saturated, ``"undecided"`` otherwise.
        latency_ms: The percentile; None where there is none.
        utilisation: Of the workers.
    """

    rate_rps: float
    verdict: Verdict
    latency_ms: Measurement | None
    utilisation: float


def verdict_of(latency: Measurement | None, bound_ms: float) -> Verdict:
    """Whether the interval of a percentile lies within the bound, beyond it, or on both sides; or there is none."""
    if latency is None or latency.low is None or latency.high is None:
        return "undecided"
    if latency.high <= bound_ms:
        return "held"
    return "broken" if latency.low > bound_ms else "undecided"


def search_rates(
    try_rate: TryRate, ceiling_rps: float, *, relative_precision: float, is_over: Callable[[], bool]
) -> tuple[Probe, ...]:
    """Try rates until the bracket is narrow, or the time is over and one was held, or four were not.

    Args:
        try_rate: Tries a rate.
        ceiling_rps: No greater rate is tried.
        relative_precision: Width of the bracket that is narrow enough, as a share of the ceiling.
        is_over: Whether the time is over.
    """
    probes: list[Probe] = []
    rate = next_rate(probes, ceiling_rps, relative_precision=relative_precision)
    while rate is not None and not (_is_enough(probes) and is_over()):
        probes.append(try_rate(rate, tuple(probes)))
        rate = next_rate(probes, ceiling_rps, relative_precision=relative_precision)
    return tuple(probes)


def _is_enough(probes: Sequence[Probe]) -> bool:
    n_rates = len({probe.rate_rps for probe in probes})
    return n_rates >= _LEAST_RATES or any(probe.verdict == "held" for probe in probes)


def next_rate(probes: Sequence[Probe], ceiling_rps: float, *, relative_precision: float) -> float | None:
    """The rate that was just broken, a second time; or the middle of the bracket.

    Once the bracket is narrow enough, its upper end is tried again, because all that was found hangs on it; None when
    that has been done.
    """
    if probes and probes[-1].verdict == "broken" and len(tries_of(probes, probes[-1].rate_rps)) == 1:
        return probes[-1].rate_rps
    low, high = bracket(probes, ceiling_rps)
    if high - low > relative_precision * ceiling_rps:
        return (low + high) / 2
    return high if 1 <= len(tries_of(probes, high)) < _MOST_TRIES else None


def tries_of(probes: Sequence[Probe], rate_rps: float) -> list[Probe]:
    """The probes of one rate."""
    return [probe for probe in probes if probe.rate_rps == rate_rps]


def bracket(probes: Sequence[Probe], ceiling_rps: float) -> tuple[float, float]:
    """The greatest rate that was held, 0 if none, and the least above it that was not, ``ceiling_rps`` if none."""
    low = max((probe.rate_rps for probe in probes if probe.verdict == "held"), default=0.0)
    above = (probe.rate_rps for probe in probes if probe.rate_rps > low)
    return low, min(above, default=ceiling_rps)


def held_rate(probes: Sequence[Probe], ceiling_rps: float) -> Measurement:
    """The greatest rate that was held; the interval ends at the least above it that is believed to be broken.

    A rate is believed to be broken when it was broken twice and no greater one was held or undecided.
    """
    low, _ = bracket(probes, ceiling_rps)
    greatest_not_broken = max((probe.rate_rps for probe in probes if probe.verdict != "broken"), default=0.0)
    rates = {probe.rate_rps for probe in probes if probe.rate_rps > greatest_not_broken}
    believed = (rate for rate in rates if len(tries_of(probes, rate)) > 1)
    return Measurement(low, low, min(believed, default=ceiling_rps))
