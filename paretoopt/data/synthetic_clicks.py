"""Synthetic clicks: a planted structure that can be learnt, for trying everything without real data."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.data.click_fields import ClickTable
from paretoopt.data.clicks import Clicks
from paretoopt.data.load_clicks import clicks_from
from paretoopt.errors import DataError

_FIRST = ("user", "item", "place", "device", "weekday", "hour")
# Shares of the rows that are trained on, searched by and reported.
_SHARES = (0.7, 0.15, 0.15)
_TASTES = 2
_POPULARITY_EXPONENT = 0.8
_WEIGHT = 0.7
_TASTE_WEIGHT = 2.0
_NUMBER_WEIGHT = 0.5
_INTERCEPT = -1.0
_LEAST_ROWS = 100
_ROWS_PER_USER = 100
_MISSING_SHARE = 0.05


def synthetic_clicks(rows: int = 20_000, *, fields: int = 8, numbers: int = 2, seed: int = 0) -> Clicks:
    """Impressions of a site that does not exist.

    There is a user for every hundred rows, an item for every two hundred, and so on down to fields of a handful of
    values, popular by a power law. Each value makes
    clicks likelier or less likely on its own; beyond that a click depends on whether the user's tastes are the item's,
    the product of two hidden vectors, which only a model of pairs can learn; and on the numbers, which are counts. A
    twentieth of the numbers is missing.

    Args:
        rows: Number of impressions, at least 100; 70 % for training, 15 % each for validation and test.
        fields: Number of categorical fields, at least 2: ``user``, ``item`` and others.
        numbers: Number of numeric fields.
        seed: The same seed gives the same impressions.

    Raises:
        DataError: A size is no whole number or too small, or the seed is negative.
    """
    sizes = (("rows", rows, _LEAST_ROWS), ("fields", fields, 2), ("numbers", numbers, 0), ("seed", seed, 0))
    for name, size, least in sizes:
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < least:
            raise DataError(f"{name} must be a whole number from {least} on, but is {size!r}.")
    random = np.random.default_rng(seed)
    counts = _n_values(rows, fields)
    values = np.stack([_popular(n_values, rows, random) for n_values in counts], axis=1)
    counted = random.poisson(np.exp(random.normal(1.0, 1.0, size=(rows, numbers))))
    labels = (random.random(rows) < _probabilities(values, counted, counts, random)).astype(np.int64)
    names = [*_FIRST[:fields], *(f"field_{number}" for number in range(len(_FIRST), fields))]
    table = pd.DataFrame({name: values[:, place].astype(str) for place, name in enumerate(names)})
    numeric = tuple(f"number_{number}" for number in range(numbers))
    for place, name in enumerate(numeric):
        table[name] = np.where(random.random(rows) < _MISSING_SHARE, np.nan, counted[:, place])
    train, validation, test = _parts(labels, table, numeric)
    name = f"synthetic clicks {rows}x{fields}+{numbers}, seed {seed}"
    return clicks_from(train, validation, test, least_count=2, name=name)


def _n_values(rows: int, fields: int) -> list[int]:
    """Many users, fewer items, and ever fewer values of the other fields."""
    return [max(rows // (_ROWS_PER_USER * 2**place), 3 + place % 3) for place in range(fields)]


def _popular(n_values: int, rows: int, random: np.random.Generator) -> NDArray[np.int64]:
    weights = (1.0 + random.permutation(n_values)) ** -_POPULARITY_EXPONENT
    return random.choice(n_values, size=rows, p=weights / weights.sum())


def _probabilities(
    values: NDArray[np.int64], counted: NDArray[np.int64], counts: list[int], random: np.random.Generator
) -> NDArray[np.float64]:
    logits = np.full(len(values), _INTERCEPT)
    for place, n_values in enumerate(counts):
        logits += random.normal(0, _WEIGHT / np.sqrt(len(counts)), size=n_values)[values[:, place]]
    users, items = (random.normal(size=(n_values, _TASTES)) for n_values in counts[:2])
    logits += _TASTE_WEIGHT / np.sqrt(_TASTES) * (users[values[:, 0]] * items[values[:, 1]]).sum(1)
    weights = random.choice([-_NUMBER_WEIGHT, _NUMBER_WEIGHT], size=counted.shape[1])
    logits += (np.log1p(counted) - 1.0) @ weights
    probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
    return probabilities


def _parts(labels: NDArray[np.int64], table: pd.DataFrame, numeric: tuple[str, ...]) -> list[ClickTable]:
    ends = np.cumsum([round(share * len(labels)) for share in _SHARES[:2]])
    return [
        ClickTable(labels[rows], table.iloc[rows].reset_index(drop=True), numeric)
        for rows in np.split(np.arange(len(labels)), ends)
    ]
