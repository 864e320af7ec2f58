"""Values of rounds: free of the drift that others show, and with an interval that holds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.candidate import Measurement
from paretoopt.front.location import huber_bound, huber_location
from paretoopt.front.rounds import (
    LEAST_ROUNDS,
    drift_corrected,
    median_of_draws,
    median_with_interval,
    typical_of_draws,
    typical_with_intervals,
)

Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, tuple[int, int]], Array]
LEVELS = np.array([10.0, 2.0, 3.0, 5.0, 10.0])
"""True values of five columns; the last one is the first artifact, the anchor, measured once more."""


def test_drift_that_hits_all_alike_is_removed_to_the_last_digit() -> None:
    """A machine that becomes slower and slower leaves every artifact at its value of the middle round."""
    drift = np.exp(np.linspace(0, 1, 11))[:, None]

    np.testing.assert_allclose(drift_corrected(LEVELS * drift), np.tile(LEVELS * drift[5], (11, 1)), rtol=1e-9)


def test_no_artifact_is_corrected_by_itself() -> None:
    """Other values of one artifact change what the others become, but not by what it is itself corrected."""
    random = np.random.default_rng(0)
    values = LEVELS * np.exp(random.normal(0, 0.3, (10, 1)) + random.normal(0, 0.001, (10, 5)))
    changed = values * np.where(np.arange(5) == 2, np.exp(random.normal(0, 0.01, (10, 1))), 1.0)

    factors, other_factors = values / drift_corrected(values), changed / drift_corrected(changed)

    np.testing.assert_allclose(np.ptp(np.log(factors / other_factors)[:, 2]), 0.0, atol=1e-3)


def test_noise_of_one_artifact_is_not_passed_on() -> None:
    """On a machine without drift, correcting would make all other values worse, so they stay as they are."""
    values = np.tile(LEVELS, (11, 1))
    values[:, 0] *= np.exp(np.random.default_rng(0).normal(0, 0.2, 11))

    np.testing.assert_allclose(drift_corrected(values)[:, 1:], values[:, 1:], rtol=1e-9)


def test_one_odd_measurement_does_not_hide_the_drift() -> None:
    """The anchor was disturbed once; the others still tell how the machine drifted."""
    drift = np.exp(np.linspace(0, 1, 11))[:, None]
    values = LEVELS * drift
    values[3, 0] *= 5

    corrected = np.delete(drift_corrected(values), 3, axis=0)

    assert np.ptp(np.log(corrected), axis=0).max() < 0.1


@pytest.mark.parametrize(("drift", "most"), [(0.0, 1.1), (0.3, 0.75)])
def test_correction_costs_little_on_a_quiet_machine_and_tells_artifacts_apart_under_drift(
    drift: float, most: float
) -> None:
    """Over 300 simulated finals of 10 rounds, how much the artifacts' differences vary, against plain medians."""
    random = np.random.default_rng(1)
    differences: dict[str, list[Array]] = {"plain": [], "corrected": []}
    for _ in range(300):
        values = LEVELS * np.exp(random.normal(0, drift, (10, 1)) + random.normal(0, 0.02, (10, 5)))
        corrected = np.array([one.value for one in typical_with_intervals(drift_corrected(values))])
        for name, found in (("plain", np.median(values, axis=0)), ("corrected", corrected)):
            differences[name].append(np.log(found) - np.log(found).mean())

    spread = {name: np.std(values, axis=0).mean() for name, values in differences.items()}

    assert spread["corrected"] < most * spread["plain"]


def test_an_artifact_alone_keeps_its_values() -> None:
    """Nothing else shows whether the machine drifted."""
    values = np.array([[10.0], [20.0], [15.0]])

    np.testing.assert_array_equal(drift_corrected(values), values)


def normal(spread: float) -> Noise:
    """Noise of that standard deviation."""
    return lambda random, shape: random.normal(0, spread, shape)


