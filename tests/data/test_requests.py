"""What a model is asked: recent items on the right, everything known excluded, nothing of the future."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from paretoopt.data.interactions import Interactions
from paretoopt.data.requests import Histories, histories, model_histories, model_seen, padded
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError

MakeInteractions = Callable[[dict[str, list[str]]], Interactions]


@pytest.fixture
def split(make_interactions: MakeInteractions) -> Split:
    """Dense items a=0, b=1, c=2, d=3."""
    return leave_one_out(make_interactions({"ann": ["b", "a", "b", "c", "d"], "bob": ["a", "b", "c"]}))


def test_the_test_history_ends_with_the_validation_item(split: Split) -> None:
    """Before test one more item is known than before validation."""
    before = {phase: histories(split, phase) for phase in ("validation", "test")}

    assert before["validation"].items.tolist() == [1, 0, 1, 0]
    assert before["test"].items.tolist() == [1, 0, 1, 2, 0, 1]
    assert before["test"].offsets.tolist() == [0, 4, 6]


def test_padding_keeps_the_most_recent_items_on_the_right() -> None:
    """Long histories lose their oldest items, short ones are filled on the left."""
    ragged = Histories(np.array([4, 5, 6, 7]), np.array([0, 3, 3, 4]))

    assert padded(ragged, 2).tolist() == [[5, 6], [-1, -1], [-1, 7]]


def test_model_ids_start_at_one_and_zero_is_no_item(split: Split) -> None:
    """Item 0 of the data is item 1 of the model."""
    assert model_histories(split, "validation", 4).tolist() == [[0, 2, 1, 2], [0, 0, 0, 1]]


def test_seen_are_the_distinct_items_known_before_the_target(split: Split) -> None:
    """Each once, as model ids, whatever their number of events."""
    assert model_seen(split, "validation").tolist() == [[1, 2], [1, 0]]
    assert model_seen(split, "test").tolist() == [[1, 2, 3], [1, 2, 0]]


def test_nothing_is_seen_where_repeats_are_wanted(split: Split) -> None:
    """A single column of 0 excludes nothing."""
    assert model_seen(split, "test", exclude_seen=False).tolist() == [[0], [0]]


@pytest.mark.parametrize("phase", ["validation", "test"])
def test_requests_do_not_depend_on_the_target(phase: str) -> None:
    """Whether an item is the answer makes no difference to what is asked: nothing leaks."""
    split = leave_one_out(synthetic_shop(50, 30))
    seen = model_seen(split, phase)

    for user in range(split.n_users):
        known = split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]].tolist()
        known += [int(split.validation_items[user])] if phase == "test" else []
        assert set(seen[user].tolist()) - {0} == {item + 1 for item in known}


def test_what_cannot_be_asked_is_refused(split: Split) -> None:
    """An unknown phase and a length of nothing are told."""
    with pytest.raises(DataError, match="phase='train' is not known"):
        model_seen(split, "train")
    with pytest.raises(DataError, match="length must be at least 1"):
        model_histories(split, "test", 0)
