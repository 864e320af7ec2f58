"""AUC and log-loss against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.errors import CandidateError, MeasurementError
from paretoopt.measurement.click_quality import auc, log_loss

# Few distinct scores, so that ties occur.
rows = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8).map(lambda eighths: eighths / 8)), min_size=2).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


@given(rows)
def test_auc_is_the_share_of_pairs_in_order(pairs: list[tuple[int, float]]) -> None:
    """Every click is compared with every non-click; a tie counts half."""
    clicks = [score for label, score in pairs if label]
    others = [score for label, score in pairs if not label]
    expected = np.mean([(click > other) + (click == other) / 2 for click in clicks for other in others])

    assert auc(*zip(*pairs, strict=True)) == pytest.approx(expected)


@given(rows)
def test_auc_depends_on_the_order_of_scores_only(pairs: list[tuple[int, float]]) -> None:
    """Logits give what their probabilities give."""
    labels, scores = np.array(pairs).T

    assert auc(labels, np.exp(3 * scores)) == auc(labels, scores)


def test_log_loss_is_the_mean_negative_log_likelihood() -> None:
    """By the definition, row by row."""
    expected = -(np.log(0.9) + np.log(1 - 0.2) + np.log(0.5)) / 3

    assert log_loss([1, 0, 1], [0.9, 0.2, 0.5]) == pytest.approx(expected)


def test_certainty_that_is_wrong_costs_a_finite_loss() -> None:
    """A float32 sigmoid reaches 0 and 1; the loss stays a number."""
    assert 15 < log_loss([1, 0], [0.0, 1.0]) < 17


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
    """A score for each label."""
    with pytest.raises(MeasurementError, match=r"shape \(2,\) and scores \(3,\)"):
        auc([0, 1], [0.1, 0.2, 0.3])
