"""Ranking quality of an artifact: HR@k and NDCG@k by full ranking, per user, validation and test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paretoopt.artifact.artifact import Artifact
from paretoopt.candidate import Measurement
from paretoopt.data.requests import model_histories, model_seen
from paretoopt.data.split import Split
from paretoopt.errors import CandidateError
from paretoopt.measurement.inference import run_requests
from paretoopt.pipeline.stage import Context, Measure, Requests
from paretoopt.space import Params
from paretoopt.training.ranking import discounted_gains, hits

PER_USER_FILE = "per_user.npz"
# Half the width of a 95 % interval of a mean, in standard errors.
_NORMAL_QUANTILE = 1.96


def ranking_quality(*, k: int, length: int) -> Measure:
    """The measure of ``ndcg_at_k`` and ``hr_at_k`` on validation, and of the same on test as ``test_*``.

    Every user's held-out item is ranked among all items that the user does not have yet, by the
    artifact itself, in a process of its own. Search on validation; test is for what is reported.

    Args:
        k: Length of the recommended list.
        length: Items of history that a request holds.
    """
    metrics = (f"ndcg_at_{k}", f"hr_at_{k}", f"test_ndcg_at_{k}", f"test_hr_at_{k}")

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
        np.savez_compressed(context.folder / PER_USER_FILE, allow_pickle=False, **per_user)
        return {name: mean_with_interval(values) for name, values in per_user.items()}

    return Measure(
        name="quality", metrics=metrics, run=run, settings={"k": k, "length": length}, per_user=per_user_quality
    )


def mean_with_interval(values: NDArray[np.float64]) -> Measurement:
    """The mean over users with its 95 % interval by the central limit theorem."""
    mean = float(values.mean())
    margin = _NORMAL_QUANTILE * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else 0.0
    return Measurement(mean, mean - margin, mean + margin)


def per_user_quality(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Each metric's values, one per user of the split, from the store entry of a quality measure."""
    with np.load(folder / PER_USER_FILE, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


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
