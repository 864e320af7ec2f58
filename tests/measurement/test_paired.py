"""Two candidates are compared user by user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from paretoopt.candidate import Candidate
from paretoopt.errors import MeasurementError, ObjectiveError, SpaceError
from paretoopt.measurement.bootstrap import mean_interval
from paretoopt.measurement.paired import PairedComparison, compare_quality
from paretoopt.pipeline.pipeline import Pipeline

MakePlanted = Callable[..., Pipeline]
BASELINE, SMALL = Candidate(0, {"bits": 32}, {}), Candidate(1, {"bits": 8}, {})


@dataclass(frozen=True)
class Users:
    """Data of which nothing but the number of users matters here."""

    fingerprint: str = "users"


def comparison(make_planted: MakePlanted, values: np.ndarray, baseline: np.ndarray) -> PairedComparison:
    """The comparison of two candidates with these values per user."""
    pipeline = make_planted(Users(), {8: {"ndcg_at_10": values}, 32: {"ndcg_at_10": baseline}})
    for candidate in (SMALL, BASELINE):
        pipeline.evaluate(candidate.params)
    return compare_quality(pipeline, SMALL, BASELINE)


def test_difference_is_that_of_the_means(make_planted: MakePlanted) -> None:
    """A candidate that loses a tenth of each user's quality is worse by a tenth, for sure."""
    baseline = np.random.default_rng(0).random(400)

    found = comparison(make_planted, 0.9 * baseline, baseline)

    assert (found.value, found.baseline_value) == pytest.approx((0.9 * baseline.mean(), baseline.mean()))
    assert found.mean_difference == pytest.approx(-0.1 * baseline.mean())
    assert found.relative_difference == pytest.approx(-0.1)
    assert found.low < found.mean_difference < found.high < 0
    assert (found.probability_better, found.n_users, found.metric) == (0.0, 400, "ndcg_at_10")


def test_paired_interval_is_narrower_than_unpaired_on_correlated_users(make_planted: MakePlanted) -> None:
    """Where users differ more than candidates, the difference is known far better than either mean."""
    random = np.random.default_rng(1)
    baseline = random.random(400)
    values = baseline + random.normal(0.005, 0.02, 400)

    found = comparison(make_planted, values, baseline)

    unpaired = np.hypot(*(np.ptp(mean_interval(each)) for each in (values, baseline)))
    assert found.high - found.low < unpaired / 5
    assert found.low > 0


@pytest.mark.parametrize("n_users", [5, 500])
def test_equal_candidates_may_differ_for_users_who_were_not_asked(make_planted: MakePlanted, n_users: int) -> None:
    """If a user differs with the probability at an end, none does in one of 40 samples: the exact bound."""
    same = np.random.default_rng(2).random(n_users)

    found = comparison(make_planted, same, same)

    assert (found.mean_difference, found.probability_better) == (0, 0.5)
    assert found.low == -found.high
    assert (1 - found.high) ** n_users == pytest.approx(0.025)


def test_equal_candidates_differ_by_no_more_than_their_metric_reaches(make_planted: MakePlanted) -> None:
    """Where the metric goes beyond 1, as a loss does, the room is that of the greatest value seen."""
    same = np.array([1.0, 4.0, 3.0])

    assert comparison(make_planted, same, same).high == pytest.approx(4 * (1 - 0.025 ** (1 / 3)))


def test_interval_of_the_difference_holds_the_truth_as_often_as_it_says() -> None:
    """Of 200 samples of users, about 95 % of the paired intervals hold the difference they were drawn with."""
    random = np.random.default_rng(3)
    baseline = (random.random((200, 150)) < 0.3).astype(float)
    values = np.where(random.random((200, 150)) < 0.1, 0, baseline)

    differences = [mean_interval(one - other) for one, other in zip(values, baseline, strict=True)]

    assert 0.90 <= np.mean([low <= -0.03 <= high for low, high in differences]) <= 0.99


def test_baseline_without_any_hit_has_no_relative_difference(make_planted: MakePlanted) -> None:
    """Nothing is a share of 0."""
    found = comparison(make_planted, np.ones(50), np.zeros(50))

    assert found.relative_difference is None


def test_candidate_that_was_not_measured_is_refused(make_planted: MakePlanted) -> None:
    """Nothing is measured by a comparison; the error says how to."""
    pipeline = make_planted(Users(), {8: {"ndcg_at_10": np.ones(3)}, 32: {"ndcg_at_10": np.ones(3)}})
    pipeline.evaluate(BASELINE.params)

    with pytest.raises(MeasurementError, match=r"'bits': 8.* was not measured by this pipeline.*evaluate\(params\)"):
        compare_quality(pipeline, SMALL, BASELINE)


def test_candidate_of_another_pipeline_is_refused(make_planted: MakePlanted) -> None:
    """Another pipeline's values are not taken, though they are in the same store under the same parameters."""
    quality = {8: {"ndcg_at_10": np.ones(3)}, 32: {"ndcg_at_10": np.ones(3)}}
    other, pipeline = make_planted(Users(), quality, name="other"), make_planted(Users(), quality)
    for candidate in (SMALL, BASELINE):
        other.evaluate(candidate.params)

    with pytest.raises(MeasurementError, match="was not measured by this pipeline"):
        compare_quality(pipeline, SMALL, BASELINE)
    with pytest.raises(SpaceError, match="read by no part of this pipeline"):
        compare_quality(pipeline, Candidate(0, {"embedding_dim": 16}, {}), BASELINE)


def test_metric_must_be_one_per_user(make_planted: MakePlanted) -> None:
    """A size has no value for each user, and an unknown metric none at all."""
    pipeline = make_planted(Users(), {32: {"ndcg_at_10": np.ones(3)}})
    pipeline.evaluate(BASELINE.params)

    with pytest.raises(MeasurementError, match=r"size_mib has no value for each user; metrics that have: ndcg_at_10"):
        compare_quality(pipeline, BASELINE, BASELINE, "size_mib")
    with pytest.raises(ObjectiveError, match="Did you mean 'ndcg_at_10'"):
        compare_quality(pipeline, BASELINE, BASELINE, "ndcg_at_5")
