"""The most that a learning curve can still reach, at a stated risk.

From curves that ended, the value at each *look* (an epoch at which one decides) is fitted as a straight line of the
final value, and what the line leaves over is kept. A new curve *can still reach* a final value unless it lies further
below the line at that value than all but a share ``risk`` of the known curves did. The values that it can reach have a
greatest one: the bound.

Four choices make the risk hold:

- The early value is fitted on the final one, and not the other way round (the classical estimator of calibration,
  Osborne 1991). Those who join a front are selected for their final values, and a forecast of final values is pulled to
  their mean: it is too low for just these. Given its final value, what a curve looked like early knows of no selection.
- The residuals are leave-one-out, and of ``n`` known curves as many may lie below as make at most a share ``risk`` of
  ``n + 1``: distribution-free for exchangeable residuals, as in conformal prediction (Vovk et al. 2005; Barber et al.
  2021). Where ``n + 1`` is below ``1 / risk`` nothing is ever bounded.
- What is allowed below the line grows with the final value, by a quarter per standard deviation of final values. Curves
  often spread in proportion to what they rise to, and lines of few curves are least certain at their ends: with one
  allowance for all, the best of such curves came to more than their bounds too often (``_GROWTH = 0`` fails a test);
  a growth of 0.4 kept the risk no better and stopped fewer.
- One looks more than once. A curve counts by its worst look, measured in each look's standard deviation, so that the
  risk is that of all looks together (a studentised global envelope, Myllymäki et al. 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

_GROWTH = 0.25
_LEAST_SHARE = 0.25
"""Of the allowance at the mean final value, what is allowed at least, however low the final value."""


@dataclass(frozen=True)
class Extrapolation:
    """What known curves tell of a new one: at each look, how far below a line it may lie.

    Attributes:
        intercepts: Of the line of the value at each look over the final value; shape ``(n_looks,)``.
        slopes: As above.
        allowances: How far below the line a curve of the mean final value may lie; not negative.
        mean: Of the known final values.
        deviation: Their standard deviation; positive.
    """

    intercepts: Values
    slopes: Values
    allowances: Values
    mean: float
    deviation: float


def least_known(risk: float) -> int:
    """The number of known curves below which nothing can be said at ``risk``.

    >>> least_known(0.05)
    19
    """
    # Rounded, for 1 / 0.1 - 1 and the like to be whole numbers.
    return math.ceil(round(1 / risk - 1, 9))


def extrapolation(curves: Values, finals: Values, *, risk: float) -> Extrapolation | None:
    """Learn from curves that ended.

    Args:
        curves: Values at the looks, more is better; shape ``(n_curves, n_looks)``.
        finals: The value that each curve came to; shape ``(n_curves,)``.
        risk: Share of curves that may come to more than their bound.

    Returns:
        None where there are fewer than :func:`least_known` curves, or where all came to the same value.
    """
    n_below = math.floor(round(risk * (len(finals) + 1), 9))
    if n_below < 1 or np.ptp(finals) == 0:
        return None
    mean, deviation = float(finals.mean()), float(finals.std())
    centred = finals - mean
    slopes = centred @ curves / (centred @ centred)
    intercepts = curves.mean(axis=0) - slopes * mean
    leverages = 1 / len(finals) + centred**2 / (centred @ centred)
    residuals = (curves - intercepts - np.outer(finals, slopes)) / np.maximum(1 - leverages, 1e-9)[:, None]
    scales = residuals.std(axis=0)
    standard = np.divide(residuals, scales, out=np.zeros_like(residuals), where=scales > 0)
    shares = np.maximum(1 + _GROWTH * centred / deviation, _LEAST_SHARE)
    worst = np.sort((standard / shares[:, None]).min(axis=1))
    return Extrapolation(intercepts, slopes, np.maximum(-worst[n_below - 1] * scales, 0.0), mean, deviation)


def greatest_final(known: Extrapolation, curve: Values) -> float:
    """The most that a curve can come to; infinite where early values tell nothing of final ones.

    Args:
        known: What other curves tell.
        curve: Values at the first looks, NaN where there is none; shape ``(n_looks_so_far,)``.

    >>> exact = Extrapolation(np.array([0.0]), np.array([0.5]), np.array([0.0]), mean=0.5, deviation=0.1)
    >>> greatest_final(exact, np.array([0.3]))
    0.6
    """
    n_looks = len(curve)
    above, slopes = curve - known.intercepts[:n_looks], known.slopes[:n_looks]
    allowances = known.allowances[:n_looks]
    growth = _GROWTH * allowances / known.deviation
    # Where a line with its growing allowance and one with the least allowance meet the curve: the later one counts.
    growing = _meeting(above + allowances - growth * known.mean, slopes - growth)
    least = _meeting(above + _LEAST_SHARE * allowances, slopes)
    return float(np.maximum(growing, least).min(initial=np.inf))


def _meeting(rises: Values, slopes: Values) -> Values:
    """Where lines through the origin have risen by ``rises``; infinite where they do not rise, or nothing is known."""
    never = np.full(len(rises), np.inf)
    meeting: Values = np.divide(rises, slopes, out=never, where=(slopes > 0) & ~np.isnan(rises))
    return meeting
