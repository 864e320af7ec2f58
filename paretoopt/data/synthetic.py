"""A synthetic shop: sessions with structure that can be learnt, for trying everything without real data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.interactions import Interactions
from paretoopt.errors import DataError

_LEAST_ITEMS = 10
_ITEMS_PER_CATEGORY = 8
_LEAST_CATEGORIES = 4
_POPULARITY_EXPONENT = 0.9
_SECOND_SUCCESSOR = 0.15
_TASTES_PER_USER = 3
_LEAST_EVENTS = 8
_MOST_EVENTS = 60
_EVENTS_PER_SESSION = 8
_REDRAWS = 5
_DAY = 86_400
_OPENING = 1_700_000_000  # the first event's Unix second, November 2023

_DEVICES = np.array(["desktop", "mobile"])
_DEVICE_SHARES = (0.7, 0.3)
# By device: the chance that the next item follows from the last, and the mean of events above the least.
_FOLLOWS = np.array([0.9, 0.65])
_MEAN_EVENTS = np.array([16, 10])
_AGE_BANDS = np.array(["18-34", "35-54", "55+"])
_AGE_SHARES = (0.5, 0.35, 0.15)


@dataclass(frozen=True, eq=False)
class _Catalogue:
    """Items in the order of their categories; ``cumulative`` weights run over it, from 0."""

    order: NDArray[np.int64]
    bounds: NDArray[np.int64]
    cumulative: NDArray[np.float64]
    successors: NDArray[np.int64]


def synthetic_shop(users: int = 1_000, items: int = 400, *, seed: int = 0) -> Interactions:
    """Sessions in a shop that does not exist.

    Items belong to hidden categories and are popular by a power law. Within a session the next
    item mostly comes from a category that follows the last item's; a new session starts in one of
    the user's tastes. So the last items tell more than popularity does. Users have the attributes
    ``device`` and ``age_band``; those on a ``mobile`` device are fewer, shop less and are harder to
    predict, so that quality differs between groups.

    Args:
        users: Number of users.
        items: Number of items in the catalogue, at least 10; a few may never be bought.
        seed: The same seed gives the same shop.

    Raises:
        DataError: A size is no whole number or too small, or the seed is negative.
    """
    for name, size, least in (("users", users, 1), ("items", items, _LEAST_ITEMS), ("seed", seed, 0)):
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < least:
            raise DataError(f"{name} must be a whole number from {least} on, but is {size!r}.")
    random = np.random.default_rng(seed)
    catalogue = _open_catalogue(items, random)
    device = random.choice(len(_DEVICES), size=users, p=_DEVICE_SHARES)
    age = random.choice(len(_AGE_BANDS), size=users, p=_AGE_SHARES)
    lengths = np.minimum(_LEAST_EVENTS - 1 + random.geometric(1 / _MEAN_EVENTS[device]), _MOST_EVENTS)
    shape = (users, int(lengths.max()))
    opens_session = random.random(shape) < 1 / _EVENTS_PER_SESSION
    opens_session[:, 0] = True
    bought = _walk(catalogue, ~opens_session & (random.random(shape) < _FOLLOWS[device][:, None]), random)
    happened = np.arange(shape[1]) < lengths[:, None]
    return Interactions(
        users=np.repeat(np.arange(users), lengths),
        items=bought[happened],
        timestamps=_times(opens_session, random)[happened],
        user_ids=np.arange(users),
        item_ids=np.arange(items),
        name=f"synthetic shop {users}x{items}, seed {seed}",
        user_attributes=pd.DataFrame(
            {"device": _DEVICES[device], "age_band": _AGE_BANDS[age]}, index=pd.RangeIndex(users, name="user")
        ),
    )


def _open_catalogue(n_items: int, random: np.random.Generator) -> _Catalogue:
    n_categories = max(_LEAST_CATEGORIES, round(n_items / _ITEMS_PER_CATEGORY))
    category = random.permutation(n_items) % n_categories
    order = np.argsort(category, kind="stable")
    weights = (1.0 + random.permutation(n_items)) ** -_POPULARITY_EXPONENT
    ring = random.permutation(n_categories)
    successors = np.empty((n_categories, 2), dtype=np.int64)
    successors[ring, 0] = np.roll(ring, -1)
    successors[ring, 1] = np.roll(ring, -2)
    return _Catalogue(
        order=order,
        bounds=np.concatenate([[0], np.cumsum(np.bincount(category))]),
        cumulative=np.concatenate([[0.0], np.cumsum(weights[order])]),
        successors=successors,
    )


def _walk(catalogue: _Catalogue, follows: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    """The item that each user takes at each step; shape that of ``follows``."""
    n_users, n_steps = follows.shape
    tastes = random.integers(len(catalogue.successors), size=(n_users, _TASTES_PER_USER))
    category = tastes[:, 0]
    bought = np.full(follows.shape, -1, dtype=np.int64)
    for step in range(n_steps):
        second = random.binomial(1, _SECOND_SUCCESSOR, size=n_users)
        taste = tastes[np.arange(n_users), random.integers(_TASTES_PER_USER, size=n_users)]
        category = np.where(follows[:, step], catalogue.successors[category, second], taste)
        bought[:, step] = _draw(catalogue, category, random)
        # Shops see repeats, but few: an item that the user has is mostly drawn again.
        for _ in range(_REDRAWS):
            repeated = np.flatnonzero((bought[:, :step] == bought[:, step, None]).any(1))
            bought[repeated, step] = _draw(catalogue, category[repeated], random)
    return bought


def _draw(catalogue: _Catalogue, category: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """An item of each category, popular ones more often."""
    first, end = catalogue.bounds[category], catalogue.bounds[category + 1]
    low, high = catalogue.cumulative[first], catalogue.cumulative[end]
    place = np.searchsorted(catalogue.cumulative, low + random.random(len(category)) * (high - low), side="right") - 1
    return catalogue.order[np.clip(place, first, end - 1)]


def _times(opens_session: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.int64]:
    """Unix seconds: minutes between events, days between sessions."""
    waits = random.exponential(1.0, size=opens_session.shape)
    seconds = np.where(opens_session, _DAY * (0.5 + 5 * waits), 20 + 90 * waits)
    times: NDArray[np.int64] = _OPENING + np.cumsum(seconds.astype(np.int64), axis=1)
    return times
