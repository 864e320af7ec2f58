"""Items that a user does not have, drawn at random, without a loop over users."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paretoopt.errors import DataError


def pair_keys(users: NDArray[np.int64], items: NDArray[np.int64], n_items: int) -> NDArray[np.int64]:
    """Each pair of a user and an item as one number, sorted, every pair once."""
    return np.unique(users * n_items + items)


def draw_negatives(
    users: NDArray[np.int64], known: NDArray[np.int64], n_items: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """For each entry of ``users`` an item that the user does not have, all such items being equally likely.

    Drawn from the whole catalogue, and drawn again where the user has the item.

    Args:
        users: Dense user ids, in any shape.
        known: What users have, as :func:`pair_keys`; :func:`refuse_users_without_negatives` has passed it.
        n_items: Size of the catalogue.
        random: Where draws come from.

    Returns:
        Dense item ids in the shape of ``users``.
    """
    items = random.integers(n_items, size=users.shape)
    pending = np.nonzero(_is_known(users, items, known, n_items))
    while len(pending[0]):
        items[pending] = random.integers(n_items, size=len(pending[0]))
        again = _is_known(users[pending], items[pending], known, n_items)
        pending = tuple(axis[again] for axis in pending)
    return items


def draw_distinct_negatives(
    n_users: int, known: NDArray[np.int64], n_items: int, size: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """For each user ``size`` different items that the user does not have; shape ``(n_users, size)``.

    Raises:
        DataError: A user has too many items for that.
    """
    refuse_users_without_negatives(n_users, known, n_items, least=size)
    drawn = random.integers(n_items, size=(n_users, size))
    pending = np.arange(n_users)
    while len(pending):
        items = drawn[pending]
        is_refused = _is_known(pending[:, None], items, known, n_items) | is_repeated(items)
        drawn[pending] = np.where(is_refused, random.integers(n_items, size=items.shape), items)
        pending = pending[is_refused.any(1)]
    return drawn


def refuse_users_without_negatives(n_users: int, known: NDArray[np.int64], n_items: int, *, least: int = 1) -> None:
    """Refuse data in which a user lacks fewer than ``least`` items of the catalogue.

    Raises:
        DataError: As said.
    """
    most = int(np.bincount(known // n_items, minlength=n_users).max())
    if n_items - most < least:
        raise DataError(
            f"the catalogue has {n_items} items and a user has {most} of them, so that fewer than {least} are left to "
            "draw as negatives. Draw fewer, or bring more items."
        )


def _is_known(
    users: NDArray[np.int64], items: NDArray[np.int64], known: NDArray[np.int64], n_items: int
) -> NDArray[np.bool_]:
    keys = users * n_items + items
    places = np.searchsorted(known, keys)
    found: NDArray[np.bool_] = known[np.minimum(places, len(known) - 1)] == keys
    return found


def is_repeated(items: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a row holds an item that stands further left in it already."""
    order = np.argsort(items, axis=1, kind="stable")
    ranked = np.take_along_axis(items, order, axis=1)
    repeated = np.zeros(items.shape, dtype=bool)
    np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return repeated
