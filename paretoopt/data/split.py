"""Temporal leave-one-out: each user's last item is for test, the one before for validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.content import Ids, counted, fingerprint_of, read_only
from paretoopt.data.interactions import Interactions, rows_of
from paretoopt.errors import DataError

_LEAST_EVENTS = 3
_ARRAYS = ("train_items", "train_offsets", "validation_items", "test_items", "user_ids", "item_ids")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Split:
    """Sequences to train on, and two items per user that are held out.

    Users are numbered anew from 0, those that were too short to split left out; items keep the
    dense ids and the whole catalogue of the interactions.

    Attributes:
        train_items: Training items of all users, one sequence after the other, oldest first.
        train_offsets: Where each user's sequence starts, and the end of the last; shape
            ``(n_users + 1,)``. User ``u`` has ``train_items[train_offsets[u]:train_offsets[u + 1]]``.
        validation_items: The last item but one of each user; shape ``(n_users,)``.
        test_items: The last item of each user; shape ``(n_users,)``.
        user_ids: The original id of each user.
        item_ids: The original id of each item of the catalogue.
        n_repeated_targets: For ``"validation"`` and ``"test"``, how many held-out items the user
            had before already. Rankings that leave out what the user has can never hit these.
        name: What the data are called in messages and reports.
        user_attributes: One row per user, indexed by dense user id; None where nothing is known.
        repairs: How often each repair was made, loading and splitting together.
    """

    train_items: NDArray[np.int64]
    train_offsets: NDArray[np.int64]
    validation_items: NDArray[np.int64]
    test_items: NDArray[np.int64]
    user_ids: Ids
    item_ids: Ids
    n_repeated_targets: Mapping[str, int]
    name: str = "interactions"
    user_attributes: pd.DataFrame | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the content."""
        for name in _ARRAYS:
            object.__setattr__(self, name, read_only(getattr(self, name)))
        if self.user_attributes is not None:
            object.__setattr__(self, "user_attributes", self.user_attributes.copy())
        object.__setattr__(self, "repairs", counted(self.repairs))

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items in the catalogue, those without a training event included."""
        return len(self.item_ids)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content; the name and the repairs do not count."""
        return fingerprint_of("split-1", *(getattr(self, name) for name in _ARRAYS), self.user_attributes)

    def __repr__(self) -> str:
        """The sizes, and what was repaired."""
        sizes = f"{self.n_users} users, {self.n_items} items, {len(self.train_items)} training events"
        repairs = "".join(f", {count} {name}" for name, count in self.repairs.items())
        return f"<Split {self.name!r}: {sizes}{repairs}>"

    def __reduce__(self) -> tuple[Callable[[], Split], tuple[()]]:
        """Pickle through the constructor, so that a copy in another process is read-only too."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}  # of every field's type
        return partial(Split, **{**values, "repairs": dict(self.repairs)}), ()


def leave_one_out(interactions: Interactions) -> Split:
    """Hold out each user's last item for test and the one before for validation.

    Users with fewer than three events are left out, counted as ``users_below_3_events_dropped``.

    Raises:
        DataError: No user has three events.
    """
    sizes = np.bincount(interactions.users, minlength=interactions.n_users)
    kept = np.flatnonzero(sizes >= _LEAST_EVENTS)
    if not len(kept):
        raise DataError(
            f"{interactions.name}: no user has {_LEAST_EVENTS} events; the most is {sizes.max()}. "
            "Leave-one-out needs one to train on, one for validation and one for test. Bring longer histories."
        )
    ends = np.cumsum(sizes)
    is_train = np.repeat(sizes >= _LEAST_EVENTS, sizes)
    is_train[ends[kept] - 1] = False
    is_train[ends[kept] - 2] = False
    train_sizes = sizes[kept] - 2
    validation, test = interactions.items[ends[kept] - 2], interactions.items[ends[kept] - 1]
    train = interactions.items[is_train]
    return Split(
        train_items=train,
        train_offsets=np.concatenate([[0], np.cumsum(train_sizes)]),
        validation_items=validation,
        test_items=test,
        user_ids=interactions.user_ids[kept],
        item_ids=interactions.item_ids,
        n_repeated_targets=count_repeated(train, train_sizes, validation, test),
        name=interactions.name,
        user_attributes=rows_of(interactions.user_attributes, kept),
        repairs=counted(interactions.repairs, {"users_below_3_events_dropped": len(sizes) - len(kept)}),
    )


def count_repeated(
    train: NDArray[np.int64], sizes: NDArray[np.int64], validation: NDArray[np.int64], test: NDArray[np.int64]
) -> dict[str, int]:
    """How many held-out items of ``"validation"`` and ``"test"`` their users had before already.

    Args:
        train: Training items of all users, one sequence after the other.
        sizes: Length of each user's sequence.
        validation: Each user's validation item.
        test: Each user's test item.
    """
    users = np.repeat(np.arange(len(sizes)), sizes)

    def in_training(targets: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.bincount(users[train == targets[users]], minlength=len(sizes)) > 0

    return {
        "validation": int(in_training(validation).sum()),
        "test": int((in_training(test) | (validation == test)).sum()),
    }
