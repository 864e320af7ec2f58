"""What is expected still to gain, against hypervolumes and draws."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.front.dominance import hypervolume
from paretoopt.search.cost_first.still_to_gain import Foreseen, share_to_gain

RANDOM = np.random.default_rng(3)
COSTS = RANDOM.uniform(0.0, 1.0, (40, 3))
REFERENCE = np.full(3, 1.1)
FRONT = COSTS[:5]
REST = np.arange(5, 40)


def foreseen(deviations: NDArray[np.float64] | None = None, promise: NDArray[np.float64] | None = None) -> Foreseen:
    """Forty cells, of which the first five are evaluated."""
    nothing, certain = np.zeros_like(COSTS), np.ones(len(COSTS))
    return Foreseen(
        COSTS, nothing if deviations is None else deviations, certain if promise is None else promise, FRONT, REFERENCE
    )


def share_of(total: float) -> float:
    """The share that is missing of ``total``."""
    return 1 - hypervolume(FRONT, reference=REFERENCE) / total


def test_known_cells_add_their_hypervolume() -> None:
    """Where nothing is uncertain, it is the hypervolume of all, less that of the front."""
    assert share_to_gain(foreseen(), REST) == pytest.approx(share_of(hypervolume(COSTS, reference=REFERENCE)))


def test_uncertain_cells_add_what_draws_add_on_average() -> None:
    """With errors that are common to all cells, in standard deviations; within the quadrature's error."""
    deviations = np.zeros_like(COSTS)
    deviations[REST, 0] = 0.2
    draws = np.random.default_rng(0).normal(size=4000)
    points = (np.concatenate([FRONT, COSTS[REST] + draw * deviations[REST]]) for draw in draws)

    expected = share_of(float(np.mean([hypervolume(some, reference=REFERENCE) for some in points])))

    assert share_to_gain(foreseen(deviations), REST) == pytest.approx(expected, rel=0.03)


def test_cells_count_by_the_probability_that_they_are_feasible() -> None:
    """Those that are not add nothing; at six tenths, three levels of five count them."""
    promise = np.ones(len(COSTS))
    promise[REST] = 0.0
    likely = np.where(promise > 0, 1.0, 0.6)
    reached, everything = hypervolume(FRONT, reference=REFERENCE), hypervolume(COSTS, reference=REFERENCE)

    assert share_to_gain(foreseen(promise=promise), REST) == 0
    assert share_to_gain(foreseen(promise=likely), REST) == pytest.approx(
        share_of(0.4 * reached + 0.6 * everything), rel=1e-9
    )


def test_cells_already_dominated_change_nothing() -> None:
    """However many there are, as long as they are certain to be no better."""
    best = int(np.argmin(COSTS[REST].sum(axis=1)))
    beaten = np.vstack([COSTS, FRONT + 0.05])
    known = Foreseen(beaten, np.zeros_like(beaten), np.ones(len(beaten)), FRONT, REFERENCE)

    assert share_to_gain(known, np.array([REST[best], *range(40, 45)])) == share_to_gain(foreseen(), REST[[best]])


def test_without_anything_reached_or_expected_there_is_no_share() -> None:
    """Where no candidate is thought feasible, it is not known that little is left."""
    hopeless = Foreseen(COSTS, np.zeros_like(COSTS), np.zeros(len(COSTS)), COSTS[:0], REFERENCE)

    assert share_to_gain(hopeless, np.arange(40)) is None
