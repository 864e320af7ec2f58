"""Synthetic clicks: sizes, and a structure that is there to be learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from paretoopt.data.synthetic_clicks import synthetic_clicks
from paretoopt.errors import DataError


def test_sizes_are_those_asked_for() -> None:
    """Rows in three parts, and as many fields of each kind."""
    clicks = synthetic_clicks(1_000, fields=7, numbers=3)

    assert [len(part) for part in (clicks.train, clicks.validation, clicks.test)] == [700, 150, 150]
    assert (len(clicks.sizes), len(clicks.numeric_fields)) == (7, 3)
    assert clicks.categorical_fields[:2] == ("user", "item")


def test_the_seed_decides_everything() -> None:
    """One seed, one content."""
    assert synthetic_clicks(500).fingerprint == synthetic_clicks(500).fingerprint
    assert synthetic_clicks(500).fingerprint != synthetic_clicks(500, seed=1).fingerprint


def test_pairs_of_user_and_item_matter_beyond_each_alone() -> None:
    """Clicks spread more over the pairs than chance and the sums of both explain."""
    clicks = synthetic_clicks(40_000, fields=2, numbers=0).train
    users, items = clicks.categories.T
    frequent = (users == np.bincount(users).argmax()) | (users == np.bincount(users).argsort()[-2])
    rates = [
        [clicks.labels[frequent & (users == user) & (items == item)] for item in np.bincount(items).argsort()[-12:]]
        for user in np.unique(users[frequent])
    ]
    first, second = (np.array([part.mean() for part in row]) for row in rates)
    noise = np.array([sum(part.var() / len(part) for part in pair) for pair in zip(*rates, strict=True)])
    differences = first - second

    assert np.square(differences - differences.mean()).mean() > 2 * noise.mean()


@pytest.mark.parametrize("size", [{"rows": 10}, {"fields": 1}, {"numbers": -1}, {"seed": 0.5}], ids=str)
def test_sizes_out_of_range_are_refused(size: dict[str, Any]) -> None:
    """The error names the size."""
    (name,) = size

    with pytest.raises(DataError, match=f"{name} must be a whole number"):
        synthetic_clicks(**size)
