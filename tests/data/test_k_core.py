"""The k-core is a fixed point: everybody who is left has enough events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.data.interactions import Interactions
from paretoopt.data.k_core import k_core
from paretoopt.data.load import load_interactions
from paretoopt.errors import DataError

MakeInteractions = Callable[[dict[str, list[str]]], Interactions]


def test_dropping_an_item_can_drop_its_users(make_interactions: MakeInteractions) -> None:
    """Item z goes first, then ann who is left with one event, and what was dropped is counted."""
    core = k_core(
        make_interactions({"ann": ["z", "a"], "bob": ["a", "b"], "cat": ["a", "b"]}), user_core=2, item_core=2
    )

    assert core.user_ids.tolist() == ["bob", "cat"]
    assert core.item_ids.tolist() == ["a", "b"]
    assert core.repairs == {
        "users_below_core_dropped": 1,
        "items_below_core_dropped": 1,
        "events_below_core_dropped": 2,
    }


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=80),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_everybody_left_has_enough_events(events: list[tuple[int, int, int]], user_core: int, item_core: int) -> None:
    """No user and no item is below its core, and filtering again changes nothing."""
    interactions = load_interactions(pd.DataFrame(events, columns=["user", "item", "timestamp"]))
    try:
        core = k_core(interactions, user_core=user_core, item_core=item_core)
    except DataError:
        return

    assert np.bincount(core.users).min() >= user_core
    assert np.bincount(core.items).min() >= item_core
    assert k_core(core, user_core=user_core, item_core=item_core).fingerprint == core.fingerprint


def test_an_empty_core_is_refused(make_interactions: MakeInteractions) -> None:
    """Where nothing is left the message says what to lower."""
    with pytest.raises(DataError, match=r"no event is left with user_core=5 and item_core=5\. Lower"):
        k_core(make_interactions({"ann": ["a", "b"]}))


def test_a_core_below_one_is_refused(make_interactions: MakeInteractions) -> None:
    """Everybody has at least no events."""
    with pytest.raises(DataError, match="item_core must be at least 1"):
        k_core(make_interactions({"ann": ["a", "b"]}), item_core=0)
