"""Users are grouped by what they are, how long they have been here, and what they look for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from paretoopt.data.groups import Grouping, by_attribute, by_history_length, by_item_popularity
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError


def make_split(
    train: list[list[int]],
    validation: list[int] | None = None,
    test: list[int] | None = None,
    **attributes: list[object],
) -> Split:
    """A split of users with these training items."""
    sizes = [len(items) for items in train]
    return Split(
        train_items=np.concatenate(train),
        train_offsets=np.cumsum([0, *sizes]),
        validation_items=np.array(validation or [0] * len(train)),
        test_items=np.array(test or [0] * len(train)),
        user_ids=np.arange(len(train)),
        item_ids=np.arange(10),
        n_repeated_targets={},
        user_attributes=pd.DataFrame(attributes) if attributes else None,
    )


def labels(grouping: Grouping, split: Split, phase: str = "validation") -> list[str]:
    """Each user's group."""
    found: list[str] = grouping.labels(split, phase).tolist()
    return found


def test_each_value_of_an_attribute_is_a_group() -> None:
    """Text stays as it is, a whole number has no decimals, and a missing value is unknown."""
    split = make_split([[0], [0], [0]], gender=["F", "M", None], code=[1.0, 18.0, float("nan")])

    assert labels(by_attribute("gender"), split) == ["F", "M", "unknown"]
    assert labels(by_attribute("code"), split) == ["1", "18", "unknown"]


def test_numbers_are_banded_by_their_edges() -> None:
    """An edge belongs to the band above it; numbers that are written as text are numbers."""
    ages: list[object] = [17, 18, 34, 35, 50, None]
    written: list[object] = [None if age is None else str(age) for age in ages]

    for given in (ages, written):
        split = make_split([[0]] * 6, age=given)
        banded = labels(by_attribute("age", edges=(18, 35, 50)), split)
        assert banded == ["<18", "18-35", "18-35", "35-50", ">=50", "unknown"]


@pytest.mark.parametrize(
    ("grouping", "message"),
    [
        (by_attribute("gendre"), r"no user attribute 'gendre'. It has: 'gender', 'age'. Name one"),
        (by_attribute("age"), r"numeric with 20 values from 20 to 39.*Give by_attribute\('age', edges=\.\.\.\)"),
        (by_attribute("gender", edges=(1,)), "'F', which is no number"),
    ],
)
def test_attribute_that_makes_no_groups_is_refused(grouping: Grouping, message: str) -> None:
    """The error names the column and what to do."""
    split = make_split([[0]] * 20, gender=["F", "M"] * 10, age=list(range(20, 40)))

    with pytest.raises(DataError, match=message):
        grouping.labels(split, "validation")


def test_data_without_attributes_say_so() -> None:
    """There is no column to name, but a way to load some."""
    with pytest.raises(DataError, match=r"It has: none\. .*load the data with user_attributes="):
        by_attribute("gender").labels(make_split([[0]]), "validation")


@pytest.mark.parametrize("edges", [(), (35, 18), (18, 18)])
def test_edges_are_ascending(edges: tuple[int, ...]) -> None:
    """Told before there are data."""
    with pytest.raises(DataError, match="must be ascending"):
        by_attribute("age", edges=edges)


def test_history_length_is_cut_at_its_terciles() -> None:
    """Of nine users the three with the shortest histories are new and the three with the longest heavy."""
    split = make_split([[0] * length for length in (1, 2, 3, 4, 5, 6, 7, 8, 9)])

    assert labels(by_history_length(), split) == ["new"] * 3 + ["regular"] * 3 + ["heavy"] * 3


def test_popularity_is_cut_by_shares_of_training_events() -> None:
    """Of 10 events, the item with 4 starts in the first fifth, the two single ones lie in the last, 2 and 2 between."""
    train = [[1, 1, 1, 1, 2, 2, 3, 3, 4, 5]] * 7
    split = make_split(train, validation=[1, 2, 3, 4, 5, 6, 1], test=[5, 1, 1, 1, 1, 1, 2])

    assert labels(by_item_popularity(), split) == ["head", "middle", "middle", "tail", "tail", "tail", "head"]
    assert labels(by_item_popularity(), split, "test") == ["tail", *["head"] * 5, "middle"]


def test_popularity_groups_of_a_shop_hold_their_shares_of_events() -> None:
    """The head takes at least a fifth of the events, the tail at most a fifth and more items than the head."""
    split = leave_one_out(synthetic_shop(users=300, items=200, seed=0))
    everything = make_split([split.train_items.tolist()])
    of_items = Split(
        train_items=split.train_items,
        train_offsets=np.linspace(0, len(split.train_items), 201).astype(np.int64),
        validation_items=np.arange(200),
        test_items=np.arange(200),
        user_ids=np.arange(200),
        item_ids=split.item_ids,
        n_repeated_targets={},
    )

    groups = np.array(labels(by_item_popularity(), of_items))

    events = Counter(groups[everything.train_items].tolist())
    assert events["head"] / events.total() >= 0.2
    assert events["tail"] / events.total() <= 0.2
    assert (groups == "tail").sum() > (groups == "head").sum()


def test_group_of_one_user_is_no_group() -> None:
    """One user has no interval."""
    with pytest.raises(DataError, match="least_users must be at least 2"):
        by_history_length(least_users=1)
