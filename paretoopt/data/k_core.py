"""The k-core: every user and every item that is left has enough events."""

from __future__ import annotations

import numpy as np

from paretoopt.data.interactions import Interactions, select_events
from paretoopt.errors import DataError


def k_core(interactions: Interactions, *, user_core: int = 5, item_core: int = 5) -> Interactions:
    """Drop users and items with too few events, again and again until all have enough.

    What is dropped is counted as ``users_below_core_dropped``, ``items_below_core_dropped`` and
    ``events_below_core_dropped``. The result does not depend on the order of dropping.

    Args:
        interactions: Where to take events from.
        user_core: Least events of a user.
        item_core: Least events of an item.

    Raises:
        DataError: A core is below 1, or nothing is left.
    """
    for name, core in (("user_core", user_core), ("item_core", item_core)):
        if core < 1:
            raise DataError(f"{name} must be at least 1, but is {core}. Use 1 to drop nothing.")
    users, items = interactions.users, interactions.items
    keep = np.ones(interactions.n_events, dtype=bool)
    while True:
        of_users = np.bincount(users[keep], minlength=interactions.n_users)
        of_items = np.bincount(items[keep], minlength=interactions.n_items)
        enough = keep & (of_users[users] >= user_core) & (of_items[items] >= item_core)
        if enough.sum() == keep.sum():
            break
        keep = enough
    if not keep.any():
        raise DataError(f"{interactions.name}: no event is left with {user_core=} and {item_core=}. Lower them.")
    repairs = {
        "users_below_core_dropped": int((of_users == 0).sum()),
        "items_below_core_dropped": int((of_items == 0).sum()),
        "events_below_core_dropped": int((~keep).sum()),
    }
    return select_events(interactions, keep, repairs)
