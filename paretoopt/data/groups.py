"""Groups of users, over which quality is compared: by an attribute, by history, by the item's popularity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.requests import targets_of
from paretoopt.data.split import Split
from paretoopt.errors import DataError

LEAST_USERS = 50
UNKNOWN = "unknown"
"""The group of users whose attribute is missing; it is listed, but never compared."""
_MOST_PLAIN_NUMBERS = 12
_HEAD_SHARE = 0.2
_TAIL_SHARE = 0.2

Labels = Callable[[Split, str], NDArray[np.str_]]
"""From the data and ``"validation"`` or ``"test"`` to the name of each user's group, in the order of the users."""


@dataclass(frozen=True)
class Grouping:
    """One way to put every user into one group.

    Attributes:
        kind: What the groups differ in, for example ``"gender"``.
        rule: Says in words how users are grouped; it enters the store's key, so that another rule measures anew.
        labels: The name of each user's group.
        least_users: Groups with fewer users are listed with their size, but neither compared nor given a value.

    Raises:
        DataError: ``least_users`` is below 2.
    """

    kind: str
    rule: str
    labels: Labels = field(repr=False)
    least_users: int = LEAST_USERS

    def __post_init__(self) -> None:
        """Refuse groups that have no interval."""
        if self.least_users < 2:
            raise DataError(f"least_users must be at least 2, but is {self.least_users}. One user has no interval.")


def by_attribute(column: str, *, edges: Sequence[float] | None = None, least_users: int = LEAST_USERS) -> Grouping:
    """Group users by a column of their attributes.

    Every value is a group, for example of ``"gender"``. A column of numbers with more than 12 values, such as an age,
    needs ``edges``: ``edges=(18, 35, 50)`` gives ``<18``, ``18-35``, ``35-50`` and ``>=50``, the upper edge of each
    band excluded. Users whose value is missing are the group ``unknown``, which is not compared.

    Args:
        column: A column of ``Split.user_attributes``.
        edges: Where bands of a numeric column meet, ascending.
        least_users: Groups with fewer users are not compared.

    Raises:
        DataError: ``edges`` are not ascending; or, once the data are known, the column does not exist, is numeric
            with too many values, or is not numeric although there are ``edges``.
    """
    bounds = None if edges is None else [float(edge) for edge in edges]
    if bounds is not None and (not bounds or not all(np.diff(bounds) > 0)):
        raise DataError(f"edges={tuple(bounds)} of {column!r} must be ascending numbers, at least one.")

    def labels(split: Split, phase: str) -> NDArray[np.str_]:
        values = _column(split, column)
        return _values(values, column) if bounds is None else _bands(values, bounds, column)

    rule = "each value" if bounds is None else f"bands that meet at {', '.join(f'{bound:g}' for bound in bounds)}"
    return Grouping(column, f"{column}: {rule}", labels, least_users)


def by_history_length(*, least_users: int = LEAST_USERS) -> Grouping:
    """Group users into ``new``, ``regular`` and ``heavy`` by the number of their training events.

    The bounds are the terciles over users: up to the first is new, above the second is heavy. Users with equally long
    histories are in one group, so that groups may differ in size.
    """

    def labels(split: Split, phase: str) -> NDArray[np.str_]:
        lengths = np.diff(split.train_offsets)
        first, second = np.quantile(lengths, [1 / 3, 2 / 3])
        return np.where(lengths <= first, "new", np.where(lengths > second, "heavy", "regular"))

    return Grouping("history_length", "terciles of training events over users", labels, least_users)


def by_item_popularity(*, least_users: int = LEAST_USERS) -> Grouping:
    """Group users by whether their held-out item is of the ``head``, ``middle`` or ``tail`` of the catalogue.

    Items are ordered by their training events. The head are the most popular ones that take up the first 20 % of all
    training events, the tail the least popular ones that take up the last 20 % (Abdollahpouri et al. 2021,
    "User-centered Evaluation of Popularity Bias in Recommender Systems"). Equally popular items are in one group.
    A user's group at validation and at test may differ, since the items do.
    """

    def labels(split: Split, phase: str) -> NDArray[np.str_]:
        return _popularity_groups(split)[targets_of(split, phase)]

    rule = f"head the first {_HEAD_SHARE:.0%} of training events, tail the last {_TAIL_SHARE:.0%}"
    return Grouping("item_popularity", rule, labels, least_users)


def _column(split: Split, column: str) -> pd.Series:
    table = split.user_attributes
    if table is None or column not in table.columns:
        known = "none" if table is None else ", ".join(map(repr, table.columns)) or "none"
        raise DataError(
            f"{split.name} has no user attribute {column!r}. It has: {known}. "
            "Name one of these, or load the data with user_attributes=."
        )
    return table[column]


def _values(values: pd.Series, column: str) -> NDArray[np.str_]:
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if is_number and values.nunique() > _MOST_PLAIN_NUMBERS:
        raise DataError(
            f"user attribute {column!r} is numeric with {values.nunique()} values from {values.min():g} to "
            f"{values.max():g}, too many to be a group each. Give by_attribute({column!r}, edges=...)."
        )
    names = values.map(lambda value: f"{value:g}") if is_number else values.astype(str)
    return names.where(values.notna(), UNKNOWN).to_numpy(dtype=np.str_)


def _bands(values: pd.Series, bounds: Sequence[float], column: str) -> NDArray[np.str_]:
    numbers = pd.to_numeric(values, errors="coerce")
    unreadable = values[numbers.isna() & values.notna()]
    if len(unreadable):
        raise DataError(
            f"user attribute {column!r} holds {unreadable.iloc[0]!r}, which is no number, so it has no bands. "
            "Leave edges out."
        )
    inner = [f"{low:g}-{high:g}" for low, high in pairwise(bounds)]
    names = np.array([f"<{bounds[0]:g}", *inner, f">={bounds[-1]:g}"])
    bands = names[np.searchsorted(bounds, numbers.fillna(bounds[0]).to_numpy(dtype=np.float64), side="right")]
    return np.where(numbers.isna(), UNKNOWN, bands)


def _popularity_groups(split: Split) -> NDArray[np.str_]:
    """The group of each item, by the share of training events that go to items more popular than it."""
    counts = np.bincount(split.train_items, minlength=split.n_items)
    ascending = np.sort(counts)
    events_up_to = np.concatenate([[0], np.cumsum(ascending)])
    more_popular = 1 - events_up_to[np.searchsorted(ascending, counts, side="right")] / len(split.train_items)
    return np.where(more_popular < _HEAD_SHARE, "head", np.where(more_popular >= 1 - _TAIL_SHARE, "tail", "middle"))
