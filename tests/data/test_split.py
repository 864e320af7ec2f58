"""Temporal leave-one-out: nothing held out leaks into training, and nobody is dropped silently."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretoopt.data.interactions import Interactions
from paretoopt.data.load import load_interactions
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError

MakeInteractions = Callable[[dict[str, list[str]]], Interactions]
EVENTS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 20)), min_size=1, max_size=60, unique=True
)


def sequence(split: Split, user: int) -> list[int]:
    """The training items of ``user``."""
    items: list[int] = split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]].tolist()
    return items


def test_the_last_item_is_for_test_and_the_one_before_for_validation(make_interactions: MakeInteractions) -> None:
    """Everything earlier is for training, oldest first."""
    split = leave_one_out(make_interactions({"ann": ["c", "a", "d", "b"], "bob": ["a", "b", "c"]}))

    names = split.item_ids
    assert [names[sequence(split, user)].tolist() for user in (0, 1)] == [["c", "a"], ["a"]]
    assert names[split.validation_items].tolist() == ["d", "b"]
    assert names[split.test_items].tolist() == ["b", "c"]


@given(EVENTS)
def test_training_and_held_out_events_are_the_whole_and_apart(events: list[tuple[int, int, int]]) -> None:
    """Each user's training sequence, validation and test item are that user's events in time, each once."""
    interactions = load_interactions(pd.DataFrame(events, columns=["user", "item", "timestamp"]))
    if max(np.bincount(interactions.users)) < 3:
        return
    split = leave_one_out(interactions)

    for user in range(split.n_users):
        own = interactions.users == np.flatnonzero(interactions.user_ids == split.user_ids[user])[0]
        held_out = [int(split.validation_items[user]), int(split.test_items[user])]
        assert [*sequence(split, user), *held_out] == interactions.items[own].tolist()


@given(EVENTS)
def test_nothing_of_training_is_later_than_what_is_held_out(events: list[tuple[int, int, int]]) -> None:
    """Computed from the raw rows alone: no training event of a user comes after a held-out one."""
    rows = pd.DataFrame(events, columns=["user", "item", "timestamp"])
    long_enough = rows.groupby("user").filter(lambda own: len(own) >= 3)
    if long_enough.empty:
        return
    split = leave_one_out(load_interactions(rows))

    for user, own in long_enough.groupby("user"):
        ordered = own.sort_values("timestamp", kind="stable")["item"].tolist()
        place = int(np.flatnonzero(split.user_ids == user)[0])
        assert split.item_ids[sequence(split, place)].tolist() == ordered[:-2]
        assert [split.item_ids[split.validation_items[place]], split.item_ids[split.test_items[place]]] == ordered[-2:]


@given(EVENTS, st.integers(0, 8), st.integers(0, 8))
def test_training_does_not_depend_on_what_is_held_out(
    events: list[tuple[int, int, int]], validation: int, test: int
) -> None:
    """Other held-out items leave every training sequence as it was."""
    past = [(user, item, time) for user, item, time in events if user == 0] or [(0, 1, 1)]
    future = [(0, item, 100) for item in range(9)]

    def trained(held_out: list[tuple[int, int, int]]) -> list[int]:
        rows = pd.DataFrame([*past, *future, *held_out], columns=["user", "item", "timestamp"])
        return sequence(leave_one_out(load_interactions(rows)), 0)

    assert trained([(0, validation, 200), (0, test, 300)]) == trained([(0, 0, 200), (0, 0, 300)])


def test_users_with_under_three_events_are_dropped_and_counted(make_interactions: MakeInteractions) -> None:
    """Their items stay in the catalogue, and the attributes follow those who are left."""
    split = leave_one_out(make_interactions({"ann": ["z"], "bob": ["a", "b", "c"], "cat": ["a", "b"]}))

    assert split.user_ids.tolist() == ["bob"]
    assert split.item_ids.tolist() == ["a", "b", "c", "z"]
    assert split.repairs == {"users_below_3_events_dropped": 2}
    assert "2 users_below_3_events_dropped" in repr(split)


def test_data_without_a_long_enough_history_is_refused(make_interactions: MakeInteractions) -> None:
    """Two events cannot be shared out among training, validation and test."""
    with pytest.raises(DataError, match="no user has 3 events; the most is 2"):
        leave_one_out(make_interactions({"ann": ["a", "b"]}))


def test_repeated_targets_are_counted(make_interactions: MakeInteractions) -> None:
    """A held-out item that the user had before cannot be hit where seen items are left out."""
    split = leave_one_out(make_interactions({"ann": ["a", "a", "a"], "bob": ["a", "b", "a"], "cat": ["a", "b", "c"]}))

    assert split.n_repeated_targets == {"validation": 1, "test": 2}


def test_attributes_follow_their_users() -> None:
    """Row ``u`` of the attributes is user ``u`` of the split."""
    table = pd.DataFrame({"user": [1, 2, 2, 2], "item": [1, 1, 2, 3], "timestamp": [1, 1, 2, 3]})
    known = pd.DataFrame({"user": [1, 2], "plan": ["free", "pro"]})

    split = leave_one_out(load_interactions(table, user_attributes=known))

    assert split.user_attributes is not None
    assert split.user_attributes["plan"].to_dict() == {0: "pro"}


def test_a_split_is_a_value() -> None:
    """Arrays cannot be written to, a pickled copy is the same, and other data have another fingerprint."""
    split = leave_one_out(synthetic_shop(20, 20))
    copy = pickle.loads(pickle.dumps(split))

    with pytest.raises(ValueError, match="read-only"):
        copy.train_items[0] = 1
    assert copy.fingerprint == split.fingerprint
    assert leave_one_out(synthetic_shop(20, 20, seed=1)).fingerprint != split.fingerprint
