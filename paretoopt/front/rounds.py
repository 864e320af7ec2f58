"""Values of several artifacts that were measured in turn, round by round.

A machine changes its speed while it measures: other programs run, clocks and temperatures move. What is measured in
one round is hit alike, so that the others show how far a round was off for each artifact. A slow round makes an
artifact slower by a factor, so values are taken in logarithms, and each is corrected by what the round did to *others*:

    log corrected = log value - share * (others' median deviation in this round - its location over the rounds)

A deviation is that of a logarithm from its artifact's location over the rounds: rounds and artifacts are fitted
together, as in Tukey's median polish (1977), but each artifact is left out of what corrects it. Correcting a value by
itself would make it equal in all rounds, and its interval nothing.

With ``share = 1`` the shared speed of a round is taken out altogether. On a quiet machine that would only add the
others' noise. So the share is estimated, one for all artifacts: it is the least-squares slope of the artifacts'
deviations on those of the others, within [0, 1]. Such a correction by something that is measured along is a control
variate (Lavenberg and Welch 1981).
"""

from __future__ import annotations

from math import comb

import numpy as np
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.front.location import huber_bound, huber_interval, huber_location

LEAST_ROUNDS = 6
"""With fewer, not even the whole range of values holds the median with 95 % confidence."""

_TAIL = 0.025


def drift_corrected(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values as they would have been if all rounds had been equally fast.

    Args:
        values: Positive; array of shape ``(n_rounds, n_artifacts)``. An artifact that was measured twice in every
            round has two columns.

    Returns:
        Array of the same shape; of a single artifact the values as they are, because nothing tells its drift.

    >>> drift_corrected(np.array([[10.0, 1.0], [20.0, 2.0], [40.0, 4.0]])).round(6).tolist()
    [[20.0, 2.0], [20.0, 2.0], [20.0, 2.0]]
    """
    if values.shape[1] < 2:
        return values
    logs = np.log(values)
    deviations = logs - huber_location(logs, bound=huber_bound(logs))
    others = [np.median(np.delete(deviations, column, axis=1), axis=1) for column in range(values.shape[1])]
    drift = np.stack(others, axis=1)
    drift -= huber_location(drift, bound=huber_bound(drift))
    corrected: NDArray[np.float64] = np.exp(logs - _share(deviations, drift) * drift)
    return corrected


def typical_with_intervals(corrected: NDArray[np.float64]) -> list[Measurement]:
    """The typical value of each artifact over the rounds, with its 95 % interval.

    The interval is one of the artifact's value at the speed that is typical of these very rounds. It is left out where
    there are fewer than :data:`LEAST_ROUNDS`.

    Args:
        corrected: What :func:`drift_corrected` gives.
    """
    logs = np.log(corrected)
    if len(logs) < LEAST_ROUNDS:
        return [Measurement(float(value)) for value in np.exp(huber_location(logs, bound=huber_bound(logs)))]
    # One slope was fitted to all of them.
    location, half_width = huber_interval(logs, bound=huber_bound(logs), n_fitted=1 / logs.shape[1])
    ends = np.exp([location, location - half_width, location + half_width])
    return [Measurement(*map(float, column)) for column in ends.T]


def typical_of_draws(corrected: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """The typical values over the rounds that each draw has chosen; array of shape ``(n_draws, n_artifacts)``.

    Args:
        corrected: What :func:`drift_corrected` gives.
        chosen: Array of shape ``(n_draws, n_chosen)``: rounds, the same for every artifact and metric.
    """
    logs = np.log(corrected)
    typical: NDArray[np.float64] = np.exp(huber_location(logs[chosen], bound=huber_bound(logs), axis=1))
    return typical


def median_with_interval(values: NDArray[np.float64]) -> Measurement:
    """The median over rounds with its 95 % interval from order statistics, whatever the values' distribution.

    It holds for independent rounds, which values that were corrected by each other are not. The interval is left out
    where there are fewer than :data:`LEAST_ROUNDS`.

    >>> median_with_interval(np.arange(10.0))
    Measurement(value=4.5, low=1.0, high=8.0)
    """
    ordered = np.sort(values)
    rank = _outer_rank(len(ordered))
    median = float(np.median(ordered))
    return Measurement(median, float(ordered[rank - 1]), float(ordered[-rank])) if rank else Measurement(median)


def median_of_draws(values: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """As :func:`typical_of_draws`, of values that were not corrected."""
    medians: NDArray[np.float64] = np.median(values[chosen], axis=1)
    return medians


def _share(deviations: NDArray[np.float64], drift: NDArray[np.float64]) -> float:
    """How much of the others' drift the artifacts share, in [0, 1]."""
    squares = float((drift**2).sum())
    return float(np.clip((deviations * drift).sum() / squares, 0.0, 1.0)) if squares else 0.0


def _outer_rank(n_rounds: int) -> int:
    """The highest rank from either end that bounds the median with at most 2.5 % error; 0 where there is none."""
    rank, below = 0, 0.5**n_rounds
    while below <= _TAIL:
        rank += 1
        below += comb(n_rounds, rank) * 0.5**n_rounds
    return rank
