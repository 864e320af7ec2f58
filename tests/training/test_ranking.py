"""Ranking metrics."""

from __future__ import annotations

import numpy as np
import pytest

from paretoopt.training.ranking import discounted_gains, hits

LISTS = np.array([[5, 3, 9], [5, 3, 9], [5, 3, 9], [5, 3, 9]])
TARGETS = np.array([5, 3, 9, 7])


def test_a_hit_is_a_target_in_the_list() -> None:
    """The place in the list does not matter to HR."""
    assert hits(LISTS, TARGETS).tolist() == [1, 1, 1, 0]


def test_gains_fall_with_the_logarithm_of_the_rank() -> None:
    """First place counts 1, second 1 / log2(3), third 1 / 2, absence 0."""
    assert discounted_gains(LISTS, TARGETS) == pytest.approx([1, 0.6309297536, 0.5, 0])
