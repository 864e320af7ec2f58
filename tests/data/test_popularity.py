"""The popularity baseline against a second, plain implementation and a case by hand."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from paretoopt.data.interactions import Interactions
from paretoopt.data.load import load_interactions
from paretoopt.data.popularity import popularity_baseline
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError

MakeInteractions = Callable[[dict[str, list[str]]], Interactions]


def plain_ranks(split: Split, phase: str, *, exclude_seen: bool) -> list[int]:
    """Each user's rank by sorting the catalogue anew, 0 where the target is left out."""
    counts = Counter(split.train_items.tolist())
    ranking = sorted(range(split.n_items), key=lambda item: (-counts[item], item))
    ranks = []
    for user in range(split.n_users):
        seen = set(split.train_items[split.train_offsets[user] : split.train_offsets[user + 1]].tolist())
        seen |= {int(split.validation_items[user])} if phase == "test" else set()
        target = int((split.test_items if phase == "test" else split.validation_items)[user])
        listed = [item for item in ranking if not (exclude_seen and item in seen)]
        ranks.append(listed.index(target) + 1 if target in listed else 0)
    return ranks


@pytest.mark.parametrize("exclude_seen", [True, False])
@pytest.mark.parametrize("phase", ["validation", "test"])
def test_ranks_are_those_of_a_full_ranking(phase: str, exclude_seen: bool) -> None:
    """The vectorised ranks equal those of sorting the catalogue for each user."""
    split = leave_one_out(synthetic_shop(80, 30))

    baseline = popularity_baseline(split, phase=phase, exclude_seen=exclude_seen)

    assert baseline.ranks.tolist() == plain_ranks(split, phase, exclude_seen=exclude_seen)


def test_quality_is_the_mean_over_users(make_interactions: MakeInteractions) -> None:
    """One target at rank 1, one at rank 2 and one repeated: HR@2 is 2/3, NDCG@2 (1 + 1/log2 3) / 3."""
    split = leave_one_out(
        make_interactions({"ann": ["a", "b", "c"], "bob": ["a", "b", "d"], "cat": ["a", "b", "a"]}),
    )

    baseline = popularity_baseline(split, k=2)

    assert baseline.ranks.tolist() == [1, 2, 0]
    assert baseline.hits.tolist() == [1, 1, 0]
    assert baseline.hr == pytest.approx(2 / 3)
    assert baseline.ndcg == pytest.approx((1 + 1 / math.log2(3)) / 3)
    assert np.isfinite(baseline.gains).all()


def test_repeated_targets_are_those_never_ranked() -> None:
    """What the split counts as repeated is what the ranking leaves out."""
    split = leave_one_out(synthetic_shop(200, 30))

    for phase, count in split.n_repeated_targets.items():
        assert (popularity_baseline(split, phase=phase).ranks == 0).sum() == count


def test_an_empty_list_is_refused() -> None:
    """Nothing can be found in a list of length 0."""
    with pytest.raises(DataError, match="k must be at least 1"):
        popularity_baseline(leave_one_out(synthetic_shop(5, 20)), k=0)


@pytest.mark.realdata
@pytest.mark.parametrize(("ties", "hr", "ndcg"), [("source", 0.0859, 0.0449), ("item", 0.0498, 0.0254)])
def test_popularity_on_movielens_depends_on_the_rule_for_ties(
    ties: str, hr: float, ndcg: float, real_data: Path
) -> None:
    """Many ratings share a second, so the rule decides which item is the last; figures by a plain script."""
    interactions = load_interactions(real_data / "ml-100k", ties="source" if ties == "source" else "item")

    baseline = popularity_baseline(leave_one_out(interactions))

    assert (round(baseline.hr, 4), round(baseline.ndcg, 4)) == (hr, ndcg)
