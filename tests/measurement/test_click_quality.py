"""AUC and log-loss against their definitions, and the coverage of their intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from paretoopt.errors import CandidateError, MeasurementError
from paretoopt.measurement.click_quality import auc, auc_interval, log_loss, log_loss_interval

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
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[int, float]]) -> None:
    """Every click is compared with every non-click; a tie counts half."""
    clicks = [score for label, score in pairs if label]
    others = [score for label, score in pairs if not label]
    expected = np.mean([(click > other) + (click == other) / 2 for click in clicks for other in others])

    assert auc(*zip(*pairs, strict=True)) == pytest.approx(expected)


@given(rows)
def test_auc_and_its_interval_depend_on_the_order_of_scores_only(pairs: list[tuple[int, float]]) -> None:
    """Logits give what their probabilities give."""
    labels, scores = np.array(pairs).T

    assert auc(labels, np.exp(3 * scores)) == auc(labels, scores)
    assert auc_interval(labels, np.exp(3 * scores)) == auc_interval(labels, scores)


@given(rows)
def test_an_interval_of_the_auc_holds_it(pairs: list[tuple[int, float]]) -> None:
    """It stays between 0 and 1, also where the scores separate the labels."""
    labels, scores = np.array(pairs).T
    low, high = auc_interval(labels, scores)

    assert 0 <= low <= auc(labels, scores) + 1e-12
    assert auc(labels, scores) - 1e-12 <= high <= 1


def test_log_loss_is_the_mean_negative_log_likelihood() -> None:
    """By the definition, row by row."""
    expected = -(np.log(0.9) + np.log(1 - 0.2) + np.log(0.5)) / 3

    assert log_loss([1, 0, 1], [0.9, 0.2, 0.5]) == pytest.approx(expected)


def test_certainty_that_is_wrong_costs_a_finite_loss() -> None:
    """A float32 sigmoid reaches 0 and 1; the loss stays a number."""
    assert 15 < log_loss([1, 0], [0.0, 1.0]) < 17


@pytest.mark.parametrize(("interval", "value"), [(auc_interval, auc), (log_loss_interval, log_loss)])
def test_an_interval_is_that_of_drawing_rows_anew(interval: Interval, value: Callable[..., float]) -> None:
    """The closed form agrees with the percentile bootstrap over rows to within a tenth of its width."""
    labels, probabilities = drawn(600, seed=0)
    random = np.random.default_rng(1)
    again = [random.integers(0, 600, size=600) for _ in range(1_500)]
    expected = np.quantile([value(labels[chosen], probabilities[chosen]) for chosen in again], [0.025, 0.975])

    assert interval(labels, probabilities) == pytest.approx(expected, abs=0.1 * np.ptp(expected))


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


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [-1, 1], [0, 2]], ids=str)
def test_labels_that_allow_no_auc_are_refused(labels: list[int]) -> None:
    """One class alone, or other numbers, are told."""
    with pytest.raises(MeasurementError, match="labels must be 0 and 1, and both must occur"):
        auc(labels, [0.1, 0.2])


def test_broken_scores_are_the_candidates_fault() -> None:
    """NaN, and probabilities out of their range, fail the candidate with the remedy."""
    with pytest.raises(CandidateError, match="NaN"):
        auc([0, 1], [0.5, float("nan")])
    with pytest.raises(CandidateError, match="end in a sigmoid"):
        log_loss([0, 1], [0.5, 3.0])


def test_shapes_that_do_not_fit_are_refused() -> None:
    """A score for each label, and a cluster for each row."""
    with pytest.raises(MeasurementError, match=r"shape \(2,\) and scores \(3,\)"):
        auc([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(MeasurementError, match="a number for each row"):
        auc_interval([0, 1, 1], [0.1, 0.05, 0.3], [0, 1])
