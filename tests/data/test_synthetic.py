"""The synthetic shop has what a study needs: order that can be learnt, skew, and unequal groups."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from paretoopt.data.popularity import popularity_baseline
from paretoopt.data.requests import model_seen
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError


def markov_hits(split: Split) -> NDArray[np.bool_]:
    """Whether counts of what followed the last item put each test item in the top ten, seen items excluded."""
    users = np.repeat(np.arange(split.n_users), np.diff(split.train_offsets))
    follows = users[1:] == users[:-1]
    followed = np.zeros((split.n_items, split.n_items))
    np.add.at(followed, (split.train_items[:-1][follows], split.train_items[1:][follows]), 1)
    popularity = np.bincount(split.train_items, minlength=split.n_items)
    scores = np.zeros((split.n_users, split.n_items + 1))
    scores[:, 1:] = followed[split.validation_items] + popularity / popularity.sum()
    np.put_along_axis(scores, model_seen(split, "test"), -1, axis=1)
    scores[:, 0] = -1
    top = np.argsort(-scores, axis=1)[:, :10]
    hits: NDArray[np.bool_] = (top == split.test_items[:, None] + 1).any(1)
    return hits


@pytest.fixture(scope="module")
def shop() -> Split:
    """A shop of the size that a quick study uses."""
    return leave_one_out(synthetic_shop(users=1_000, items=300, seed=0))


def test_the_last_item_tells_more_than_popularity(shop: Split) -> None:
    """Transition counts alone find at least three times as many test items as popularity."""
    assert markov_hits(shop).mean() > 3 * popularity_baseline(shop, k=10).hr


def test_quality_differs_between_groups(shop: Split) -> None:
    """Users on mobile devices are fewer and clearly harder to predict."""
    assert shop.user_attributes is not None
    is_mobile = (shop.user_attributes["device"] == "mobile").to_numpy()
    hits = markov_hits(shop)

    assert 0.2 < is_mobile.mean() < 0.4
    assert hits[is_mobile].mean() < hits[~is_mobile].mean() - 0.05


def test_popularity_is_skewed(shop: Split) -> None:
    """A tenth of the items has more than a quarter of the events."""
    counts = np.sort(np.bincount(shop.train_items, minlength=shop.n_items))[::-1]

    assert counts[:30].sum() > counts.sum() / 4


def test_repeats_are_few(shop: Split) -> None:
    """Most test items are new to their user, so that leaving out seen items costs little."""
    assert shop.n_repeated_targets["test"] < 0.1 * shop.n_users


def test_a_seed_makes_one_shop() -> None:
    """The same seed gives the same data, another seed others."""
    fingerprints = [synthetic_shop(50, 40, seed=seed).fingerprint for seed in (0, 0, 1)]

    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


@pytest.mark.parametrize(("users", "items"), [(1, 10), (300, 10), (1, 500)])
def test_any_size_can_be_split(users: int, items: int) -> None:
    """Every user has enough events, and the catalogue is as large as asked for."""
    split = leave_one_out(synthetic_shop(users, items))

    assert (split.n_users, split.n_items) == (users, items)


@pytest.mark.parametrize(
    ("users", "items", "seed", "message"),
    [
        (0, 100, 0, "users must be a whole number from 1 on, but is 0"),
        (10, 9, 0, "items must be a whole number from 10 on, but is 9"),
        (-5, 100, 0, "users must be"),
        (1.5, 100, 0, r"users must be .* but is 1\.5"),
        (True, 100, 0, "users must be"),
        (10, 100, -1, "seed must be a whole number from 0 on"),
    ],
)
def test_sizes_that_make_no_shop_are_refused(users: object, items: object, seed: object, message: str) -> None:
    """Nonsense is told with the name, the value and the rule."""
    with pytest.raises(DataError, match=message):
        synthetic_shop(cast(int, users), cast(int, items), seed=cast(int, seed))
