"""The most that a learning curve can still reach, at a stated risk.

From curves that ended, the value at each *look* (an epoch at which one decides) is fitted as a straight line of the
final value, and what the line leaves over is kept. A new curve *can still reach* a final value unless it lies further
below the line at that value than all but a share ``risk`` of the known curves did. The values that it can reach have a
greatest one: the bound.

Three choices make the risk hold:

- The early value is fitted on the final one, and not the other way round (the classical estimator of calibration,
  Osborne 1991). Those who join a front are selected for their final values, and a forecast of final values is pulled to
  their mean: it is too low for just these. Given its final value, what a curve looked like early knows of no selection.
- The residuals are leave-one-out, and of ``n`` known curves as many may lie below as make at most a share ``risk`` of
  ``n + 1``: distribution-free for exchangeable residuals, as in conformal prediction (Vovk et al. 2005; Barber et al.
  2021). Where ``n + 1`` is below ``1 / risk`` nothing is ever bounded.
- One looks more than once. A curve counts by its worst look, measured in each look's standard deviation, so that the
  risk is that of all looks together (a studentised global envelope, Myllymäki et al. 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Extrapolation:
    """What known curves tell of a new one; ``value at a look >= intercept + slope * final value - allowance``.

    Attributes:
        intercepts: Of the line at each look; shape ``(n_looks,)``.
        slopes: As above.
        allowances: How far below the line a curve may lie; not negative.
    """

    intercepts: Values
    slopes: Values
    allowances: Values


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
    centred = finals - finals.mean()
    slopes = centred @ curves / (centred @ centred)
    intercepts = curves.mean(axis=0) - slopes * finals.mean()
    leverages = 1 / len(finals) + centred**2 / (centred @ centred)
    residuals = (curves - intercepts - np.outer(finals, slopes)) / np.maximum(1 - leverages, 1e-9)[:, None]
    scales = residuals.std(axis=0)
    standard = np.divide(residuals, scales, out=np.zeros_like(residuals), where=scales > 0)
    worst = np.sort(standard.min(axis=1))
    return Extrapolation(intercepts, slopes, np.maximum(-worst[n_below - 1] * scales, 0.0))


def greatest_final(known: Extrapolation, curve: Values) -> float:
    """The most that a curve can come to; infinite where early values tell nothing of final ones.

    Args:
        known: What other curves tell.
        curve: Values at the first looks, NaN where there is none; shape ``(n_looks_so_far,)``.

    >>> flat = Extrapolation(np.array([0.0]), np.array([0.5]), np.array([0.1]))
    >>> greatest_final(flat, np.array([0.3]))
    0.8
    """
    n_looks = len(curve)
    slopes = known.slopes[:n_looks]
    reach = curve - known.intercepts[:n_looks] + known.allowances[:n_looks]
    bounds = np.divide(reach, slopes, out=np.full(n_looks, np.inf), where=(slopes > 0) & ~np.isnan(curve))
    return float(bounds.min(initial=np.inf))
