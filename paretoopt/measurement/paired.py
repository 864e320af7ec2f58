"""Compare two candidates user by user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from paretoopt.measurement.bootstrap import bounded_mean_interval, resampled_means
from paretoopt.measurement.per_user import Measured, per_user_values
from paretoopt.pipeline.pipeline import Pipeline


@dataclass(frozen=True)
class PairedComparison:
    """The quality of a candidate against that of a baseline, over the same users.

    Attributes:
        metric: What was compared.
        value: The candidate's mean over users.
        baseline_value: The baseline's.
        mean_difference: Candidate less baseline; above 0 the candidate is better.
        low: Lower end of the difference's 95 % interval.
        high: Upper end of the difference's 95 % interval.
        relative_difference: The difference as a share of the baseline's mean; None where that is 0.
        probability_better: Share of the resamples of the users in which the candidate is better, ties by half.
        n_users: Users compared.
    """

    metric: str
    value: float
    baseline_value: float
    mean_difference: float
    low: float
    high: float
    relative_difference: float | None
    probability_better: float
    n_users: int


def compare_quality(
    pipeline: Pipeline, candidate: Measured, baseline: Measured, metric: str = "ndcg_at_10"
) -> PairedComparison:
    """Compare a candidate with a baseline, usually the uncompressed one, user by user.

    Both answered the same users, some of whom are hard for any model. The difference of each user leaves that out, so
    its interval (BCa bootstrap over users) is narrower than those of the two means tell. Where no user differs, the
    interval is what the number of users leaves room for, the exact form of the "rule of three".

    Args:
        pipeline: The pipeline that measured both.
        candidate: What is compared: a candidate, or a choice from a front.
        baseline: What it is compared with.
        metric: A metric with one value per user, where more is better; ``test_*`` for what is reported.

    Raises:
        ObjectiveError: The pipeline does not measure ``metric``.
        SpaceError: The pipeline does not know a candidate's parameters.
        MeasurementError: This pipeline has not measured one of the two, or ``metric`` is not one per user.
    """
    values = per_user_values(pipeline, candidate, metric)
    baseline_values = per_user_values(pipeline, baseline, metric)
    # Rounded, so that equal differences are equal numbers: those of 11 values of NDCG@10 are at most 111.
    differences = (values - baseline_values).round(12)
    # Most metrics of quality end at 1; the others differ by no more than what was seen.
    most = max(1.0, float(np.abs([values, baseline_values]).max()))
    low, high = bounded_mean_interval(differences, least=-most, greatest=most)
    means = resampled_means(differences)
    base = float(baseline_values.mean())
    difference = float(differences.mean())
    return PairedComparison(
        metric=metric,
        value=float(values.mean()),
        baseline_value=base,
        mean_difference=difference,
        low=low,
        high=high,
        relative_difference=difference / base if base else None,
        probability_better=float((means > 0).mean() + (means == 0).mean() / 2),
        n_users=len(differences),
    )
