"""Quality per group of users: of each, of the worst, and the gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from paretoopt.candidate import Candidate
from paretoopt.data.groups import Grouping, by_attribute
from paretoopt.data.split import Split, leave_one_out
from paretoopt.data.synthetic import synthetic_shop
from paretoopt.errors import DataError
from paretoopt.measurement.group_quality import (
    group_statistics,
    quality_by_group,
    refuse_groups,
    worst_group_and_gap,
)
from paretoopt.pipeline.pipeline import Pipeline

MakePlanted = Callable[..., Pipeline]
N_USERS = 600


@pytest.fixture(scope="module")
def shop() -> Split:
    """Six hundred users."""
    return leave_one_out(synthetic_shop(users=N_USERS, items=50, seed=0))


def planted(*sizes: int, kind: str = "planted", least_users: int = 50) -> Grouping:
    """Groups a, b, c, ... of these sizes, one after the other."""
    names = np.repeat(np.array([*"abcdef"])[: len(sizes)], sizes)
    return Grouping(kind, f"sizes {sizes}", lambda split, phase: names, least_users)


def hits(n_users: int, share: float, seed: int) -> np.ndarray:
    """A hit or a miss of each user."""
    return (np.random.default_rng(seed).random(n_users) < share).astype(np.float64)


def test_worst_group_and_gap_are_those_that_were_planted(shop: Split) -> None:
    """Groups with means 0.5, 0.1 and 0.3 have a worst of 0.1 and a gap of 0.4, to either side of which ends lie."""
    values = np.concatenate([np.arange(200) < 200 * mean for mean in (0.5, 0.1, 0.3)]).astype(np.float64)

    worst, gap = worst_group_and_gap(values, [planted(200, 200, 200)], shop)

    assert (worst.value, gap.value) == pytest.approx((0.1, 0.4))
    assert worst.low is not None
    assert worst.high is not None
    assert 0 < worst.low < 0.1 < worst.high < 0.3
    assert gap.low is not None
    assert gap.high is not None
    assert 0.1 < gap.low < 0.4 < gap.high


def test_gap_is_within_a_kind_and_the_worst_across_all(shop: Split) -> None:
    """The best of one kind is not set against the worst of another."""
    values = np.concatenate([np.full(300, 0.2), np.full(300, 0.4)])
    halves = planted(300, 300, kind="halves")
    mixed = Grouping("mixed", "odd and even", lambda split, phase: np.array(["odd", "even"] * 300))

    worst, gap = worst_group_and_gap(values, [halves, mixed], shop)

    assert (worst.value, gap.value) == pytest.approx((0.2, 0.2))


def test_samples_of_users_have_the_values_that_measuring_them_would_give(shop: Split) -> None:
    """All users once give the values themselves; a group that a sample has missed is not compared in it."""
    values = np.concatenate([np.arange(200) < 200 * mean for mean in (0.5, 0.1, 0.3)]).astype(np.float64)
    groups = [planted(200, 200, 200)]
    worst, gap = group_statistics(values, groups, shop)
    every, without_second = np.ones(N_USERS, dtype=np.int64), np.repeat([1, 0, 2], 200)

    measured = worst_group_and_gap(values, groups, shop)

    assert (worst(every), gap(every)) == pytest.approx([one.value for one in measured])
    assert (worst(without_second), gap(without_second)) == pytest.approx((0.3, 0.2))


def test_small_groups_do_not_count(shop: Split) -> None:
    """Thirty users without a hit are fewer than the least number, so they are not the worst group."""
    values = np.concatenate([np.zeros(30), np.full(285, 0.2), np.full(285, 0.3)])

    assert worst_group_and_gap(values, [planted(30, 285, 285)], shop)[0].value == pytest.approx(0.2)
    assert worst_group_and_gap(values, [planted(30, 285, 285, least_users=30)], shop)[0].value == 0


def test_intervals_hold_the_truth_even_where_groups_are_equal(shop: Split) -> None:
    """Six equal groups have no gap, though the sample always shows one: at least 95 % of intervals hold both truths."""
    groups = [planted(*[100] * 6)]
    found = [worst_group_and_gap(hits(N_USERS, 0.2, seed), groups, shop) for seed in range(60)]

    # Ends are given by the package; None would fail the comparison.
    held = [worst.low <= 0.2 <= worst.high and gap.low == 0 for worst, gap in found]  # type: ignore[operator]

    assert np.mean(held) >= 0.95
    assert all(gap.value > 0 for _, gap in found)


def test_every_group_has_a_row_for_validation_and_test(shop: Split, make_planted: MakePlanted) -> None:
    """Means and intervals are those of the group's users; groups too small and unknown users are listed without."""
    values = {"ndcg_at_10": hits(N_USERS, 0.3, 0), "test_ndcg_at_10": hits(N_USERS, 0.1, 1)}
    names = np.repeat(["a", "b", "few", "unknown"], [250, 250, 40, 60])
    grouping = Grouping("kind", "by place", lambda split, phase: names)
    pipeline = make_planted(shop, {32: values})
    pipeline.evaluate({})

    table = quality_by_group(pipeline, Candidate(0, {"bits": 32}, {}), [grouping])

    assert table["phase"].tolist() == ["validation"] * 4 + ["test"] * 4
    assert table["n_users"].tolist() == [250, 250, 40, 60] * 2
    assert table["is_compared"].tolist() == [True, True, False, False] * 2
    assert table.loc[4, "ndcg_at_10"] == pytest.approx(values["test_ndcg_at_10"][:250].mean())
    compared = table[table["is_compared"]]
    assert (compared["low"] < compared["ndcg_at_10"]).all()
    assert (compared["ndcg_at_10"] < compared["high"]).all()
    assert table.loc[~table["is_compared"], ["ndcg_at_10", "low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([planted(580, 20)], "fewer than two groups of 50 users to compare: a 580, b 20"),
        ([planted(300, 300), planted(200, 400)], "'planted' twice"),
        ([planted(300, 200)], r"have shape \(500,\), but there are 600 users"),
        ([by_attribute("gender")], "no user attribute 'gender'. It has: 'device', 'age_band'"),
    ],
)
def test_groups_that_cannot_be_compared_are_refused(shop: Split, groups: list[Grouping], message: str) -> None:
    """Before anything is trained, with the sizes and what to do."""
    with pytest.raises(DataError, match=message):
        refuse_groups(groups, shop)
