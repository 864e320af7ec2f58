"""Quality per group of users: of each group, of the worst, and the gap between the worst and the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paretoopt.candidate import Measurement, UserStatistic
from paretoopt.data.groups import UNKNOWN, Grouping
from paretoopt.data.split import Split
from paretoopt.errors import DataError
from paretoopt.measurement.bootstrap import CONFIDENCE, bounded_mean_interval
from paretoopt.measurement.per_user import Measured, per_user_values
from paretoopt.pipeline.pipeline import Pipeline

_PHASES: Mapping[str, str] = {"validation": "", "test": "test_"}


@dataclass(frozen=True)
class _Group:
    kind: str
    name: str
    users: NDArray[np.int64]
    is_compared: bool


def quality_by_group(
    pipeline: Pipeline, measured: Measured, groups: Sequence[Grouping], *, metric: str = "ndcg_at_10"
) -> pd.DataFrame:
    """The quality of a measured candidate in each group of users, on validation and on test.

    The values of every user are in the store, so groups may be asked for that were not measured by; nothing is
    measured anew. Compare candidates on validation, and report test.

    Args:
        pipeline: The pipeline that measured it.
        measured: A candidate, or a choice from a front.
        groups: How to group the users.
        metric: A metric with one value per user, named without ``test_``.

    Returns:
        Columns ``phase``, ``kind``, ``group``, ``n_users``, ``is_compared``, ``metric`` itself, ``low`` and ``high``:
        the mean over the group's users and its 95 % BCa bootstrap interval. A group that has fewer users than its
        grouping asks for, or none that are known, has its size and no value.

    Raises:
        DataError: A grouping does not fit the data.
        ObjectiveError: The pipeline does not measure ``metric``.
        MeasurementError: This pipeline has not measured the candidate, or ``metric`` is not one per user.
    """
    rows = []
    for phase, prefix in _PHASES.items():
        values = per_user_values(pipeline, measured, prefix + metric)
        for group in _groups(groups, pipeline.data, phase):
            mean = low = high = float("nan")
            if group.is_compared:
                mean = float(values[group.users].mean())
                low, high = bounded_mean_interval(values[group.users])
            rows.append((phase, group.kind, group.name, len(group.users), group.is_compared, mean, low, high))
    return pd.DataFrame(rows, columns=["phase", "kind", "group", "n_users", "is_compared", metric, "low", "high"])


def worst_group_and_gap(
    values: NDArray[np.float64], groups: Sequence[Grouping], split: Split
) -> tuple[Measurement, Measurement]:
    """The least mean of any compared group, and the largest gap between two groups of one kind.

    The gap of a kind is the greatest mean of its groups less the least. The intervals are projected from one BCa
    bootstrap interval per group, each of its own users, which hold together with 95 % confidence (Bonferroni): the
    least mean of many is low by luck as well, and resampling that least mean itself would not show it.

    Args:
        values: Of each user at validation, between 0 and 1.
        groups: How users are grouped; at least one.
        split: The data.
    """
    compared = [group for group in _groups(groups, split, "validation") if group.is_compared]
    confidence = 1 - (1 - CONFIDENCE) / len(compared)
    means: dict[str, list[Measurement]] = {}
    for group in compared:
        members = values[group.users]
        measurement = Measurement(float(members.mean()), *bounded_mean_interval(members, confidence=confidence))
        means.setdefault(group.kind, []).append(measurement)
    worst = _least([mean for kind in means.values() for mean in kind])
    gaps = [_gap(kind) for kind in means.values()]
    return worst, _greatest(gaps)


def group_statistics(
    values: NDArray[np.float64], groups: Sequence[Grouping], split: Split
) -> tuple[UserStatistic, UserStatistic]:
    """The two values of :func:`worst_group_and_gap`, as functions of a sample of the users.

    Samples show how two candidates' values differ on the same users. The least mean of a sample's groups is below that
    of all users on average, and the gap above, so samples are no interval of either.

    Args:
        values: Of each user at validation.
        groups: How users are grouped; at least one.
        split: The data.
    """
    compared = [group for group in _groups(groups, split, "validation") if group.is_compared]
    kinds = [[row for row, group in enumerate(compared) if group.kind == kind.kind] for kind in groups]
    members = np.zeros((len(compared), split.n_users))
    for row, group in enumerate(compared):
        members[row, group.users] = 1.0
    sums = members * values

    def means(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        sizes = members @ counts
        # A group that the sample has missed is not compared.
        found: NDArray[np.float64] = np.divide(sums @ counts, sizes, out=np.full(len(sizes), np.nan), where=sizes > 0)
        return found

    def gap(counts: NDArray[np.int64]) -> float:
        found = means(counts)
        return max(float(np.nanmax(found[rows]) - np.nanmin(found[rows])) for rows in kinds)

    return lambda counts: float(np.nanmin(means(counts))), gap


def refuse_groups(groups: Sequence[Grouping], split: Split) -> None:
    """Refuse groupings that cannot be compared on these data.

    Raises:
        DataError: A kind is given twice, has fewer than two groups to compare at validation, or does not fit the data.
    """
    kinds = [grouping.kind for grouping in groups]
    for grouping in groups:
        if kinds.count(grouping.kind) > 1:
            raise DataError(f"users are grouped by {grouping.kind!r} twice. Leave one out.")
        found = _groups([grouping], split, "validation")
        if sum(group.is_compared for group in found) < 2:
            sizes = ", ".join(f"{group.name} {len(group.users)}" for group in found)
            raise DataError(
                f"{grouping.kind!r} has fewer than two groups of {grouping.least_users} users to compare: {sizes}. "
                "Lower least_users, use fewer groups, or leave this grouping out."
            )


def _groups(groupings: Sequence[Grouping], split: Split, phase: str) -> list[_Group]:
    found = []
    for grouping in groupings:
        labels = np.asarray(grouping.labels(split, phase))
        if labels.shape != (split.n_users,):
            raise DataError(
                f"the labels of {grouping.kind!r} have shape {labels.shape}, but there are {split.n_users} users. "
                "Give one label per user."
            )
        for name in np.unique(labels):
            users = np.flatnonzero(labels == name)
            is_compared = len(users) >= grouping.least_users and name != UNKNOWN
            found.append(_Group(grouping.kind, str(name), users, is_compared))
    return found


def _least(means: Sequence[Measurement]) -> Measurement:
    return Measurement(
        min(mean.value for mean in means), min(_low(mean) for mean in means), min(_high(mean) for mean in means)
    )


def _greatest(means: Sequence[Measurement]) -> Measurement:
    return Measurement(
        max(mean.value for mean in means), max(_low(mean) for mean in means), max(_high(mean) for mean in means)
    )


def _gap(means: Sequence[Measurement]) -> Measurement:
    best, worst = _greatest(means), _least(means)
    return Measurement(best.value - worst.value, max(0.0, _low(best) - _high(worst)), _high(best) - _low(worst))


def _low(mean: Measurement) -> float:
    return mean.value if mean.low is None else mean.low


def _high(mean: Measurement) -> float:
    return mean.value if mean.high is None else mean.high