def two_speeds(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """A machine that is 1.4 times slower in every other measurement, by chance."""
    is_slow = random.integers(0, 2, shape) - 0.5
    return np.asarray(random.normal(np.log(1.4) * is_slow, 0.02))


def coverage(noise: Noise, *, drift: float, n_members: int, n_rounds: int) -> Array:
    """How often 300 simulated finals' intervals hold the truth, by member.

    The truth is the members' value, 1, times the location of the shared speeds that the rounds really had.
    """
    random = np.random.default_rng(5)
    held = []
    for _ in range(300):
        speeds = random.normal(0, drift, n_rounds)
        truth = np.exp(huber_location(speeds, bound=huber_bound(speeds[:, None])))
        values = np.exp(speeds[:, None] + noise(random, (n_rounds, n_members + 1)))
        intervals = typical_with_intervals(drift_corrected(values))[:n_members]
        held.append([one.low <= truth <= one.high for one in intervals if one.low is not None and one.high is not None])
    shares: Array = np.mean(held, axis=0)
    assert shares.shape == (n_members,)
    return shares


@pytest.mark.parametrize(("n_members", "n_rounds"), [(4, 6), (4, 10), (1, 10)])
@pytest.mark.parametrize(("drift", "spread"), [(0.1, 0.02), (0.02, 0.05), (0.0, 0.05)])
def test_intervals_hold_the_value_at_the_speed_of_the_rounds(
    drift: float, spread: float, n_members: int, n_rounds: int
) -> None:
    """About 95 % of them, also of the first, the anchor, which only its other column and other artifacts correct.

    The standard error of one share is 1.3 %. A member alone with its anchor has wider intervals than it needs.
    """
    shares = coverage(normal(spread), drift=drift, n_members=n_members, n_rounds=n_rounds)

    assert shares.min() > 0.91
    assert 0.93 < shares.mean() < (0.99 if n_members == 1 else 0.97)


def test_intervals_mostly_hold_on_a_machine_with_two_speeds() -> None:
    """Few rounds do not show how often it is slow, so 10 rounds hold a little less often than they say."""
    assert coverage(two_speeds, drift=0.02, n_members=4, n_rounds=10).mean() > 0.9


def test_an_odd_round_widens_an_interval_little() -> None:
    """One round of ten in which everything took three times as long changes no value by 3 %."""
    random = np.random.default_rng(0)
    values = LEVELS * np.exp(random.normal(0, 0.02, (10, 5)))
    odd = values * np.where(np.arange(10) == 4, 3.0, 1.0)[:, None]

    usual, disturbed = (typical_with_intervals(drift_corrected(array)) for array in (values, odd))

    assert [one.value for one in disturbed] == pytest.approx([one.value for one in usual], rel=0.03)
    assert [one.low for one in disturbed] == pytest.approx([one.low for one in usual], rel=0.05)


def test_draws_of_all_rounds_give_the_estimates() -> None:
    """A draw that has chosen every round once is what was measured."""
    values = LEVELS * np.exp(np.random.default_rng(0).normal(0, 0.1, (10, 5)))
    corrected = drift_corrected(values)
    chosen = np.arange(10)[None]

    assert typical_of_draws(corrected, chosen)[0] == pytest.approx([m.value for m in typical_with_intervals(corrected)])
    assert median_of_draws(values, chosen)[0] == pytest.approx([median_with_interval(one).value for one in values.T])


def test_interval_is_known_from_the_binomial_law() -> None:
    """Of 6 rounds all lie on one side of the median with probability 2/64; of 10, the second ones bound it."""
    assert median_with_interval(np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])) == Measurement(3.5, 1.0, 6.0)
    assert median_with_interval(np.arange(10.0)) == Measurement(4.5, 1.0, 8.0)


def test_too_few_rounds_give_no_interval() -> None:
    """Of 5 rounds all lie on one side of the median with probability 1/16, which is more than 5 %."""
    assert median_with_interval(np.arange(LEAST_ROUNDS - 1.0)) == Measurement(2.0)
    assert typical_with_intervals(np.ones((LEAST_ROUNDS - 1, 2))) == 2 * [Measurement(1.0)]


@pytest.mark.parametrize("n_rounds", [6, 9, 10, 20])
def test_interval_holds_the_median_as_often_as_it_says(n_rounds: int) -> None:
    """In at least 95 % of 2,000 samples of a skewed distribution, whatever the number of rounds."""
    random = np.random.default_rng(2)
    intervals = [median_with_interval(random.lognormal(0.0, 1.0, n_rounds)) for _ in range(2000)]

    held = [one.low <= 1.0 <= one.high for one in intervals if one.low is not None and one.high is not None]

    assert len(held) == 2000
    assert np.mean(held) > 0.94
