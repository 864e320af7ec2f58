"""Slate metrics against all orders of tied candidates, written out."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.data.slate_metrics import slate_quality
from paretoopt.data.slates import Slates
from paretoopt.errors import DataError


def one_slate(n_candidates: int, position: int, *, filled: int = 0) -> Slates:
    """A slate with its target at ``position`` and ``filled`` places without candidate."""
    return Slates(
        candidates=np.array([[*range(n_candidates), *[-1] * filled]]),
        positions=np.array([position]),
    )


@given(
    scores=st.lists(st.integers(0, 3), min_size=2, max_size=5),
    position=st.integers(0, 4),
    k=st.integers(1, 6),
    filled=st.integers(0, 2),
)
def test_metrics_are_means_over_the_orders_of_ties(scores: list[int], position: int, k: int, filled: int) -> None:
    """HR and NDCG equal the mean over every order that sorting may give, AUC the share of pairs, ties by half."""
    position = min(position, len(scores) - 1)
    orders = [
        order
        for order in permutations(range(len(scores)))
        if all(scores[order[i]] >= scores[order[i + 1]] for i in range(len(scores) - 1))
    ]
    ranks = [order.index(position) + 1 for order in orders]
    pairs = [scores[position] - score for i, score in enumerate(scores) if i != position]

    found = slate_quality(
        np.array([[*scores, *[9] * filled]], dtype=float), one_slate(len(scores), position, filled=filled), k
    )

    assert found.hr == pytest.approx(np.mean([rank <= k for rank in ranks]))
    assert found.ndcg == pytest.approx(np.mean([(rank <= k) / math.log2(rank + 1) for rank in ranks]))
    assert found.auc == pytest.approx(np.mean([1 if gap > 0 else 0.5 * (gap == 0) for gap in pairs]))


@pytest.mark.parametrize("position", [0, 57, 99])
def test_scores_that_are_all_equal_get_what_chance_gives(position: int) -> None:
    """HR@10 of 100 candidates is 0.1 and the AUC a half, wherever the target stands."""
    found = slate_quality(np.zeros((1, 100)), one_slate(100, position))

    assert found.hr == pytest.approx(0.1)
    assert found.auc == 0.5


def test_a_perfect_ranking_is_exactly_one() -> None:
    """Without ties no rounding blurs the values."""
    found = slate_quality(np.eye(100)[[7]], one_slate(100, 7))

    assert (found.hr, found.ndcg, found.auc) == (1.0, 1.0, 1.0)


def test_scores_of_another_shape_are_refused() -> None:
    """Each candidate needs its score."""
    with pytest.raises(DataError, match=r"scores have shape \(1, 4\)"):
        slate_quality(np.zeros((1, 4)), one_slate(5, 0))


def test_an_empty_list_is_refused() -> None:
    """Nothing can be found in a list of length 0."""
    with pytest.raises(DataError, match="k must be at least 1"):
        slate_quality(np.zeros((1, 5)), one_slate(5, 0), k=0)
