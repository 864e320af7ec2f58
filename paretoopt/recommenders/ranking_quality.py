"""Ranking quality of an artifact: HR@k and NDCG@k by full ranking, per user, validation and test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement, UserStatistic
from paretoopt.data.groups import Grouping
from paretoopt.data.requests import model_histories, model_seen
from paretoopt.data.split import Split
from paretoopt.errors import CandidateError
from paretoopt.measurement.bootstrap import bounded_mean_interval
from paretoopt.measurement.group_quality import group_statistics, worst_group_and_gap
from paretoopt.measurement.inference import run_requests
from paretoopt.measurement.per_user import read_per_user, write_per_user
from paretoopt.pipeline.stage import Context, Measure, Requests
from paretoopt.space import Params
from paretoopt.training.ranking import discounted_gains, hits


def ranking_quality(*, k: int, length: int, groups: Sequence[Grouping] = ()) -> Measure:
    """The measure of ``ndcg_at_k`` and ``hr_at_k`` on validation, and of the same on test as ``test_*``.

    Every user's held-out item is ranked among all items that the user does not have yet, by the
    artifact itself, in a process of its own. Search on validation; test is for what is reported, and is
    refused as an objective or constraint. Intervals are BCa bootstraps over users.

    Args:
        k: Length of the recommended list.
        length: Items of history that a request holds.
        groups: How users are grouped; where there are any, ``worst_group_ndcg_at_k`` and ``group_gap`` are measured
            as well, on validation.
    """
    searched, tested = (tuple(f"{phase}{name}_at_{k}" for name in ("ndcg", "hr")) for phase in ("", "test_"))
    of_groups = (f"worst_group_ndcg_at_{k}", "group_gap") if groups else ()

    def run(artifact: Artifact, params: Params, context: Context) -> dict[str, Measurement]:
        split: Split = context.data
        lists = _recommended(artifact, split, length, context)
        halves = {
            "": (lists[: split.n_users], split.validation_items + 1),
            "test_": (lists[split.n_users :], split.test_items + 1),
        }
        per_user = {
            f"{phase}{name}_at_{k}": of(recommended, targets)
            for phase, (recommended, targets) in halves.items()
            for name, of in (("ndcg", discounted_gains), ("hr", hits))
        }
        write_per_user(context.folder, per_user)
        measured = {name: Measurement(float(v.mean()), *bounded_mean_interval(v)) for name, v in per_user.items()}
        if groups:
            measured |= zip(of_groups, worst_group_and_gap(per_user[f"ndcg_at_{k}"], groups, split), strict=True)
        return measured

    def user_statistics(folder: Path, split: Split) -> dict[str, UserStatistic]:
        if not groups:
            return {}
        values = read_per_user(folder)[f"ndcg_at_{k}"]
        return dict(zip(of_groups, group_statistics(values, groups, split), strict=True))

    return Measure(
        name="quality",
        metrics=(*searched, *tested, *of_groups),
        run=run,
        settings={"k": k, "length": length, **_settings(groups)},
        version="2",
        reported_only=frozenset(tested),
        per_user=read_per_user,
        user_statistics=user_statistics,
    )


def _settings(groups: Sequence[Grouping]) -> dict[str, str]:
    """The groups as a setting; none where there are none."""
    rules = [[grouping.kind, grouping.rule, grouping.least_users] for grouping in groups]
    return {"groups": json.dumps(rules)} if rules else {}


def requests_of(split: Split, phase: str, length: int) -> dict[str, NDArray[np.int64]]:
    """The requests of all users at ``phase``, stacked."""
    return {"history": model_histories(split, phase, length), "seen": model_seen(split, phase)}


def _recommended(artifact: Artifact, split: Split, length: int, context: Context) -> NDArray[np.int64]:
    """Item lists of shape ``(2 * n_users, k)``: all users at validation, then all at test."""
    phases: list[Requests] = [requests_of(split, phase, length) for phase in ("validation", "test")]
    width = max(requests["seen"].shape[1] for requests in phases)
    inputs = {
        "history": np.concatenate([requests["history"] for requests in phases]),
        "seen": np.concatenate([_widened(requests["seen"], width) for requests in phases]),
    }
    answers = run_requests(artifact.model_path, inputs, listener=context.listener)
    if not np.isfinite(answers["scores"].astype(np.float64)).all():
        raise CandidateError(
            "the artifact gives scores that are NaN or infinite: a user has seen all but fewer than k items, "
            "or the weights are broken."
        )
    return answers["items"].astype(np.int64)


def _widened(seen: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return np.pad(seen, ((0, 0), (0, width - seen.shape[1])))
