"""The intervals of AUC and log-loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from paretoopt.errors import MeasurementError
from paretoopt.measurement.click_intervals import auc_interval, auc_per_cluster, log_loss_interval
from paretoopt.measurement.click_quality import auc, log_loss

Interval = Callable[..., tuple[float, float]]

# Few distinct scores, so that ties occur.
rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8).map(lambda eighths: eighths / 8)), min_size=2).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


def drawn(n_rows: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Labels drawn with the probabilities given, so that these are right."""
    random = np.random.default_rng(seed)
    probabilities = random.beta(2, 3, size=n_rows)
    return (random.random(n_rows) < probabilities).astype(np.int64), probabilities


@given(rows)
def test_an_interval_of_the_auc_holds_it(pairs: list[tuple[int, float]]) -> None:
    """It stays between 0 and 1, also where the scores separate the labels."""
    labels, scores = np.array(pairs).T
    low, high = auc_interval(labels, scores)

    assert 0 <= low <= auc(labels, scores) + 1e-12
    assert auc(labels, scores) - 1e-12 <= high <= 1


@pytest.mark.parametrize(("interval", "value"), [(auc_interval, auc), (log_loss_interval, log_loss)])
def test_an_interval_is_that_of_drawing_rows_anew(interval: Interval, value: Callable[..., float]) -> None:
    """The closed form agrees with the percentile bootstrap over rows to within a tenth of its width."""
    labels, probabilities = drawn(600, seed=0)
    random = np.random.default_rng(1)
    again = [random.integers(0, 600, size=600) for _ in range(1_500)]
    expected = np.quantile([value(labels[chosen], probabilities[chosen]) for chosen in again], [0.025, 0.975])

    assert interval(labels, probabilities) == pytest.approx(expected, abs=0.1 * np.ptp(expected))


@pytest.mark.parametrize(("interval", "value"), [(auc_interval, auc), (log_loss_interval, log_loss)])
def test_an_interval_of_clusters_is_that_of_drawing_clusters_anew(
    interval: Interval, value: Callable[..., float]
) -> None:
    """Also where a cluster's clicks and others move together: here some clusters' scores are good, others' are none."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, size=(120, 10))
    sharpness = random.choice([0.0, 2.0], size=(120, 1))
    scores = 1 / (1 + np.exp(-sharpness * (2 * labels - 1) - random.normal(size=(120, 10))))
    again = [random.integers(0, 120, size=120) for _ in range(1_500)]
    drawn_anew = [value(labels[chosen].ravel(), scores[chosen].ravel()) for chosen in again]
    expected = np.quantile(drawn_anew, [0.025, 0.975])

    found = interval(labels.ravel(), scores.ravel(), np.repeat(np.arange(120), 10))

    assert found == pytest.approx(expected, abs=0.1 * np.ptp(expected))


@pytest.mark.parametrize("interval", [auc_interval, log_loss_interval])
def test_rows_that_repeat_within_a_cluster_tell_nothing_new(interval: Interval) -> None:
    """Four copies of each row, told as clusters, give the interval of the rows; untold, one of half the width."""
    labels, probabilities = drawn(500, seed=2)
    copies = np.repeat(labels, 4), np.repeat(probabilities, 4)
    plain = np.ptp(interval(labels, probabilities))

    assert np.ptp(interval(*copies, np.repeat(np.arange(500), 4))) == pytest.approx(plain, rel=0.01)
    assert np.ptp(interval(*copies)) == pytest.approx(plain / 2, rel=0.01)


@pytest.mark.parametrize("interval", [auc_interval, log_loss_interval])
def test_clusters_of_one_row_change_nothing(interval: Interval) -> None:
    """The clustered variance is the plain one then."""
    labels, probabilities = drawn(200, seed=3)

    assert interval(labels, probabilities, np.arange(200)) == pytest.approx(interval(labels, probabilities))


@given(rows, st.integers(1, 4))
def test_the_clusters_values_have_the_auc_as_their_mean(pairs: list[tuple[int, float]], n_clusters: int) -> None:
    """However the rows are clustered."""
    labels, scores = np.array(pairs).T

    assert auc_per_cluster(labels, scores, np.arange(len(labels)) % n_clusters).mean() == pytest.approx(
        auc(labels, scores)
    )


def test_values_of_rows_have_the_error_of_the_interval() -> None:
    """Their standard error is DeLong's, but for its degrees of freedom, so paired differences are as wide as theirs."""
    labels, probabilities = drawn(800, seed=4)
    low, high = auc_interval(labels, probabilities)
    values = auc_per_cluster(labels, probabilities)

    assert 2 * 1.96 * values.std() / np.sqrt(len(values)) == pytest.approx(high - low, rel=0.01)


def test_clusters_that_do_not_fit_are_refused() -> None:
    """Each row has one."""
    with pytest.raises(MeasurementError, match="a number for each row"):
        auc_interval([0, 1, 1], [0.1, 0.05, 0.3], [0, 1])
