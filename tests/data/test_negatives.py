"""Random items that a user does not have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.data.negatives import draw_distinct_negatives, draw_negatives, is_repeated, pair_keys
from paretoopt.errors import DataError

N_USERS, N_ITEMS = 4, 9

pairs = st.lists(st.tuples(st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 2)), min_size=1)


def keys_of(known: list[tuple[int, int]]) -> np.ndarray:
    """The pairs as keys."""
    users, items = np.array(known).T
    return pair_keys(users, items, N_ITEMS)


@given(known=pairs, seed=st.integers(0, 100))
def test_no_negative_is_an_item_of_its_user(known: list[tuple[int, int]], seed: int) -> None:
    """Whatever users have, even all items but one, what is drawn is something else."""
    users = np.arange(N_USERS).repeat(6).reshape(N_USERS, 6)

    drawn = draw_negatives(users, keys_of(known), N_ITEMS, np.random.default_rng(seed))

    assert drawn.shape == users.shape
    assert set(zip(users.ravel(), drawn.ravel(), strict=True)).isdisjoint(known)


@given(known=pairs, seed=st.integers(0, 100))
def test_distinct_negatives_are_new_to_the_user_and_all_different(known: list[tuple[int, int]], seed: int) -> None:
    """A row holds each item at most once, and none that the user has."""
    size = N_ITEMS - max(np.bincount([user for user, _ in set(known)]))

    drawn = draw_distinct_negatives(N_USERS, keys_of(known), N_ITEMS, int(size), np.random.default_rng(seed))

    assert all(len(set(row)) == size for row in drawn)
    assert {(user, item) for user, row in enumerate(drawn) for item in row}.isdisjoint(known)


def test_all_other_items_are_equally_likely() -> None:
    """Of 9,000 draws each of the 6 items left has 1,500, within 5 standard deviations (177)."""
    known = pair_keys(np.zeros(3, dtype=np.int64), np.array([0, 4, 8]), N_ITEMS)

    drawn = draw_negatives(np.zeros(9_000, dtype=np.int64), known, N_ITEMS, np.random.default_rng(0))

    counts = np.bincount(drawn, minlength=N_ITEMS)
    assert counts[[0, 4, 8]].tolist() == [0, 0, 0]
    assert abs(counts[[1, 2, 3, 5, 6, 7]] - 1_500).max() < 177


def test_more_negatives_than_there_are_are_refused() -> None:
    """A user who has 8 of 9 items has one left, not two; that is told instead of searched for ever."""
    known = pair_keys(np.zeros(8, dtype=np.int64), np.arange(8), N_ITEMS)

    with pytest.raises(DataError, match="a user has 8 of them, so that fewer than 2 are left"):
        draw_distinct_negatives(1, known, N_ITEMS, 2, np.random.default_rng(0))


def test_the_first_of_equal_items_is_no_repetition() -> None:
    """Only those further right are."""
    assert is_repeated(np.array([[3, 1, 3, 3], [1, 2, 3, 4]])).tolist() == [[False, False, True, True], [False] * 4]
