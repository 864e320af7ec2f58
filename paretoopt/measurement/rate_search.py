"""Which rate to try next, in the search for the greatest that is held within a latency bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from paretoopt.candidate import Measurement

Verdict = Literal["held", "broken", "undecided"]


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


def bracket(probes: Sequence[Probe], ceiling_rps: float) -> tuple[float, float]:
    """The greatest rate that was held, 0 if none, and the least above it that was not, ``ceiling_rps`` if none."""
    low = max((probe.rate_rps for probe in probes if probe.verdict == "held"), default=0.0)
    above = (probe.rate_rps for probe in probes if probe.verdict != "held" and probe.rate_rps > low)
    return low, min(above, default=ceiling_rps)


def next_rate(probes: Sequence[Probe], ceiling_rps: float, *, relative_precision: float) -> float | None:
    """The middle of the bracket; None once its width is ``relative_precision`` of the ceiling or less."""
    low, high = bracket(probes, ceiling_rps)
    return None if high - low <= relative_precision * ceiling_rps else (low + high) / 2


def held_rate(probes: Sequence[Probe], ceiling_rps: float) -> Measurement:
    """The greatest rate that was held; the interval ends at the least above it that was broken."""
    low, _ = bracket(probes, ceiling_rps)
    broken = (probe.rate_rps for probe in probes if probe.verdict == "broken" and probe.rate_rps > low)
    return Measurement(low, low, min(broken, default=ceiling_rps))
