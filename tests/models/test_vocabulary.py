"""Item ids behind a shorter table."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.models.vocabulary import Vocabulary


@given(n_items=st.integers(1, 600), seed=st.integers(0, 100), share=st.floats(0, 1))
def test_every_kept_item_has_one_row_and_the_others_none(n_items: int, seed: int, share: float) -> None:
    """Rows count the kept ids in order from 1, and lead back to them; all other ids are row 0, padding."""
    ids = np.arange(1, n_items + 1)
    kept = ids[np.random.default_rng(seed).random(n_items) < share]
    vocabulary = Vocabulary(kept, n_items)

    expected = np.zeros(n_items + 1, dtype=np.int64)
    expected[kept] = np.arange(1, len(kept) + 1)

    assert vocabulary.rows(torch.arange(n_items + 1)).tolist() == expected.tolist()
    assert vocabulary.ids(torch.arange(len(kept) + 1)).tolist() == [0, *kept.tolist()]


def test_whole_blocks_can_be_missing() -> None:
    """Ids far apart, with blocks of none between, before and after them, are told apart."""
    kept = np.array([300, 301, 900])
    vocabulary = Vocabulary(kept, 2_000)

    assert vocabulary.rows(torch.tensor([[300, 299], [900, 2_000]])).tolist() == [[1, 0], [3, 0]]
    assert vocabulary.ids(torch.tensor([[1, 2, 3, 0]])).tolist() == [[300, 301, 900, 0]]


def test_a_history_moves_up_in_order() -> None:
    """Known items keep their order on the right, padding fills the left."""
    vocabulary = Vocabulary(np.array([3, 5, 6]), n_items=6)

    rows = vocabulary.history(torch.tensor([[0, 3, 1, 6, 2, 5], [6, 4, 4, 6, 0, 3]]))

    assert rows.tolist() == [[0, 0, 0, 1, 3, 2], [0, 0, 0, 3, 3, 1]]
