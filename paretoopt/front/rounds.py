"""Values of several artifacts that were measured in turn, round by round, with an anchor in every round.

A machine changes its speed while it measures: other programs run, clocks and temperatures move. What is measured in
one round is hit alike, so that the anchor, which is the same artifact in every round, shows how far a round was off.
Each value is corrected for that in logarithms, because a slow round makes an artifact slower by a factor:

    log corrected = log value - share * (log of the anchor in this round - median log of the anchor)

With ``share = 1`` that is the ratio to the anchor of the same round, times the anchor's median over all rounds. But on
a quiet machine the ratio only adds the anchor's own noise. So the share is estimated: it is the slope of the
artifacts' logarithms on the anchor's over all pairs of rounds, within [0, 1], taken as the median of the pairs' slopes
weighted by how far the pair's anchors lie apart (Sen 1968; Jaeckel 1972), which an odd round hardly moves. Such a
correction by something that is measured along and whose mean is known is a control variate (Lavenberg and Welch 1981).
All artifacts share one slope, so that the anchor's noise cancels wherever two of them are compared.
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement

LEAST_ROUNDS = 6
"""With fewer, not even the whole range of values holds the median with 95 % confidence."""

_TAIL = 0.025


def drift_corrected(values: NDArray[np.float64], *, anchor: int) -> NDArray[np.float64]:
    """The values as they would have been if all rounds had been as fast as the median round.

    Args:
        values: Array of shape ``(n_rounds, n_artifacts)``.
        anchor: The anchor's column.

    Returns:
        Array of the same shape; unchanged where some value is not positive, so that it has no logarithm.

    >>> drift_corrected(np.array([[10.0, 1.0], [20.0, 2.0], [40.0, 4.0]]), anchor=0).round(6).tolist()
    [[20.0, 2.0], [20.0, 2.0], [20.0, 2.0]]
    """
    if (values <= 0).any():
        return values
    logs = np.log(values)
    drift = logs[:, anchor] - np.median(logs[:, anchor])
    share = _share(np.delete(logs, anchor, axis=1), drift)
    corrected: NDArray[np.float64] = values / np.exp(share * drift)[:, None]
    return corrected


def median_with_interval(values: NDArray[np.float64]) -> Measurement:
    """The median over rounds with its 95 % interval from order statistics, whatever the values' distribution.

    The interval is left out where there are fewer than :data:`LEAST_ROUNDS`.

    >>> median_with_interval(np.arange(10.0))
    Measurement(value=4.5, low=1.0, high=8.0)
    """
    ordered = np.sort(values)
    rank = _outer_rank(len(ordered))
    median = float(np.median(ordered))
    return Measurement(median, float(ordered[rank - 1]), float(ordered[-rank])) if rank else Measurement(median)


def _share(logs: NDArray[np.float64], drift: NDArray[np.float64]) -> float:
    """How much of the anchor's drift the artifacts share, in [0, 1]."""
    first, second = np.triu_indices(len(drift), k=1)
    steps = drift[first] - drift[second]
    apart = steps != 0
    if not apart.any() or not logs.size:
        return 0.0
    slopes = ((logs[first] - logs[second])[apart] / steps[apart, None]).ravel()
    weights = np.repeat(np.abs(steps[apart]), logs.shape[1])
    order = np.argsort(slopes)
    cumulative = np.cumsum(weights[order])
    middle = slopes[order][np.searchsorted(cumulative, cumulative[-1] / 2)]
    return float(np.clip(middle, 0.0, 1.0))


def _outer_rank(n_rounds: int) -> int:
    """The highest rank from either end that bounds the median with at most 2.5 % error; 0 where there is none."""
    rank, below = 0, 0.5**n_rounds
    while below <= _TAIL:
        rank += 1
        below += comb(n_rounds, rank) * 0.5**n_rounds
    return rank
