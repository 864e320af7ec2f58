"""What a model is asked: each user's history at a moment, and what never to recommend.

Model ids: item ``i`` of the data is item ``i + 1`` of the model, and 0 stands for no item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paretoopt.data.split import Split
from paretoopt.errors import DataError


@dataclass(frozen=True, eq=False)
class Histories:
    """One sequence of items per user, oldest first.

    Attributes:
        items: Dense item ids of all users, one sequence after the other.
        offsets: Where each user's sequence starts, and the end of the last; shape ``(n_users + 1,)``.
    """

    items: NDArray[np.int64]
    offsets: NDArray[np.int64]


def histories(split: Split, phase: str) -> Histories:
    """What is known of each user just before the held-out item of ``phase``.

    Before ``"validation"`` that is the training sequence; before ``"test"`` the validation item
    stands at its end.

    Raises:
        DataError: ``phase`` is another word.
    """
    targets_of(split, phase)
    if phase == "validation":
        return Histories(split.train_items, split.train_offsets)
    items = np.insert(split.train_items, split.train_offsets[1:], split.validation_items)
    return Histories(items, split.train_offsets + np.arange(split.n_users + 1))


def targets_of(split: Split, phase: str) -> NDArray[np.int64]:
    """The held-out item of each user, as dense item ids.

    Raises:
        DataError: ``phase`` is neither ``"validation"`` nor ``"test"``.
    """
    if phase == "validation":
        return split.validation_items
    if phase == "test":
        return split.test_items
    raise DataError(f"phase={phase!r} is not known. Use 'validation' or 'test'.")


def padded(histories: Histories, length: int) -> NDArray[np.int64]:
    """The ``length`` most recent items of each user, with -1 on the left of shorter histories.

    Returns:
        Dense item ids of shape ``(n_users, length)``.

    Raises:
        DataError: ``length`` is below 1.
    """
    if length < 1:
        raise DataError(f"length must be at least 1, but is {length}.")
    places = histories.offsets[1:, None] - np.arange(length, 0, -1)
    exists = places >= histories.offsets[:-1, None]
    return np.where(exists, histories.items[np.where(exists, places, 0)], -1)


def model_histories(split: Split, phase: str, length: int) -> NDArray[np.int64]:
    """Each user's ``length`` most recent items before ``phase`` as model ids, 0 on the left.

    Returns:
        Array of shape ``(n_users, length)``.
    """
    return padded(histories(split, phase), length) + 1


def model_seen(split: Split, phase: str, *, exclude_seen: bool = True) -> NDArray[np.int64]:
    """Each user's distinct items before ``phase`` as model ids, never to be recommended; 0 on the right.

    Whether the held-out item is among them makes no difference: to leave it out would tell the
    model the answer. ``Split.n_repeated_targets`` counts the users whose target cannot be hit for
    this reason; where repeats matter, rank with ``exclude_seen=False``.

    Args:
        split: The data.
        phase: ``"validation"`` or ``"test"``.
        exclude_seen: False gives a single column of 0: everything may be recommended.

    Returns:
        Array of shape ``(n_users, most distinct items of a user)``, ascending in each row.
    """
    if not exclude_seen:
        targets_of(split, phase)
        return np.zeros((split.n_users, 1), dtype=np.int64)
    users, items = distinct_items(split, phase)
    sizes = np.bincount(users, minlength=split.n_users)
    columns = np.arange(len(users)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    seen = np.zeros((split.n_users, int(sizes.max())), dtype=np.int64)
    seen[users, columns] = items + 1
    return seen


def distinct_items(split: Split, phase: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of a user and an item that the user has before ``phase``, each once, sorted.

    Returns:
        Users and dense item ids, of the same length.
    """
    known = histories(split, phase)
    users = np.repeat(np.arange(split.n_users), np.diff(known.offsets))
    pairs = np.unique(users * split.n_items + known.items)
    return pairs // split.n_items, pairs % split.n_items
