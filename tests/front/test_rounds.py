"""Values of rounds: free of the drift that the anchor shows, and with an interval that holds."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.candidate import Measurement
from paretoopt.front.rounds import LEAST_ROUNDS, drift_corrected, median_with_interval

LEVELS = np.array([10.0, 2.0, 3.0, 5.0])
"""True values of four artifacts; the first one is the anchor."""


def test_drift_that_hits_all_alike_is_removed_to_the_last_digit() -> None:
    """A machine that becomes slower and slower leaves every artifact at its value of the median round."""
    drift = np.exp(np.linspace(0, 1, 11))[:, None]

    corrected = drift_corrected(LEVELS * drift, anchor=0)

    np.testing.assert_allclose(corrected, np.tile(LEVELS * drift[5], (11, 1)), rtol=1e-12)


def test_noise_of_the_anchor_is_not_passed_on() -> None:
    """On a machine without drift, the anchor's noise would make all other values worse, so nothing is corrected."""
    values = np.tile(LEVELS, (11, 1))
    values[:, 0] *= np.exp(np.random.default_rng(0).normal(0, 0.2, 11))

    np.testing.assert_allclose(drift_corrected(values, anchor=0)[:, 1:], values[:, 1:])


def test_one_odd_round_of_the_anchor_does_not_hide_the_drift() -> None:
    """The anchor was disturbed once; the other rounds still tell how the machine drifted."""
    drift = np.exp(np.linspace(0, 1, 11))[:, None]
    values = LEVELS * drift
    values[3, 0] *= 5

    corrected = np.delete(drift_corrected(values, anchor=0), 3, axis=0)

    assert np.ptp(np.log(corrected), axis=0).max() < 0.35


@pytest.mark.parametrize(("drift", "most"), [(0.0, 1.05), (0.3, 0.75)])
def test_correction_costs_nothing_on_a_quiet_machine_and_tells_artifacts_apart_under_drift(
    drift: float, most: float
) -> None:
    """Over 300 simulated finals of 10 rounds, how much the artifacts' differences vary, against plain medians."""
    random = np.random.default_rng(1)
    differences: dict[str, list[np.ndarray]] = {"plain": [], "corrected": []}
    for _ in range(300):
        values = LEVELS * np.exp(random.normal(0, drift, (10, 1)) + random.normal(0, 0.02, (10, 4)))
        for name, array in (("plain", values), ("corrected", drift_corrected(values, anchor=0))):
            logs = np.log(np.median(array, axis=0))[1:]
            differences[name].append(logs - logs.mean())

    spread = {name: np.std(values, axis=0).mean() for name, values in differences.items()}

    assert spread["corrected"] < most * spread["plain"]


def test_values_without_logarithm_are_left_as_they_are() -> None:
    """A throughput of 0 means that a bound was never met; it has no ratio to anything."""
    values = np.array([[10.0, 0.0], [20.0, 4.0]])

    assert drift_corrected(values, anchor=0) is values


def test_an_anchor_alone_keeps_its_values() -> None:
    """With no other artifact, nothing shows whether the anchor drifted."""
    values = np.array([[10.0], [20.0], [15.0]])

    np.testing.assert_array_equal(drift_corrected(values, anchor=0), values)


def test_interval_is_known_from_the_binomial_law() -> None:
    """Of 6 rounds all lie on one side of the median with probability 2/64; of 10, the second ones bound it."""
    assert median_with_interval(np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])) == Measurement(3.5, 1.0, 6.0)
    assert median_with_interval(np.arange(10.0)) == Measurement(4.5, 1.0, 8.0)


def test_too_few_rounds_give_no_interval() -> None:
    """Of 5 rounds all lie on one side of the median with probability 1/16, which is more than 5 %."""
    assert median_with_interval(np.arange(LEAST_ROUNDS - 1.0)) == Measurement(2.0)


@pytest.mark.parametrize("n_rounds", [6, 9, 10, 20])
def test_interval_holds_the_median_as_often_as_it_says(n_rounds: int) -> None:
    """In at least 95 % of 2,000 samples of a skewed distribution, whatever the number of rounds."""
    random = np.random.default_rng(2)
    intervals = [median_with_interval(random.lognormal(0.0, 1.0, n_rounds)) for _ in range(2000)]

    held = [one.low <= 1.0 <= one.high for one in intervals if one.low is not None and one.high is not None]

    assert len(held) == 2000
    assert np.mean(held) > 0.94
