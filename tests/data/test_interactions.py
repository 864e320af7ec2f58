"""Interactions are values: immutable, checked, and known by their content."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from paretoopt.data.interactions import Interactions, select_events
from paretoopt.data.load import load_interactions
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError

TABLE = pd.DataFrame({"user": ["b", "a", "b"], "item": [7, 7, 9], "timestamp": [2, 5, 1]})


def test_ids_are_dense_and_keep_the_originals() -> None:
    """Users and items count from 0 in the order of their original ids."""
    interactions = load_interactions(TABLE)

    assert interactions.users.tolist() == [0, 1, 1]
    assert interactions.user_ids[interactions.users].tolist() == ["a", "b", "b"]
    assert interactions.item_ids[interactions.items].tolist() == [7, 9, 7]
    assert (interactions.n_users, interactions.n_items, interactions.n_events) == (2, 2, 3)


@pytest.mark.parametrize("name", ["users", "items", "timestamps", "user_ids", "item_ids"])
def test_arrays_cannot_be_written_to(name: str) -> None:
    """Nobody can change what others rely on, not even through a pickled copy."""
    interactions = load_interactions(TABLE)

    for each in (interactions, pickle.loads(pickle.dumps(interactions))):
        with pytest.raises(ValueError, match="read-only"):
            getattr(each, name)[0] = 0


def test_the_table_given_is_left_alone() -> None:
    """Loading changes no argument."""
    table = TABLE.copy()

    load_interactions(table)

    pd.testing.assert_frame_equal(table, TABLE)


def test_the_fingerprint_does_not_depend_on_the_order_of_rows() -> None:
    """The same events in another order are the same data."""
    assert load_interactions(TABLE).fingerprint == load_interactions(TABLE.iloc[::-1]).fingerprint


@pytest.mark.parametrize(
    "other",
    [
        TABLE.assign(user=["b", "c", "b"]),
        TABLE.assign(item=[7, 7, 8]),
        TABLE.assign(timestamp=[2, 6, 1]),
        TABLE.iloc[:2],
    ],
)
def test_the_fingerprint_changes_with_the_content(other: pd.DataFrame) -> None:
    """Other users, items, times or fewer events are other data."""
    assert load_interactions(TABLE).fingerprint != load_interactions(other).fingerprint


def test_the_fingerprint_covers_attributes_but_not_the_name() -> None:
    """What is known of users counts; what the data are called does not."""
    shop = synthetic_shop(20, 20)

    assert replace(shop, name="other").fingerprint == shop.fingerprint
    assert replace(shop, user_attributes=None).fingerprint != shop.fingerprint


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    """Hash seeds of a process do not reach it."""
    program = "from paretoopt.data.synthetic import synthetic_shop; print(synthetic_shop(20, 20).fingerprint)"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == synthetic_shop(20, 20).fingerprint


def test_selecting_events_numbers_users_and_items_anew() -> None:
    """What is left without an event goes, and the attributes follow their users."""
    shop = synthetic_shop(20, 20)

    some = select_events(shop, shop.users >= 5, {"dropped": 3})

    assert some.user_ids.tolist() == list(range(5, 20))
    assert some.user_attributes is not None
    assert shop.user_attributes is not None
    assert some.user_attributes["device"].tolist() == shop.user_attributes["device"].tolist()[5:]
    assert some.repairs == {"dropped": 3}


def test_repairs_are_shown() -> None:
    """Whoever prints the data sees what was repaired."""
    twice = load_interactions(pd.concat([TABLE, TABLE]))

    assert repr(twice) == "<Interactions 'table': 2 users, 2 items, 3 events, 3 duplicate_events_dropped>"


def make(**changes: object) -> Interactions:
    """Two events of one user, with ``changes``."""
    values: dict[str, object] = {
        "users": np.array([0, 0]),
        "items": np.array([0, 1]),
        "timestamps": np.array([1, 2]),
        "user_ids": np.array([5]),
        "item_ids": np.array([5, 6]),
    }
    return Interactions(**{**values, **changes})  # type: ignore[arg-type]  # the changes are wrong on purpose


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"timestamps": np.array([2, 1])}, "must be sorted"),
        ({"timestamps": np.array([1])}, "give one each"),
        ({"items": np.array([0, 2])}, "there are 2 item_ids"),
        ({"user_attributes": pd.DataFrame({"age": [1, 2]})}, "2 rows for 1 users"),
    ],
)
def test_content_that_contradicts_itself_is_refused(changes: dict[str, object], message: str) -> None:
    """Wrong arrays are told when they are given, not when they are used."""
    with pytest.raises(DataError, match=message):
        make(**changes)
