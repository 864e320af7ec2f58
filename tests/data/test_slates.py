"""Slates: drawn once, the same for everybody, and true to the split."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from paretoopt.data.interactions import Interactions
from paretoopt.data.slate_sampling import mixed, sampled_slates
from paretoopt.data.slates import SlateData, Slates, slate_requests, slates_of
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError

PHASES = ("validation", "test")


@pytest.fixture(scope="module")
def shop() -> Interactions:
    """Sixty users and eighty items."""
    return synthetic_shop(users=60, items=80)


@pytest.fixture(scope="module")
def split(shop: Interactions) -> Split:
    """The shop, split."""
    return leave_one_out(shop)


@pytest.fixture(scope="module")
def data(split: Split) -> SlateData:
    """Slates of twenty."""
    return sampled_slates(split, slate_size=20)


@pytest.mark.parametrize("phase", PHASES)
def test_a_slate_holds_the_held_out_item_among_items_that_the_user_never_had(data: SlateData, phase: str) -> None:
    """The others are different items of which none is in any part of the user's sequence."""
    split, slates = data.split, slates_of(data, phase)
    for user, row in enumerate(slates.candidates):
        own = {*split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]].tolist()}
        own |= {int(split.validation_items[user]), int(split.test_items[user])}
        target = {"validation": split.validation_items, "test": split.test_items}[phase][user]

        assert row[slates.positions[user]] == target
        assert len(set(row)) == 20
        assert set(np.delete(row, slates.positions[user])).isdisjoint(own)


def test_targets_stand_anywhere(data: SlateData) -> None:
    """The column tells nothing: with 60 users, first and last places occur and none has a third of them."""
    counts = np.bincount(data.test.positions, minlength=20)

    assert counts[:4].sum() > 0
    assert counts[-4:].sum() > 0
    assert counts.max() < 20


def test_slates_are_frozen_by_the_seed(split: Split, shop: Interactions, data: SlateData) -> None:
    """The same seed gives the same fingerprint, from a split or from its interactions; another seed does not."""
    assert sampled_slates(shop, slate_size=20).fingerprint == data.fingerprint
    assert sampled_slates(split, slate_size=20, seed=1).fingerprint != data.fingerprint
    with pytest.raises(ValueError, match="read-only"):
        data.test.candidates[0, 0] = 3


def test_a_copy_in_another_process_is_frozen_too(data: SlateData) -> None:
    """Pickling keeps content and protection."""
    copy: SlateData = pickle.loads(pickle.dumps(data))

    assert copy.fingerprint == data.fingerprint
    assert not copy.validation.positions.flags.writeable


def test_requests_are_in_model_ids(data: SlateData) -> None:
    """User and item i are i + 1; the history is there where it is read, and ends with the latest item."""
    requests = slate_requests(data, "test", length=5)

    assert requests["user"].tolist() == list(range(1, 61))
    assert np.array_equal(requests["candidates"], data.test.candidates + 1)
    assert np.array_equal(requests["history"][:, -1], data.split.validation_items + 1)
    assert slate_requests(data, "test", length=0).keys() == {"user", "candidates"}


def test_shorter_slates_are_filled_on_the_right() -> None:
    """The target is put among the real candidates only."""
    others = np.tile([4, 5, -1, -1], (50, 1))

    slates = mixed(np.full(50, 9), others, np.random.default_rng(0))

    assert set(slates.positions) == {0, 1, 2}
    assert (np.sort(slates.candidates[:, :3], axis=1) == [4, 5, 9]).all()
    assert (slates.candidates[:, 3:] == -1).all()


@pytest.mark.parametrize(
    ("candidates", "positions", "message"),
    [
        ([[1, 2]], [0, 1], "for 2 positions"),
        ([[1, 2]], [2], "positions go from 2 to 2"),
        ([[1, 2]], [-1], "positions go from -1"),
        ([[1, -1]], [0], "slate 0 has no candidate beside its target"),
    ],
)
def test_arrays_that_make_no_slates_are_refused(
    candidates: list[list[int]], positions: list[int], message: str
) -> None:
    """Each mistake is told when the record is made."""
    with pytest.raises(DataError, match=message):
        Slates(candidates=np.array(candidates), positions=np.array(positions))


def test_slates_of_another_split_are_refused(data: SlateData, split: Split) -> None:
    """Validation slates in the place of the test slates have other held-out items."""
    with pytest.raises(DataError, match="the test slates are not those"):
        SlateData(split=split, validation=data.validation, test=data.validation)


def test_candidates_outside_the_catalogue_are_refused(data: SlateData, split: Split) -> None:
    """An item that no table has a row for cannot be scored."""
    candidates = data.test.candidates.copy()
    candidates[0, data.test.positions[0] - 1] = split.n_items
    wrong = Slates(candidates=candidates, positions=data.test.positions)

    with pytest.raises(DataError, match="items beyond the 80"):
        SlateData(split=split, validation=data.validation, test=wrong)


@pytest.mark.parametrize("size", [1, 0, 2.0, True])
def test_a_slate_needs_two_candidates(split: Split, size: int) -> None:
    """One alone has no ranking."""
    with pytest.raises(DataError, match="slate_size must be a whole number from 2 on"):
        sampled_slates(split, slate_size=size)


def test_a_catalogue_too_small_for_the_slates_is_refused(split: Split) -> None:
    """Eighty items have no 99 that a user never had."""
    with pytest.raises(DataError, match="fewer than 99 are left"):
        sampled_slates(split)
