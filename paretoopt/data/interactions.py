"""Interactions: who took which item when, in dense ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.content import Ids, counted, fingerprint_of, read_only
from paretoopt.errors import DataError


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Interactions:
    """Events of users with items, sorted by user, then time.

    `load_interactions` and `synthetic_shop` make them. The arrays cannot be written to.

    Attributes:
        users: Dense user id of each event, from 0; shape ``(n_events,)``.
        items: Dense item id of each event, from 0; same shape.
        timestamps: When each event happened, as int64 or float64; same shape. Only the
            order counts; events of one user at one time stand in the order that was asked for.
        user_ids: The original id of each user.
        item_ids: The original id of each item of the catalogue.
        name: What the data are called in messages and reports.
        user_attributes: One row per user, indexed by dense user id; None where nothing is known.
        repairs: How often each repair was made to what was read; empty where none was needed.

    Raises:
        DataError: There is no event, or the arrays contradict each other.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    timestamps: NDArray[np.int64] | NDArray[np.float64]
    user_ids: Ids
    item_ids: Ids
    name: str = "interactions"
    user_attributes: pd.DataFrame | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Freeze the content and check that it fits together."""
        for name in ("users", "items", "timestamps", "user_ids", "item_ids"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        if self.user_attributes is not None:
            object.__setattr__(self, "user_attributes", self.user_attributes.copy())
        object.__setattr__(self, "repairs", counted(self.repairs))
        _check(self)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items in the catalogue, those without an event included."""
        return len(self.item_ids)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.users)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content; the name and the repairs do not count."""
        return fingerprint_of(
            "interactions-1",
            self.users,
            self.items,
            self.timestamps,
            self.user_ids,
            self.item_ids,
            self.user_attributes,
        )

    def __repr__(self) -> str:
        """The sizes, and what was repaired."""
        sizes = f"{self.n_users} users, {self.n_items} items, {self.n_events} events"
        repairs = "".join(f", {count} {name}" for name, count in self.repairs.items())
        return f"<Interactions {self.name!r}: {sizes}{repairs}>"

    def __reduce__(self) -> tuple[Callable[[], Interactions], tuple[()]]:
        """Pickle through the constructor, so that a copy in another process is read-only too."""
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}  # of every field's type
        return partial(Interactions, **{**values, "repairs": dict(self.repairs)}), ()


def select_events(
    interactions: Interactions, keep: NDArray[np.bool_], repairs: Mapping[str, int] | None = None
) -> Interactions:
    """The events where ``keep`` holds, with the users and items that still have one numbered anew.

    Args:
        interactions: Where to take events from.
        keep: Whether to keep each event; shape ``(n_events,)``.
        repairs: What to count as repaired, added to what was repaired before.
    """
    kept_users, users = np.unique(interactions.users[keep], return_inverse=True)
    kept_items, items = np.unique(interactions.items[keep], return_inverse=True)
    return replace(
        interactions,
        users=users,
        items=items,
        timestamps=interactions.timestamps[keep],
        user_ids=interactions.user_ids[kept_users],
        item_ids=interactions.item_ids[kept_items],
        user_attributes=rows_of(interactions.user_attributes, kept_users),
        repairs=counted(interactions.repairs, repairs or {}),
    )


def rows_of(user_attributes: pd.DataFrame | None, users: NDArray[np.int64]) -> pd.DataFrame | None:
    """The rows of ``users``, numbered anew from 0."""
    if user_attributes is None:
        return None
    return user_attributes.iloc[users].reset_index(drop=True).rename_axis("user")


def _check(interactions: Interactions) -> None:
    users, items, timestamps = interactions.users, interactions.items, interactions.timestamps
    if not len(users) == len(items) == len(timestamps):
        raise DataError(
            f"{len(users)} users, {len(items)} items and {len(timestamps)} timestamps make no events: give one each."
        )
    if not len(users):
        raise DataError(f"{interactions.name} holds no events. Give it at least one.")
    for name, ids, dense in (("user", interactions.user_ids, users), ("item", interactions.item_ids, items)):
        if dense.min() < 0 or dense.max() >= len(ids):
            raise DataError(f"the {name}s go from {dense.min()} to {dense.max()}, but there are {len(ids)} {name}_ids.")
    by_user, by_time = np.diff(users), np.diff(timestamps)
    ahead = (by_user > 0) | ((by_user == 0) & (by_time >= 0))
    if not ahead.all():
        raise DataError("events must be sorted by user, then timestamp. Let load_interactions(frame) do it.")
    attributes = interactions.user_attributes
    if attributes is not None and len(attributes) != interactions.n_users:
        raise DataError(f"user_attributes has {len(attributes)} rows for {interactions.n_users} users: give one each.")
